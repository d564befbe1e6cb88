"""split_range_test: what the exercise asks for, of the exercise's layer and of the solution's."""

def split_range_test(name, layer, **kwargs):
    """A test of a SplitRangeLayer.

    Args:
      name: of the test.
      layer: the library whose header split_range_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/split_range_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/multiple_outputs/exercise:split_range_layer_test.cc"],
        local_defines = ['SPLIT_RANGE_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "//layers/split_level:split_level_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
