"""rezero_block_test: what the exercise asks for, of the layer there and of the solution's."""

def rezero_block_test(name, layer, **kwargs):
    """A test of a RezeroBlockLayer.

    Args:
      name: of the test.
      layer: the library whose header rezero_block_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/rezero_block_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/nested_network/exercise:rezero_block_layer_test.cc"],
        local_defines = ['REZERO_BLOCK_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
