"""cosine_pair_test: what the exercise asks for, of the layer there and of the solution's."""

def cosine_pair_test(name, layer, **kwargs):
    """A test of a CosinePairLayer.

    Args:
      name: of the test.
      layer: the library whose header cosine_pair_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/cosine_pair_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/weight_sharing/exercise:cosine_pair_layer_test.cc"],
        local_defines = ['COSINE_PAIR_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
