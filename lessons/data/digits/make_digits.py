"""Makes digits.npy from the copy of the data in scikit-learn.

    python3 -m venv venv && venv/bin/pip install numpy scikit-learn
    venv/bin/python make_digits.py        (made with scikit-learn 1.9.1)
"""
import importlib.resources
import pathlib

import numpy

source = importlib.resources.files("sklearn.datasets.data") / "digits.csv.gz"
with importlib.resources.as_file(source) as path:
    table = numpy.loadtxt(path, delimiter=",")
assert table.shape == (1797, 65) and (table == table.astype(numpy.uint8)).all()
numpy.save(pathlib.Path(__file__).parent / "digits.npy", table.astype(numpy.uint8))
