"""Records python.safetensors, python_complex.safetensors and header_cases.txt for safetensors_test.cc.

    python3 -m venv venv && venv/bin/pip install numpy safetensors
    venv/bin/python record_safetensors.py        (recorded with numpy 2.4.6, safetensors 0.8.0)

header_cases.txt tells what the format's own library says of odd headers: per line "accepted" or "refused", a name, the
header, the number of zero bytes that follow it, separated by tabs.
"""
import json
import pathlib
import struct

import numpy
import safetensors.numpy

folder = pathlib.Path(__file__).parent

# Element [n, c, w, h] of w is 1000 n + 100 c + 10 w + h: with us element (h, w, c, n).
n, c, w, h = numpy.meshgrid(*(numpy.arange(k) for k in (2, 1, 4, 3)), indexing="ij")
tensors = {
    "conv/Weights": (1000 * n + 100 * c + 10 * w + h).astype(numpy.float32),
    "double": numpy.array([0.1, -1e300, numpy.inf, 5e-324]),
    "logical": numpy.array([[True, False], [False, False], [True, True]]),
    "int32": numpy.array([-(2**31), 2**31 - 1], numpy.int32),
    "int64": numpy.array([-(2**63), 2**63 - 1], numpy.int64),
    "uint8": numpy.array([0, 255, 7], numpy.uint8),
    "empty": numpy.zeros((0, 5), numpy.float32),
    "scalar": numpy.array(3.5),
    "Größe": numpy.ones(1, numpy.float32),
}
safetensors.numpy.save_file(tensors, folder / "python.safetensors", metadata={"format": "np", "who": "∂L/∂X"})
safetensors.numpy.save_file({"z": numpy.array([[1 + 2j, 3 - 4j, 0.5j]], numpy.complex64)},
                            folder / "python_complex.safetensors")


def entry(dtype, shape, begin, end, **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end], **more}


U8 = entry("U8", [1], 0, 1)
cases = {
    "one array": ({"a": U8}, 1),
    "no array": ({}, 0),
    "name is empty": ({"": U8}, 1),
    "not aligned": ({"a": U8, "b": entry("F32", [1], 1, 5)}, 5),
    "empty array between others": ({"a": U8, "z": entry("U8", [0], 1, 1), "b": entry("U8", [1], 1, 2)}, 2),
    "spaces after the header": ('{}     ', 0),
    "scalar": ({"a": entry("F64", [], 0, 8)}, 8),
    "hole at the start": ({"a": entry("U8", [1], 1, 2)}, 2),
    "hole": ({"a": U8, "b": entry("U8", [1], 2, 3)}, 3),
    "overlap": ({"a": entry("U8", [2], 0, 2), "b": entry("U8", [2], 1, 3)}, 3),
    "same bytes twice": ({"a": U8, "b": U8}, 1),
    "empty array inside another": ({"a": entry("U8", [2], 0, 2), "z": entry("U8", [0], 1, 1)}, 2),
    "bytes after the end": ({"a": U8}, 2),
    "bytes without arrays": ({}, 1),
    "data cut off": ({"a": entry("U8", [3], 0, 3)}, 2),
    "end before begin": ({"a": entry("U8", [1], 1, 0)}, 1),
    "too few bytes": ({"a": entry("F32", [2], 0, 4)}, 4),
    "too many bytes": ({"a": entry("F32", [1], 0, 8)}, 8),
    "not whole elements": ({"a": entry("F32", [1], 0, 3)}, 3),
    "size overflows": ({"a": entry("U8", [2**63, 2], 0, 0)}, 0),
    "size overflows to one": ({"a": entry("U8", [2**32 + 1, 2**32 - 1, 1], 0, 1)}, 1),
    "size beyond 64 bits": ({"a": entry("U8", [2**64], 0, 0)}, 0),
    "shape is negative": ({"a": entry("U8", [-1], 0, 1)}, 1),
    "shape is a fraction": ({"a": entry("U8", [1.0], 0, 1)}, 1),
    "shape is a text": ({"a": entry("U8", ["1"], 0, 1)}, 1),
    "shape is a number": ({"a": entry("U8", 1, 0, 1)}, 1),
    "type is unknown": ({"a": entry("U9", [1], 0, 1)}, 1),
    "type is a number": ({"a": entry(8, [1], 0, 1)}, 1),
    "three offsets": ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1,1]}}', 1),
    "one offset": ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[1]}}', 1),
    "offset is beyond 64 bits": ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]}}', 1),
    "no type": ({"a": {"shape": [1], "data_offsets": [0, 1]}}, 1),
    "no shape": ({"a": {"dtype": "U8", "data_offsets": [0, 1]}}, 1),
    "no offsets": ({"a": {"dtype": "U8", "shape": [1]}}, 1),
    "type twice": ('{"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
    "entry is a list": ({"a": [1]}, 0),
    "metadata hold a number": ({"__metadata__": {"a": 1}}, 0),
    "metadata are a text": ({"__metadata__": "a"}, 0),
    "header is a list": ("[]", 0),
    "header is cut off": ('{"a":{"dtype":"U8"', 0),
    "header is nothing": ("", 0),
    "text after the header": ("{}x", 0),
    "comma too many": ('{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},}', 1),
}
with open(folder / "header_cases.txt", "w") as f:
    for name, (header, zeros) in cases.items():
        text = header if isinstance(header, str) else json.dumps(header, separators=(",", ":"))
        try:
            safetensors.numpy.load(struct.pack("<Q", len(text)) + text.encode() + bytes(zeros))
            verdict = "accepted"
        except safetensors.SafetensorError:
            verdict = "refused"
        f.write(f"{verdict}\t{name}\t{text}\t{zeros}\n")
