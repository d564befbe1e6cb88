"""kernel_exercise_test: what an exercise asks for, of the kernel in the exercise and of that in the solution."""

def kernel_exercise_test(name, test, header, kernel, **kwargs):
    """A test of a kernel on a device that the processor plays.

    Args:
      name: of the test.
      test: its source.
      header: of the kernel, in this package.
      kernel: the library that has it.
      **kwargs: as for every test.
    """
    native.cc_test(
        name = name,
        size = "small",
        srcs = [test],
        local_defines = ['KERNEL_HEADER=\\"%s/%s\\"' % (native.package_name(), header)],
        deps = [
            kernel,
            "//checks:check_layer",
            "//framework/gpu",
            "//framework/gpu/testing:emulated_device",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
