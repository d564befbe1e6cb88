"""weighted_mean_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def weighted_mean_test(name, layer, **kwargs):
    """A test of a WeightedMeanLayer.

    Args:
      name: of the test.
      layer: the library whose header weighted_mean_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/weighted_mean_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/multiple_inputs/exercise:weighted_mean_layer_test.cc"],
        local_defines = ['WEIGHTED_MEAN_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
