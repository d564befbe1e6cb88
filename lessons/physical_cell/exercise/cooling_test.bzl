"""cooling_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def cooling_test(name, layer, **kwargs):
    """A test of a CoolingLayer.

    Args:
      name: of the test.
      layer: the library whose header cooling_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/cooling_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/physical_cell/exercise:cooling_layer_test.cc"],
        local_defines = ['COOLING_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
