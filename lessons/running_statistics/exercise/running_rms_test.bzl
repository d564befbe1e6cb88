"""running_rms_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def running_rms_test(name, layer, **kwargs):
    """A test of a RunningRmsLayer.

    Args:
      name: of the test.
      layer: the library whose header running_rms_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/running_rms_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/running_statistics/exercise:running_rms_layer_test.cc"],
        local_defines = ['RUNNING_RMS_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
