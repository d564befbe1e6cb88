"""shrink_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def shrink_test(name, layer, **kwargs):
    """A test of a ShrinkLayer.

    Args:
      name: of the test.
      layer: the library whose header shrink_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/shrink_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/code_generation/exercise:shrink_layer_test.cc"],
        local_defines = ['SHRINK_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
