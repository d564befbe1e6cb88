"""y = tanh(scale x) + offset: with a derivative of its own, and with one that is taken."""

import torch

from table import IMAGE, MANY_IMAGES, PER_CHANNEL
from table import FAULTS, Box, arrays, constant, fault, right, sum_to


def tanh_scale(spoil=lambda d, call: d, keep=lambda x, s, o: (x, s, o), slope=None):
    """`keep` is what Forward saves; `slope` takes it and the call to 1 - tanh^2."""

    class OwnTanh(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, s, o):
            ctx.save_for_backward(*keep(x, s, o))
            return torch.tanh(s * x) + o

        @staticmethod
        def backward(ctx, dy):
            x, s, o = ctx.saved_tensors[:3]
            t = torch.tanh(s * x)
            dt = dy * (slope(ctx.saved_tensors) if slope else 1 - t * t)
            d = [dt * s, sum_to(dt * x, s), sum_to(dy, o)]
            return tuple(spoil(d, {"x": x, "s": s, "o": o, "dy": dy, "t": t}))

    return OwnTanh.apply


def own_tanh(name, spoil, size=IMAGE):
    FAULTS[name] = lambda: (tanh_scale(spoil), arrays(size, PER_CHANNEL, PER_CHANNEL))


@right
def OwnBackwardLayer():
    return tanh_scale(), arrays(IMAGE, PER_CHANNEL, PER_CHANNEL)


def throws(d, c):
    raise RuntimeError("Two dims are expected.")


def without_last(x, dim):
    n = x.shape[dim]
    return torch.cat([x.narrow(dim, 0, n - 1), 0 * x.narrow(dim, n - 1, 1)], dim)


own_tanh("WrongSign", lambda d, c: [-d[0], d[1], d[2]])
own_tanh("WrongFactor", lambda d, c: [d[0], 2 * d[1], d[2]])
own_tanh("MeanForSum", lambda d, c: [d[0], d[1], d[2] / c["x"].shape[0]])
own_tanh("SwappedLearnables", lambda d, c: [d[0], d[2], d[1]])
own_tanh("MissingChainRule", lambda d, c: [c["dy"] * c["s"], d[1], d[2]])
own_tanh("MissingInnerDerivative", lambda d, c: [c["dy"] * (1 - c["t"] ** 2), d[1], d[2]])
own_tanh(
    "UsesOutputForTanh",
    lambda d, c: [c["dy"] * (1 - (c["t"] + c["o"]) ** 2) * c["s"], d[1], d[2]],
)
own_tanh("SquareForgotten", lambda d, c: [c["dy"] * (1 - c["t"]) * c["s"], d[1], d[2]])
own_tanh("AddsDecay", lambda d, c: [d[0], d[1] + 0.001 * c["s"], d[2]])
own_tanh("ZeroDerivative", lambda d, c: [d[0], torch.zeros_like(d[1]), d[2]])
own_tanh("UnsetDerivative", lambda d, c: [d[0], d[1], None])
own_tanh("ForgottenReduction", lambda d, c: [d[0], d[1], c["dy"]])
own_tanh("ReducesAllDims", lambda d, c: [d[0], d[1].sum(), d[2]])
own_tanh("ReducesTheWrongDim", lambda d, c: [d[0], d[1], c["dy"].sum(1, keepdim=True)])
own_tanh("SingleDerivative", lambda d, c: [d[0].float(), d[1], d[2]])
own_tanh("BackwardThrows", throws)
own_tanh("ForgetsBorder", lambda d, c: [without_last(d[0], 2), d[1], d[2]])
own_tanh(
    "CutsOffObservations",
    lambda d, c: [without_last(d[0], 0) if len(d[0]) >= 8 else d[0], d[1], d[2]],
    MANY_IMAGES,
)
own_tanh("ClipsDerivative", lambda d, c: [d[0], d[1].clamp(-0.125, 0.125), d[2]])


class OwnTwoInputs(torch.autograd.Function):
    """y = gain a - b^2."""

    @staticmethod
    def forward(ctx, a, b, gain):
        ctx.save_for_backward(a, b, gain)
        return gain * a - b * b

    @staticmethod
    def backward(ctx, dy):
        a, b, gain = ctx.saved_tensors
        return gain * dy, -2 * b * dy, sum_to(a * dy, gain)


class OwnSwapped(OwnTwoInputs):
    @staticmethod
    def backward(ctx, dy):
        da, db, dgain = OwnTwoInputs.backward(ctx, dy)
        return db, da, dgain


class OwnSame(OwnTwoInputs):
    @staticmethod
    def backward(ctx, dy):
        da, _, dgain = OwnTwoInputs.backward(ctx, dy)
        return da, da, dgain


@right
def OwnBackwardTwoInputsLayer():
    return OwnTwoInputs.apply, arrays(IMAGE, IMAGE, (1,))


@fault
def SwappedInputs():
    return OwnSwapped.apply, arrays(IMAGE, IMAGE, (1,))


@fault
def SameForBothInputs():
    return OwnSame.apply, arrays(IMAGE, IMAGE, (1,))


# --- What Forward hands to Backward ---------------------------------------------------------------


def memory(name, keep, slope):
    FAULTS[name] = lambda: (
        tanh_scale(keep=keep, slope=slope()),
        arrays(IMAGE, PER_CHANNEL, PER_CHANNEL),
    )


def stale():
    box = Box()

    def keep(x, s, o):
        box.value = torch.tanh(s * x)
        return x, s, o

    return keep, lambda saved: 1 - box.value**2


@fault
def StaleMemory():
    keep, slope = stale()
    return tanh_scale(keep=keep, slope=slope), arrays(IMAGE, PER_CHANNEL, PER_CHANNEL)


def first_slope():
    box = Box()

    def slope(saved):
        x, s, _ = saved
        if box.value is None:
            box.value = 1 - torch.tanh(s * x) ** 2
        return box.value

    return slope


def used_up():
    box = Box()

    def slope(saved):
        x, s, _ = saved
        if box.value is not None:
            return torch.ones_like(x)
        box.value = True
        return 1 - torch.tanh(s * x) ** 2

    return slope


KEEP = lambda x, s, o: (x, s, o)
memory("FirstMemory", KEEP, first_slope)
memory("KeepsWrongValue", KEEP, lambda: lambda saved: 1 - (saved[1] * saved[0]) ** 2)
memory(
    "KeepsSingle",
    lambda x, s, o: (x, s, o, torch.round(torch.tanh(s * x) * 256) / 256),
    lambda: lambda saved: 1 - saved[3] ** 2,
)
memory(
    "RecomputesWithoutOffset",
    KEEP,
    lambda: lambda saved: 1 - (torch.tanh(saved[1] * saved[0]) + saved[2]) ** 2,
)
memory(
    "SwappedMemory",
    KEEP,
    lambda: lambda saved: 1 - (1 - torch.tanh(saved[1] * saved[0]) ** 2) ** 2,
)
memory("MemoryTooShort", KEEP, lambda: lambda saved: saved[3])
memory("MemoryUsedUp", KEEP, used_up)

# --- Derivatives lost on their way ----------------------------------------------------------------


def tanh_plain(x, s, o):
    return torch.tanh(s * x) + o


def plain(name, function, *sizes):
    sizes = sizes or (IMAGE, PER_CHANNEL, PER_CHANNEL)
    FAULTS[name] = lambda: (function, arrays(*sizes))


def under_no_gradient(x, s, o):
    with torch.no_grad():
        return tanh_plain(x, s, o)


def norm_under_no_gradient(x, s, o):
    y = tanh_plain(x, s, o)
    with torch.no_grad():
        norm = torch.sqrt((y * y).sum((1, 2, 3), keepdim=True) + 1e-3)
    return y / norm


class OwnDouble(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, dy):
        return 3 * dy


class OwnDoubleOfWrongSize(OwnDouble):
    @staticmethod
    def backward(ctx, dy):
        return dy.sum()


START = arrays(PER_CHANNEL)[0].detach()

plain("DetachedLearnable", lambda x, s, o: torch.tanh(constant(s) * x) + o)
plain("DetachedInput", lambda x, s, o: torch.tanh(s * constant(x)) + o)
plain("PartlyDetached", lambda x, s, o: tanh_plain(x, s, o) + constant(s * x))
plain("ReadsValue", lambda x, s, o: torch.tanh(s * x) * s.mean().item() + o)
plain("UnderNoGradient", under_no_gradient)
plain("NormUnderNoGradient", norm_under_no_gradient)
plain("UsesCopyOfLearnable", lambda x, s, o: torch.tanh(START * x) + o)
plain("OperationWithWrongFactor", lambda x, s, o: OwnDouble.apply(s * x) + o)
plain("OperationWithWrongSize", lambda x, s, o: OwnDoubleOfWrongSize.apply(s * x) + o)
plain("Stairs", lambda x, s, o: torch.round(8 * s * x) + o)
plain("FineStairs", lambda x, s, o: torch.round(s * x * 1e8) + o)
plain("Rough", lambda x, s, o: s * x + o + torch.abs(torch.remainder(1e8 * s * x, 1) - 0.5))
