"""The faults of derivatives, written for PyTorch: by name, a function and its arguments.

Each does what the layer of the same name in checks/faulty/*_faults.cc does, in the way in which
PyTorch has it: an own Backward is a torch.autograd.Function, ExtractData is detach, At is item. The
sizes are those of the layouts there. record_gradcheck.py runs them.
"""

import torch

FAULTS = {}  # name: () -> (function, arguments)
RIGHT = {}  # the same for what they were made from

IMAGE = (5, 2, 3, 4)  # observations, channels, width, height
MANY_IMAGES = (40, 2, 3, 4)
PER_CHANNEL = (1, 2, 1, 1)


def fault(make):
    FAULTS[make.__name__] = make
    return make


def right(make):
    RIGHT[make.__name__] = make
    return make


def arrays(*sizes, dtype=torch.double):
    """Values in [-1, 1) that are to be differentiated by; the same ones in each call."""
    generator = torch.Generator().manual_seed(0)

    def draw(size):
        return torch.rand(size, generator=generator, dtype=torch.double) * 2 - 1

    def one(size):
        return torch.complex(draw(size), draw(size)) if dtype.is_complex else draw(size)

    return [one(size).requires_grad_() for size in sizes]


def constant(x):
    return x.detach()


def sum_to(x, like):
    return x.sum_to_size(like.shape)


class Box:
    """What a layer keeps in a mutable member."""

    value = None
