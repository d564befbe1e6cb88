"""elu_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def elu_test(name, layer, **kwargs):
    """A test of an OwnEluLayer.

    Args:
      name: of the test.
      layer: the library whose header elu_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/elu_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/own_backward/exercise:elu_layer_test.cc"],
        local_defines = ['ELU_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "//framework/cpu:allocator",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
