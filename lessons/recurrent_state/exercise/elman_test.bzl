"""elman_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def elman_test(name, layer, **kwargs):
    """A test of an ElmanLayer.

    Args:
      name: of the test.
      layer: the library whose header elman_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/elman_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/recurrent_state/exercise:elman_layer_test.cc"],
        local_defines = ['ELMAN_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
