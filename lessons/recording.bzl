"""What the lessons record: which parts of an output differ from run to run, and from machine to
machine.

For record_output (tools/weave). A recording keeps the numbers that were printed; a run on another
processor, which rounds otherwise, may come this far from them.
"""

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
_TRAINING_MASKS = {"[0-9]{2}:[0-9]{2}:[0-9]{2}": "hh:mm:ss"}
_TRAINING_NEAR = {
    "hh:mm:ss +hh:mm:ss +[0-9.e+-]+ +([0-9.e+-]+) +([0-9.e+-]+)": "0.3",
    "hh:mm:ss +hh:mm:ss(?: +[0-9.e+-]+){3} +([0-9.e+-]+) +([0-9.e+-]+)": "0.1",
}

def together(*tables):
    """One dictionary of several."""
    table = {}
    for part in tables:
        table.update(part)
    return table

def _recording(name):
    return "output/%s.txt" % name[len("record_"):]

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
        recording = _recording(name),
        **kwargs
    )

def record_training(
        name,
        args = ["--out={out}"],
        progress_table = False,
        masks = {},
        near = {},
        **kwargs):
    """Records a program that trains networks.

    The first calls of each accelerated function are run op by op as well and compared
    (docs/acceleration.md): so the lesson computes with acceleration what it computes without. The
    program ends with an error where they differ, and at its end tells how many were compared: it
    must have been some by kernels.

    Args:
      name: "record_NAME": the recording is output/NAME.txt.
      args: as in record_output.
      progress_table: whether it prints the table of TrainNet's progress, with times, losses and
        accuracies: what of these may differ need not be told then.
      masks: as in record_output.
      near: as in record_output.
      **kwargs: of record_output.
    """
    record_output(
        name = name,
        size = "medium",
        args = args,
        env = {"LAMINA_CHECK_ACCELERATION": "5"},
        masks = together(masks, _TRAINING_MASKS if progress_table else {}),
        near = together(_TRAINING_NEAR if progress_table else {}, near),
        recording = _recording(name),
        stderr = ", [1-9][0-9]* of them by compiled kernels",
        **kwargs
    )
