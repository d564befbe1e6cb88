"""clip_gradient_test: what the exercise asks for, of the exercise's function and the solution's."""

def clip_gradient_test(name, function, **kwargs):
    """A test of a ClipGradient.

    Args:
      name: of the test.
      function: the library whose header clip_gradient.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/clip_gradient.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/differentiable_function/exercise:clip_gradient_test.cc"],
        local_defines = ['CLIP_GRADIENT_HEADER=\\"%s\\"' % header],
        deps = [
            function,
            "//framework/cpu:allocator",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
