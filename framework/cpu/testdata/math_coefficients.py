"""Prints the polynomial coefficients and the table that math_*.h hold.

Each polynomial interpolates its function at the Chebyshev nodes of the interval, computed with 60
digits; that is within a factor of about two of the best polynomial of its degree.

Run: python3 math_coefficients.py  (needs mpmath)
"""

from mpmath import mp, mpf, cos, pi, expm1, atan, erf, erfc, log, sqrt, floor, ldexp, lu_solve, matrix

mp.dps = 60


def interpolate(f, low, high, degree):
    """Coefficients c[0] + c[1] x + ... of the interpolating polynomial."""
    n = degree + 1
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    a = matrix(n, n)
    b = matrix(n, 1)
    for i, x in enumerate(nodes):
        for j in range(n):
            a[i, j] = x**j
        b[i] = f(x)
    return list(lu_solve(a, b))


def show(name, coefficients, digits):
    print(name)
    print("  " + ", ".join(mp.nstr(c, digits) for c in coefficients))


half_ln2 = log(2) / 2 * mpf("1.01")
exp_rest = lambda r: (expm1(r) - r) / r**2 if abs(r) > mpf("1e-15") else mpf("0.5") + r / 6
show("expm1(r) = r + r^2 P(r), float", interpolate(exp_rest, -half_ln2, half_ln2, 4), 10)
show("expm1(r) = r + r^2 P(r), double", interpolate(exp_rest, -half_ln2, half_ln2, 9), 20)

atan_rest = lambda z: (atan(sqrt(z)) / sqrt(z) - 1) / z
show("atan(t) = t + t z Q(z), z = t^2 <= 1", interpolate(atan_rest, mpf(0), mpf(1), 12), 20)

erf_rest = lambda z: erf(sqrt(z)) / sqrt(z) - 1
show("erf(x) = x + x Q(z), z = x^2 <= 1", interpolate(erf_rest, mpf(0), mpf("1.0"), 7), 10)
show("-log(erfc(x)), 1 <= x <= 4", interpolate(lambda x: -log(erfc(x)), mpf(1), mpf(4), 9), 10)

print("ln 2 with 16 and 42 bits, and the rest")
for bits in (16, 42):
    head = ldexp(floor(ldexp(log(2), bits)), -bits)
    print("  ", mp.nstr(head, 25), mp.nstr(log(2) - head, 25))

print("2 / pi, row e: bits e .. e + 27, e + 28 .. e + 55, e + 56 .. e + 108")
for e in range(1, 104):
    digits = lambda first, count: (
        floor(ldexp(2 / pi, first + count - 1)) - floor(ldexp(2 / pi, first - 1)) * 2**count)
    mp.dps = 120
    row = []
    for first, count in ((e, 28), (e + 28, 28), (e + 56, 53)):
        row.append(f"0x{int(digits(first, count)):x}p{-(first + count - 1)}")
    print("    {" + ", ".join(row) + "},")
