"""y = x sigmoid(beta x), as an operation with a backward of its own."""

import torch

from table import FAULTS, IMAGE, arrays, right, sum_to


def derivatives(dy, x, beta, s=None):
    s = torch.sigmoid(beta * x) if s is None else s
    slope = s * (1 - s)
    return [dy * (s + beta * x * slope), sum_to(dy * x * x * slope, beta)]


def swish(backward=lambda dy, x, beta, y, kept, needed: derivatives(dy, x, beta)):
    class Swish(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, beta):
            y = x * torch.sigmoid(beta * x)
            ctx.save_for_backward(x, beta, y, torch.sigmoid(x))
            return y

        @staticmethod
        def backward(ctx, dy):
            return tuple(backward(dy, *ctx.saved_tensors, ctx.needs_input_grad))

    return Swish.apply, arrays(IMAGE, (1,))


@right
def SwishLayer():
    return swish()


def function_fault(name, backward):
    FAULTS[name] = lambda: swish(backward)


def spoiled(name, spoil):
    """`spoil` takes the right derivatives and dy, x, beta."""
    function_fault(
        name, lambda dy, x, beta, y, kept, needed: spoil(derivatives(dy, x, beta), dy, x, beta)
    )


def slope(x, beta):
    s = torch.sigmoid(beta * x)
    return s * (1 - s)


spoiled("FunctionForgetsProductRule", lambda d, dy, x, beta: [dy * torch.sigmoid(beta * x), d[1]])
spoiled("FunctionWrongSign", lambda d, dy, x, beta: [d[0], -d[1]])
spoiled(
    "FunctionForgetsFactor",
    lambda d, dy, x, beta: [dy * (torch.sigmoid(beta * x) + x * slope(x, beta)), d[1]],
)
spoiled("FunctionNotSummed", lambda d, dy, x, beta: [d[0], dy * x * x * slope(x, beta)])
spoiled("FunctionLosesLearnable", lambda d, dy, x, beta: [d[0], 0 * d[1]])
spoiled("FunctionIgnoresDerivative", lambda d, dy, x, beta: derivatives(1 + 0 * x, x, beta))
spoiled("FunctionDetaches", lambda d, dy, x, beta: derivatives(dy, x.detach(), beta))
function_fault(
    "FunctionMaskSwapped",
    lambda dy, x, beta, y, kept, needed: (
        [derivatives(dy, x, beta)[0], None] if needed[0] else derivatives(dy, x, beta)
    ),
)
function_fault(
    "FunctionReadsOutput", lambda dy, x, beta, y, kept, needed: derivatives(dy, y, beta)
)
function_fault(
    "FunctionKeepsOther", lambda dy, x, beta, y, kept, needed: derivatives(dy, x, beta, kept)
)
