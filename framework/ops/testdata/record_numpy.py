"""Records what NumPy and SciPy compute for the functions of each element.

Run: python3 record_numpy.py  (needs numpy and scipy; writes numpy.json beside itself)

Every real function is evaluated in double at the same points, which single holds exactly and which
lie inside and outside of its domain; functions of two arguments at all pairs of fewer points.
Complex functions likewise. Numbers that JSON does not know are written as "nan", "inf", "-inf"; a
complex number as its two parts.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import special

np.seterr(all="ignore")

positive = [1e-8, 1e-3, 0.1, 0.25, 0.5, 0.7, 0.99, 1, 1.001, 1.5, 2, 2.5, 3.1, 5.7, 10.3, 20, 60.5,
            88.6, 100.7, 710, 1e4, 1e6]
X = np.float32([0.0] + positive + [np.inf]).astype(np.float64)
X = np.concatenate([X, -X, [np.nan]])


def half_away(x):
    return np.copysign(np.floor(np.abs(x) + 0.5), x)


def sigmoid(x):
    """SciPy's expit gives 0 where the result is subnormal."""
    return np.where(x < 0, np.exp(x) / (1 + np.exp(x)), 1 / (1 + np.exp(-x)))


UNARY = {
    "negate": np.negative,
    "abs": np.abs,
    "sign": lambda x: np.where(x == 0, x, np.sign(x)),
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "square": np.square,
    "reciprocal": lambda x: 1 / x,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sigmoid": sigmoid,
    "erf": special.erf,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": half_away,
    "fix": np.trunc,
    "relu": lambda x: np.where(x < 0, 0.0, x),
    "not": np.logical_not,
    "isnan": np.isnan,
}

few = np.float32([0.0, 0.3, 1, 2, 3.7, 12, np.inf]).astype(np.float64)
few = np.concatenate([few, -few, [np.nan]])
PAIRS = [np.repeat(few, len(few)), np.tile(few, len(few))]

BINARY = {
    "plus": np.add,
    "minus": np.subtract,
    "times": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "max": np.fmax,
    "min": np.fmin,
    "atan2": np.arctan2,
    "mod": lambda x, y: np.where(y == 0, x, np.mod(x, y)),
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
}

parts = np.float32([0.25, 1, 2.5, 6.3])
Z = np.array([s * a + t * 1j * b for a in parts for b in parts for s in (1, -1) for t in (1, -1)])
Z = np.concatenate([Z, np.array([0.5, 2, -0.5, -2, 0.5j, 2j, -0.5j, -2j])])

COMPLEX_UNARY = {
    "negate": np.negative,
    "abs": np.abs,
    "sign": lambda z: z / np.abs(z),
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "log2": lambda z: np.log(z) / np.log(2),
    "log10": lambda z: np.log(z) / np.log(10),
    "sqrt": np.sqrt,
    "rsqrt": lambda z: 1 / np.sqrt(z),
    "square": np.square,
    "reciprocal": lambda z: 1 / z,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "conj": np.conj,
    "real": np.real,
    "imag": np.imag,
}

some = np.array([0.5 + 0.25j, -2 + 1j, 1.5 - 3j, -0.25 - 0.75j, 2, -1])
COMPLEX_PAIRS = [np.repeat(some, len(some)), np.tile(some, len(some))]
COMPLEX_BINARY = {
    "plus": np.add,
    "minus": np.subtract,
    "times": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "eq": np.equal,
    "ne": np.not_equal,
}


def written(values):
    values = np.asarray(values)
    if np.iscomplexobj(values):
        return [part for z in values for part in (float(z.real), float(z.imag))]
    return [float(v) if np.isfinite(v) else str(float(v)) for v in values.astype(np.float64)]


data = {
    "made_with": f"numpy {np.__version__}, scipy {scipy.__version__}",
    "real": {
        "inputs": [written(X)],
        "functions": {name: written(f(X)) for name, f in UNARY.items()},
    },
    "real pairs": {
        "inputs": [written(x) for x in PAIRS],
        "functions": {name: written(f(*PAIRS)) for name, f in BINARY.items()},
    },
    "complex": {
        "inputs": [written(Z)],
        "functions": {name: written(f(Z)) for name, f in COMPLEX_UNARY.items()},
    },
    "complex pairs": {
        "inputs": [written(x) for x in COMPLEX_PAIRS],
        "functions": {name: written(f(*COMPLEX_PAIRS)) for name, f in COMPLEX_BINARY.items()},
    },
}
path = pathlib.Path(__file__).with_name("numpy.json")
lines = json.dumps(data, indent=None).replace('"functions": {', '"functions": {\n')
path.write_text(lines.replace('], "', '],\n"') + "\n")
