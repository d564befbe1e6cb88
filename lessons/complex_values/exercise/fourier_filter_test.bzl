"""fourier_filter_test: what the exercise asks for, of the exercise's layer and of the solution's."""

def fourier_filter_test(name, layer, **kwargs):
    """A test of a FourierFilterLayer.

    Args:
      name: of the test.
      layer: the library whose header fourier_filter_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/fourier_filter_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/complex_values/exercise:fourier_filter_layer_test.cc"],
        local_defines = ['FOURIER_FILTER_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
