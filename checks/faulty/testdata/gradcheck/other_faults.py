"""Loops over time, statistics, random and complex numbers, several arrays."""

import torch

from table import FAULTS, IMAGE, arrays, constant, fault, right

# --- The peephole LSTM and the thermal cell -------------------------------------------------------

UNITS, CHANNELS, OBSERVATIONS, STEPS = 2, 3, 4, 6
LSTM = (
    (STEPS, OBSERVATIONS, CHANNELS),
    (4 * UNITS, CHANNELS),
    (4 * UNITS, UNITS),
    (3, UNITS),
    (4 * UNITS,),
    (OBSERVATIONS, UNITS),
    (OBSERVATIONS, UNITS),
)


def lstm(x, w, r, p, bias, h, c, between=lambda h, c: (h, c)):
    y = []
    for step in x:
        h, c = between(h, c)
        zi, zf, zg, zo = (step @ w.t() + h @ r.t() + bias).chunk(4, 1)
        c = torch.sigmoid(zf + p[1] * c) * c + torch.sigmoid(zi + p[0] * c) * torch.tanh(zg)
        h = torch.sigmoid(zo + p[2] * c) * torch.tanh(c)
        y.append(h)
    return torch.stack(y), h, c


@right
def PeepholeLstmLayer():
    return lstm, arrays(*LSTM)


def lstm_fault(name, between):
    FAULTS[name] = lambda: (lambda *a: lstm(*a, between=between), arrays(*LSTM))


lstm_fault("LstmDetachesHidden", lambda h, c: (constant(h), c))
lstm_fault("LstmDetachesCell", lambda h, c: (h, constant(c)))


@fault
def LstmDetachesOldStates():
    return lambda *a: lstm(*a[:5], constant(a[5]), constant(a[6])), arrays(*LSTM)


CELL = ((4, 3, 2), (2,), (2,), (2,), (3, 2))


def cell(x, log_capacity, log_conductance, beginning, warming):
    (c1, c2), (ga, gb) = torch.exp(log_capacity) / 0.5, torch.exp(log_conductance)
    k = torch.stack([torch.stack([c1 + ga + gb, -gb]), torch.stack([-gb, c2 + gb])])
    t, y = beginning + warming, []
    for step in x:
        heat = torch.stack([step[:, 0] + ga * step[:, 1], 0 * step[:, 0]], 1)
        t = torch.linalg.solve(k, (torch.stack([c1, c2]) * t + heat).t()).t()
        y.append(t)
    return torch.stack(y), t - beginning


@right
def ThermalCellLayer():
    return cell, arrays(*CELL)


def cell_fault(name, function):
    FAULTS[name] = lambda: (function, arrays(*CELL))


cell_fault("CellDetachesConductances", lambda x, c, g, b, w: cell(x, c, constant(g), b, w))
cell_fault("CellDetachesBeginning", lambda x, c, g, b, w: cell(x, c, g, constant(b), w))
cell_fault("CellDetachesState", lambda x, c, g, b, w: cell(x, c, g, b, constant(w)))
cell_fault(
    "CellRoundsTemperatures",
    lambda *a: tuple(torch.round(y * 10) / 10 for y in cell(*a)),
)

# --- Statistics of the batch ----------------------------------------------------------------------

DIMS = (0, 2, 3)


def norm(x, of_mean=lambda m: m, of_variance=lambda v: v):
    m = x.mean(DIMS, keepdim=True)
    v = ((x - m) ** 2).mean(DIMS, keepdim=True)
    return (x - of_mean(m)) / torch.sqrt(of_variance(v) + 1e-5)


@right
def RunningNormLayer():
    return norm, arrays(IMAGE)


@fault
def NormDetachesMean():
    return lambda x: norm(x, of_mean=constant), arrays(IMAGE)


@fault
def NormDetachesVariance():
    return lambda x: norm(x, of_variance=constant), arrays(IMAGE)


@fault
def NormEpsilonOutside():
    def outside(x):
        m = x.mean(0, keepdim=True)
        return (x - m) / (torch.sqrt(((x - m) ** 2).mean(0, keepdim=True)) + 1e-5)

    return outside, arrays((1, 3))


# --- Random numbers: each call draws the same, as gradcheck needs ---------------------------------


def mask(x, seed=0):
    stays = torch.rand(x.shape[:2], generator=torch.Generator().manual_seed(seed)) >= 0.5
    return stays.reshape(*x.shape[:2], 1, 1)


def dropout(backward):
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return torch.where(mask(x), x / 0.5, torch.zeros_like(x))

        @staticmethod
        def backward(ctx, dy):
            return backward(dy)

    return Own.apply, arrays(IMAGE)


def masked(x, seed=0):
    return torch.where(mask(x, seed), x, torch.zeros_like(x))


@right
def ChannelDropoutLayer():
    return dropout(lambda dy: masked(dy) / 0.5)


@fault
def DropoutDrawsAgain():
    return dropout(lambda dy: masked(dy, seed=1) / 0.5)


@fault
def DropoutBackwardForgetsMask():
    return dropout(lambda dy: dy)


@fault
def DropoutBackwardForgetsScale():
    return dropout(masked)


# --- Complex numbers ------------------------------------------------------------------------------


def product(of_w=lambda d: d, of_x=torch.conj):
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, w, x):
            ctx.save_for_backward(w, x)
            return w @ x.to(w.dtype)

        @staticmethod
        def backward(ctx, g):
            w, x = ctx.saved_tensors
            return of_w(g @ x.to(g.dtype).t()), (of_x(w).t() @ g).real

    return Own.apply


def modulus(z, bias):
    return torch.relu(torch.abs(z) + bias) * torch.sgn(z)


def complex_arrays():
    (w,) = arrays((2, 5), dtype=torch.cdouble)
    x, bias = arrays((5, 4), (2, 1))
    return [w, x, bias]


def complex_fault(name, function):
    FAULTS[name] = lambda: (function, complex_arrays())


@right
def ComplexFullyConnectedLayer():
    own = product()
    return lambda w, x, bias: modulus(own(w, x), bias), complex_arrays()


def own_product(name, **spoil):
    own = product(**spoil)
    complex_fault(name, lambda w, x, bias: modulus(own(w, x), bias))


own_product("ConjugateForgotten", of_x=lambda w: w)
own_product("ConjugateConvention", of_w=torch.conj)
own_product("WirtingerHalf", of_w=lambda d: d / 2)
own_product("ImaginaryPartNotTrained", of_w=lambda d: torch.complex(d.real, 0 * d.imag))


def affine(w, x):
    return w @ x.to(w.dtype)


complex_fault(
    "ComplexDetachesAngle",
    lambda w, x, b: torch.relu(torch.abs(affine(w, x)) + b) * constant(torch.sgn(affine(w, x))),
)
complex_fault(
    "ComplexDetachesLength",
    lambda w, x, b: torch.relu(constant(torch.abs(affine(w, x))) + b) * torch.sgn(affine(w, x)),
)
complex_fault(
    "ComplexReadsAngle",
    lambda w, x, b: modulus(affine(w, x), b) * (w[0, 0].item() / abs(w[0, 0].item())),
)

# --- Several inputs, several outputs, other dims --------------------------------------------------

THREE = (IMAGE, IMAGE, IMAGE, (3,))


def addition(a, b, c, w):
    return w[0] * a + w[1] * b + w[2] * c


def split(x, of_level=lambda m: m, of_spread=lambda s: s):
    level = x.mean(-1, keepdim=True)
    spread = torch.sqrt(((x - level) ** 2).mean(-1, keepdim=True) + 1e-5)
    return (x - level) / of_spread(spread), of_level(level), spread


def several(name, function, *sizes):
    FAULTS[name] = lambda: (function, arrays(*sizes))


SERIES = (4, 2, 6)
several(
    "AdditionReadsNumbers",
    lambda a, b, c, w: w[0].item() * a + w[1].item() * b + w[2].item() * c,
    *THREE,
)
several(
    "AdditionNormalizesByNumber",
    lambda a, b, c, w: addition(a, b, c, w) / (torch.abs(w).sum().item() + 1),
    *THREE,
)
several("AdditionDetachesSecond", lambda a, b, c, w: addition(a, constant(b), c, w), *THREE)
several("SplitDetachesSpread", lambda x: split(x, of_spread=constant), SERIES)
several("SplitDetachesLevel", lambda x: split(x, of_level=constant), SERIES)
several(
    "JoinDetachesSpread",
    lambda shape, level, spread: level + constant(spread) * shape,
    SERIES,
    (4, 2, 1),
    (4, 2, 1),
)
several(
    "PairDetachesRight",
    lambda a, b, w: torch.abs(a @ w - constant(b @ w)),
    (4, 5),
    (4, 5),
    (5, 3),
)
several(
    "ProjectNormalizesByNumber",
    lambda x, w, b: x @ (w / torch.sqrt((w * w).sum()).item()) + b,
    (4, 5),
    (5, 12),
    (12,),
)
