"""channel_noise_test: what the exercise asks for, of the layer in the exercise and of that in the solution."""

def channel_noise_test(name, layer, **kwargs):
    """A test of a ChannelNoiseLayer.

    Args:
      name: of the test.
      layer: the library whose header channel_noise_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/channel_noise_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/random_numbers/exercise:channel_noise_layer_test.cc"],
        local_defines = ['CHANNEL_NOISE_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
