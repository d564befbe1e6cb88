"""What the lessons record: which parts of an output differ from run to run, and from machine to
machine, and the reports of CheckLayer.

For record_output (tools/weave). A recording keeps the numbers that were printed; a run on another
processor, which rounds otherwise, may come this far from them.
"""

load("//checks:check_layer.bzl", "check_layer")
load("//tools/weave:record_output.bzl", "record_output")

# A report of CheckLayer.
REPORT_MASKS = {"Time elapsed: [0-9.e+-]+ seconds": "Time elapsed: <time> seconds"}
REPORT_NEAR = {
    # Errors are rounding alone: their size is known, their digits are not.
    "error ([0-9.e+-]+),": "1000%",
    "tolerance ([0-9.e+-]+),": "50%",
    "ratio ([0-9.e+-]+)": "1000%",
    "([0-9]+) of ([0-9]+) values had a kink": "20%",
    # Of a wrong derivative.
    "numeric one, (-?[0-9.]+), to within ([0-9.e-]+)": "1%",
    "gets (-?[0-9.]+): ([0-9.]+) off, ([0-9.]+) relative": "1%",
}

# The progress table of TrainNet. Differences in rounding grow while a network is trained, so losses
# and accuracies of single mini-batches are compared by their size alone.
TRAINING_MASKS = {"[0-9]{2}:[0-9]{2}:[0-9]{2}": "hh:mm:ss"}
TRAINING_NEAR = {
    "hh:mm:ss +hh:mm:ss +[0-9.e+-]+ +([0-9.e+-]+) +([0-9.e+-]+)": "0.3",
    "hh:mm:ss +hh:mm:ss(?: +[0-9.e+-]+){3} +([0-9.e+-]+) +([0-9.e+-]+)": "0.1",
}

def together(*tables):
    """One dictionary of several."""
    table = {}
    for part in tables:
        table.update(part)
    return table

def record_report(name, check, **kwargs):
    """Records the report of a check_layer target.

    Args:
      name: "record_NAME": the recording is output/NAME.txt.
      check: the label of the check.
      **kwargs: of record_output.
    """
    record_output(
        name = name,
        size = "small",
        masks = REPORT_MASKS,
        near = REPORT_NEAR,
        program = check,
        recording = "output/%s.txt" % name[len("record_"):],
        **kwargs
    )

def record_training(name, **kwargs):
    """Records a program that trains networks.

    The first calls of each accelerated function are run op by op as well and compared
    (docs/acceleration.md): so the lesson computes with acceleration what it computes without. The
    program ends with an error where they differ, and at its end tells how many were compared: it
    must have been some by kernels.

    Args:
      name: as in record_output.
      **kwargs: of record_output.
    """
    record_output(
        name = name,
        size = "medium",
        env = {"LAMINA_CHECK_ACCELERATION": "5"},
        stderr = ", [1-9][0-9]* of them by compiled kernels",
        **kwargs
    )

def broken_layer(name, layer, layouts, **kwargs):
    """The check of a faulty layer, which is meant to fail, and the recording of its report.

    Args:
      name: the layer stands in broken/NAME_layer.h, part of the library ":broken".
      layer: as in check_layer.
      layouts: as in check_layer.
      **kwargs: of check_layer.
    """
    check_layer(
        name = name + "_check",
        header = "%s/broken/%s_layer.h" % (native.package_name(), name),
        layer = layer,
        layouts = layouts,
        tags = ["manual"],  # It fails, as it should: its recording is the test.
        deps = [":broken"],
        **kwargs
    )
    record_report(
        name = "record_" + name,
        check = ":%s_check" % name,
        exit_code = 1,
    )
