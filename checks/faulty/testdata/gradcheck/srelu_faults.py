"""SReLU, with a derivative of its own and with one that is taken."""

import torch

from table import FAULTS, IMAGE, PER_CHANNEL, Box, arrays, constant, fault, right, sum_to

SRELU = (IMAGE, PER_CHANNEL, PER_CHANNEL, PER_CHANNEL, PER_CHANNEL)


def srelu_arrays():
    x, a, b, s, t = arrays(*SRELU)
    positive = lambda p: ((p.detach() + 1) / 2).requires_grad_()
    return [x, positive(a), positive(b), positive(s), positive(t)]


def srelu(x, a, b, s, t):
    """Left and right slope a and b, left and right threshold s and t."""
    return torch.where(x <= s, s + a * (x - s), torch.where(x < t, x, t + b * (x - t)))


def element_by_element(x, a, b, s, t):
    y = srelu(x, a, b, s, t)
    out = torch.zeros_like(y)
    for i in range(y.numel()):
        out.view(-1)[i] = y.view(-1)[i].item()
    return out


def srelu_fault(name, function):
    FAULTS[name] = lambda: (function, srelu_arrays())


srelu_fault("LoopOverElements", element_by_element)
srelu_fault("DetachedSlope", lambda x, a, b, s, t: srelu(x, a, constant(b), s, t))
srelu_fault("RoundedThreshold", lambda x, a, b, s, t: srelu(x, a, b, torch.round(s * 64) / 64, t))


def own_srelu(spoil=lambda d, c: d, masks=lambda x, a, b, s, t: (x <= s, x < t), forward=srelu):
    class OwnSRelu(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, a, b, s, t):
            ctx.save_for_backward(x, a, b, s, t)
            ctx.masks = masks(x, a, b, s, t)
            return forward(x, a, b, s, t)

        @staticmethod
        def backward(ctx, dy):
            x, a, b, s, t = ctx.saved_tensors
            left, middle = ctx.masks() if callable(ctx.masks) else ctx.masks
            zero = torch.zeros_like(dy)
            to_left = torch.where(left, dy, zero)
            to_right = torch.where(left | middle, zero, dy)
            d = [
                torch.where(left, a * dy, torch.where(middle, dy, b * dy)),
                sum_to(to_left * (x - s), a),
                sum_to(to_right * (x - t), b),
                sum_to(to_left * (1 - a), s),
                sum_to(to_right * (1 - b), t),
            ]
            call = dict(x=x, a=a, b=b, s=s, t=t, dy=dy, left=left, middle=middle)
            return tuple(spoil(d, dict(call, to_left=to_left, to_right=to_right)))

    return OwnSRelu.apply


@right
def SReluBackwardLayer():
    return own_srelu(), srelu_arrays()


def spoiled(index, value):
    def spoil(d, c):
        d = list(d)
        d[index] = value(d, c)
        return d

    return spoil


def own_srelu_fault(name, spoil):
    FAULTS[name] = lambda: (own_srelu(spoil), srelu_arrays())


own_srelu_fault("SlopesSwapped", lambda d, c: [d[0], d[2], d[1], d[3], d[4]])
own_srelu_fault("ThresholdsSwapped", lambda d, c: [d[0], d[1], d[2], d[4], d[3]])
own_srelu_fault(
    "LeftRightSlopeInX",
    spoiled(
        0,
        lambda d, c: torch.where(
            c["left"], c["b"] * c["dy"], torch.where(c["middle"], c["dy"], c["a"] * c["dy"])
        ),
    ),
)
own_srelu_fault(
    "MiddleForgotten",
    spoiled(0, lambda d, c: torch.where(c["left"], c["a"] * c["dy"], c["b"] * c["dy"])),
)
own_srelu_fault(
    "SlopeWithoutThreshold", spoiled(1, lambda d, c: sum_to(c["to_left"] * c["x"], c["a"]))
)
own_srelu_fault("SlopeOfThresholdMinusX", spoiled(2, lambda d, c: -d[2]))
own_srelu_fault("ThresholdForgetsSlope", spoiled(3, lambda d, c: sum_to(c["to_left"], c["s"])))
own_srelu_fault(
    "ThresholdForgetsOne", spoiled(4, lambda d, c: sum_to(-c["to_right"] * c["b"], c["t"]))
)
own_srelu_fault("ThresholdIsConstant", spoiled(3, lambda d, c: torch.zeros_like(d[3])))
own_srelu_fault(
    "RightMaskOfLeft", spoiled(2, lambda d, c: sum_to(c["to_left"] * (c["x"] - c["t"]), c["b"]))
)
own_srelu_fault(
    "MiddleCountsAsRight",
    spoiled(
        2,
        lambda d, c: sum_to(
            torch.where(c["left"], torch.zeros_like(c["dy"]), c["dy"]) * (c["x"] - c["t"]), c["b"]
        ),
    ),
)
own_srelu_fault("SlopeNotSummed", spoiled(1, lambda d, c: c["to_left"] * (c["x"] - c["s"])))
own_srelu_fault("SlopeSummedOverChannels", spoiled(2, lambda d, c: d[2].sum()))
own_srelu_fault("SlopeAveraged", spoiled(1, lambda d, c: d[1] / 12))
own_srelu_fault(
    "DerivativeOfFirstObservation",
    spoiled(4, lambda d, c: sum_to((c["to_right"] * (1 - c["b"]))[:1], c["t"])),
)
own_srelu_fault("DoubleDerivatives", spoiled(0, lambda d, c: d[0].double()))
own_srelu_fault("SingleSlope", spoiled(2, lambda d, c: d[2].float()))
own_srelu_fault("DerivativeOfXLost", spoiled(0, lambda d, c: torch.zeros_like(d[0])))
own_srelu_fault(
    "DerivativeOfReluInstead",
    spoiled(0, lambda d, c: torch.where(c["x"] > 0, c["dy"], torch.zeros_like(c["dy"]))),
)
own_srelu_fault("FourDerivatives", lambda d, c: d[:4])
own_srelu_fault("DerivativeOfInputLast", lambda d, c: d[1:] + d[:1])


@fault
def MasksSwapped():
    return own_srelu(masks=lambda x, a, b, s, t: (x < t, x <= s)), srelu_arrays()


@fault
def MasksOfOutput():
    def masks(x, a, b, s, t):
        y = srelu(x, a, b, s, t)
        return y <= a, y < t

    return own_srelu(masks=masks), srelu_arrays()


@fault
def MasksInMembers():
    box = Box()

    def masks(x, a, b, s, t):
        box.value = (x <= s, x < t)
        return lambda: box.value

    return own_srelu(masks=masks), srelu_arrays()


@fault
def ForwardIsRelu():
    return own_srelu(forward=lambda x, a, b, s, t: torch.relu(x)), srelu_arrays()
