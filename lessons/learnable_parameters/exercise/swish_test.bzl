"""swish_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def swish_test(name, layer, **kwargs):
    """A test of a LearnableSwishLayer.

    Args:
      name: of the test.
      layer: the library whose header swish_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/swish_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/learnable_parameters/exercise:swish_layer_test.cc"],
        local_defines = ['SWISH_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
