"""What of the programs' outputs differs from run to run, and from machine to machine.

For record_output (tools/weave). A recording keeps the numbers that were printed; a run on another
processor, which rounds otherwise, may come this far from them.
"""

# A report of CheckLayer.
REPORT_MASKS = {"Time elapsed: [0-9.e+-]+ seconds": "Time elapsed: <time> seconds"}
REPORT_NEAR = {
    # Errors are rounding alone: their size is known, their digits are not.
    "error ([0-9.e+-]+),": "1000%",
    "tolerance ([0-9.e+-]+),": "50%",
    "ratio ([0-9.e+-]+)": "1000%",
    "([0-9]+) of ([0-9]+) values had a kink": "20%",
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
