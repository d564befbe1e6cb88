"""Records what NumPy and SciPy compute for functions of matrices, in double.

Run: python3 record_scipy_linear_algebra.py  (needs numpy and scipy; writes
scipy_linear_algebra.json beside itself)

Each case has its inputs and outputs as Lamina holds them: rows, columns, pages; column-major. A
complex number is written as its two parts.
"""

import json
import pathlib

import numpy as np
import scipy
from scipy import linalg

random = np.random.default_rng(20240611)
cases = {}


def rand(*sizes, complex_numbers=False):
    """Numbers with three decimals, so that the file stays short; exact in both languages."""
    x = np.round(random.uniform(-1, 1, sizes), 3)
    return x + 1j * np.round(random.uniform(-1, 1, sizes), 3) if complex_numbers else x


def written(x):
    """Of an array rows x columns x pages."""
    x = np.asarray(x)
    parts = x.reshape(-1, order="F")
    if np.iscomplexobj(x):
        parts = np.stack([parts.real, parts.imag], axis=-1).reshape(-1)
    return {"complex": bool(np.iscomplexobj(x)), "sizes": list(x.shape), "values": parts.tolist()}


def case(name, inputs, outputs):
    assert name not in cases
    cases[name] = {"inputs": [written(x) for x in inputs], "outputs": [written(y) for y in outputs]}


def pages_last(x):
    return np.moveaxis(x, 0, -1)


for z in (False, True):
    kind = "complex " if z else ""
    a, b = rand(5, 5, complex_numbers=z), rand(5, 3, complex_numbers=z)
    case(kind + "solve", [a, b], [linalg.solve(a, b)])
    case(kind + "inverse", [a], [linalg.inv(a)])
    case(kind + "determinant", [a], [linalg.det(a)])
    case(kind + "logdeterminant", [a], list(np.linalg.slogdet(a)))
    p = rand(4, 3, 3, complex_numbers=z)
    q = rand(4, 3, 2, complex_numbers=z)
    case(kind + "pages", [pages_last(p), pages_last(q)], [pages_last(np.linalg.solve(p, q))])
    s = np.round(a @ a.conj().T, 3) + 0.5 * np.eye(5)
    case(kind + "cholesky", [s], [linalg.cholesky(s, lower=True)])
    t = a + 3 * np.eye(5)
    for lower in (True, False):
        for transposed in (True, False):
            case(
                f"{kind}triangular {'lower' if lower else 'upper'}{' transposed' * transposed}",
                [t, b],
                [linalg.solve_triangular(t, b, lower=lower, trans="C" if transposed else "N")])
    m = rand(3, 4, complex_numbers=z)
    case(kind + "kron", [m, b], [np.kron(m, b)])
    case(kind + "trace", [m], [np.trace(m)])
    case(kind + "norms", [m], [
        np.linalg.norm(m.ravel(), 1), np.linalg.norm(m), np.linalg.norm(m.ravel(), np.inf),
        np.linalg.norm(m, 1, axis=0, keepdims=True), np.linalg.norm(m, 2, axis=0, keepdims=True),
        np.linalg.norm(m, np.inf, axis=1, keepdims=True)
    ])
    c, d = rand(6, complex_numbers=z), rand(6, complex_numbers=z)
    case(kind + "dot", [c, d], [np.vdot(c, d)])
    for k in (-2, -1, 0, 1, 3):
        case(f"{kind}triangles {k}", [m], [np.tril(m, k), np.triu(m, k)])

path = pathlib.Path(__file__).with_name("scipy_linear_algebra.json")
with path.open("w") as file:
    json.dump({"made_with": f"numpy {np.__version__}, scipy {scipy.__version__}", "cases": cases},
              file, separators=(", ", ": "))
    file.write("\n")
print(len(cases), "cases")
