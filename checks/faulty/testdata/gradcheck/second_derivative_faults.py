"""First derivatives are right, and cannot be differentiated again."""

import torch

from table import FAULTS, IMAGE, PER_CHANNEL, arrays, constant, sum_to

TANH = (IMAGE, PER_CHANNEL, PER_CHANNEL)


def twice(name, backward, keep=lambda x, s, o: (x, s, o)):
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, s, o):
            ctx.save_for_backward(*keep(x, s, o))
            return torch.tanh(s * x) + o

        @staticmethod
        def backward(ctx, dy):
            return backward(dy, *ctx.saved_tensors)

    FAULTS[name] = lambda: (Own.apply, arrays(*TANH))


def derivatives(dy, x, s, o, t=None):
    t = torch.tanh(s * x) if t is None else t
    dt = dy * (1 - t * t)
    return dt * s, sum_to(dt * x, s), sum_to(dy, o)


def without_gradient(dy, x, s, o):
    with torch.no_grad():
        return derivatives(dy, x, s, o)


twice("SlopeIsConstant", lambda dy, x, s, o: derivatives(dy, x, s, o, constant(torch.tanh(s * x))))
twice("BackwardUnderNoGradient", without_gradient)
twice("InputIsConstantInBackward", lambda dy, x, s, o: derivatives(dy, constant(x), s, o))
twice("LearnableIsConstantInBackward", lambda dy, x, s, o: derivatives(dy, x, constant(s), o))
twice("OutputDerivativeIsConstantInBackward", lambda dy, x, s, o: derivatives(constant(dy), x, s, o))
twice("MemoryIsConstant", derivatives, keep=lambda x, s, o: (x, s, o, torch.tanh(s * x)))


def cube(name, slope):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z):
            ctx.save_for_backward(z)
            return z**3

        @staticmethod
        def backward(ctx, dy):
            return slope(*ctx.saved_tensors, dy)

    FAULTS[name] = lambda: (lambda x, s, o: Cube.apply(s * x) + o, arrays(*TANH))


def cube_without_gradient(z, dy):
    with torch.no_grad():
        return 3 * z**2 * dy


cube("CubeOfConstant", lambda z, dy: 3 * constant(z) ** 2 * dy)
cube("CubeUnderNoGradient", cube_without_gradient)
