"""Whether both sides of a workload compute the same.

Our side writes its inputs and outputs to a safetensors file; every variant of the peer gets these
inputs and must give these outputs.
"""

import json
import pathlib
import subprocess
import tempfile

import numpy
import torch

from tools.bench.peer.workload import Arrays, Workload

_TYPES = {"F32": numpy.float32, "F64": numpy.float64, "I64": numpy.int64}
# Of the largest number of an array, for what is compared in single.
_SINGLE_TOLERANCE = 2e-6


def read_arrays(path: pathlib.Path) -> dict[str, Arrays]:
    """The arrays "in/0", "in/1", .. and "out/0", .. of a safetensors file, under "in" and "out"."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    found: dict[str, Arrays] = {"in": [], "out": []}
    for kind, arrays in found.items():
        while entry := header.get(f"{kind}/{len(arrays)}"):
            begin, end = (start + offset for offset in entry["data_offsets"])
            values = numpy.frombuffer(content[begin:end], _TYPES[entry["dtype"]])
            arrays.append(torch.from_numpy(values.copy()).reshape(entry["shape"]))
    return found


def differences(ours: Arrays, peer: Arrays, tolerance: float,
                vanishing: frozenset[int] = frozenset()) -> list[str]:
    """What is not the same, a line for each array; those in `vanishing` are to be near 0."""
    if len(ours) != len(peer):
        return [f"{len(ours)} outputs of ours, {len(peer)} of the peer"]
    lines = []
    for i, (expected, actual) in enumerate(zip(ours, peer)):
        if expected.numel() != actual.numel() or expected.dtype != actual.dtype:
            lines.append(f"output {i}: ours {tuple(expected.shape)} {expected.dtype}, "
                         f"the peer's {tuple(actual.shape)} {actual.dtype}")
            continue
        error = (actual.detach().reshape(expected.shape) - expected).abs().max().item()
        largest = 1.0 if i in vanishing else expected.abs().max().item()
        allowed = tolerance if expected.dtype == torch.float64 else _SINGLE_TOLERANCE
        if not error <= allowed * largest:  # NaN is a difference too.
            lines.append(f"output {i} differs by {error:.3g}, its largest number is {largest:.3g}")
    return lines


def disagreements(ours: pathlib.Path, name: str, workload: Workload) -> list[str]:
    """Runs our side and each variant of the peer's; what is not the same."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "values.safetensors"
        subprocess.run([ours, "--benchmark", name, "--values", file], check=True)
        arrays = read_arrays(file)
    lines = []
    for variant, make in workload.variants.items():
        step = make([a.clone() for a in arrays["in"]], lambda function: function)
        outputs = step()
        if callable(outputs):  # A training, of which ours made two steps.
            outputs = step()()
        lines += [f"{name} ({variant}): {line}" for line in differences(
            arrays["out"], outputs, workload.tolerance, workload.vanishing)]
    return lines
