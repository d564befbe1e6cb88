"""Records the .npy files of npy_test.cc: element [i, j, k] is 100 i + 10 j + k in each, with an imaginary part of
-1 in the complex ones, and its parity in the logical one.

    python3 -m venv venv && venv/bin/pip install numpy
    venv/bin/python record_npy.py        (recorded with numpy 2.4.6)
"""
import pathlib

import numpy

folder = pathlib.Path(__file__).parent
i, j, k = numpy.meshgrid(numpy.arange(2), numpy.arange(3), numpy.arange(4), indexing="ij")
a = 100 * i + 10 * j + k
for name in ("f4", "f8", "b1", "i4", "i8", "u1", "c8", "c16"):
    b = a % 2 if name == "b1" else a - 1j if name.startswith("c") else a
    numpy.save(folder / f"{name}_c.npy", b.astype(name))
    numpy.save(folder / f"{name}_fortran.npy", numpy.asfortranarray(b.astype(name)))
numpy.save(folder / "scalar.npy", numpy.array(3.5))
numpy.save(folder / "vector.npy", numpy.array([1, 2, 3], numpy.int32))
numpy.save(folder / "empty.npy", numpy.asfortranarray(numpy.zeros((3, 0, 2))))
numpy.save(folder / "big_endian.npy", numpy.array([1.0], ">f8"))
numpy.save(folder / "records.npy", numpy.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]))
for version in (2, 3):
    with open(folder / f"version{version}.npy", "wb") as f:
        numpy.lib.format.write_array(f, numpy.array([1.5, 2.5]), version=(version, 0))
