"""Records what NumPy computes for Fourier transforms.

Run: python3 record_numpy_fft.py  (needs numpy; writes numpy_fft.json beside itself)

Each case has an array x, the axes, and its transform and inverse transform over them, in double.
Arrays are column-major; complex numbers are written as re, im, re, im, ...
"""

import json
import pathlib

import numpy as np

generator = np.random.default_rng(20240601)


def draw(sizes, is_complex):
    x = generator.integers(-999, 1000, sizes) / 1000
    return x + 1j * generator.integers(-999, 1000, sizes) / 1000 if is_complex else x


def written(x):
    flat = np.ravel(x, order="F")
    if np.iscomplexobj(x):
        flat = np.stack([flat.real, flat.imag], -1).ravel()
    return flat.tolist()


def case(sizes, axes, is_complex=False):
    x = draw(sizes, is_complex)
    return {
        "sizes": sizes,
        "axes": axes,
        "complex": is_complex,
        "x": written(x),
        "fft": written(np.fft.fftn(x, axes=axes)),
        "ifft": written(np.fft.ifftn(x, axes=axes)),
    }


cases = {
    "one": case([1], [0]),
    "eight": case([8], [0]),
    "eight complex": case([8], [0], True),
    "nine": case([9], [0]),
    "seven complex": case([7], [0], True),
    "prime": case([101], [0]),
    "first of three": case([4, 3, 2], [0]),
    "middle of three": case([2, 6, 3], [1], True),
    "last of three": case([3, 2, 5], [2]),
    "image": case([4, 6, 2], [0, 1]),
    "not neighbours": case([3, 2, 4], [0, 2], True),
    "all": case([2, 3, 4], [0, 1, 2]),
}
lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in cases.items()]
text = "{\n  \"numpy\": " + json.dumps(np.__version__) + ",\n" + ",\n".join(lines) + "\n}\n"
pathlib.Path(__file__).with_name("numpy_fft.json").write_text(text)
