"""rows_to_sequence_test: what the exercise asks for, of the layer there and of the solution's."""

def rows_to_sequence_test(name, layer, **kwargs):
    """A test of a RowsToSequenceLayer.

    Args:
      name: of the test.
      layer: the library whose header rows_to_sequence_layer.h stands in this package.
      **kwargs: as for every test.
    """
    header = native.package_name() + "/rows_to_sequence_layer.h"
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//lessons/formatted_inputs/exercise:rows_to_sequence_layer_test.cc"],
        local_defines = ['ROWS_TO_SEQUENCE_LAYER_HEADER=\\"%s\\"' % header],
        deps = [
            layer,
            "//checks:check_layer",
            "@gtest//:gtest_main",
        ],
        **kwargs
    )
