"""What a workload of the peer is: data, and ways to make a step of it.

The arrays of a workload stand in the order of //tools/bench's own, with their dims reversed: its
first dim is the fastest, PyTorch's the last. So images are batch, channels, width, height, sequences
are steps, batch, channels, and a matrix is the transpose of ours.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Arrays = list[torch.Tensor]
# Returns the outputs, in our order; a training step a function that returns them.
Step = Callable[[], Any]
# The function itself, or torch.compile of it.
Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]
Make = Callable[[Arrays, Wrap], Step]

FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}

# The parameters of a module in our order.
_PARAMETERS: dict[type[nn.Module], tuple[str, ...]] = {
    nn.Conv2d: ("weight", "bias"), nn.Linear: ("weight", "bias"),
    nn.BatchNorm2d: ("bias", "weight"), nn.GroupNorm: ("bias", "weight")}


@dataclasses.dataclass(frozen=True)
class Workload:
    """`variants` are ways in which a good user of the peer might set it up."""

    data: Callable[[], Arrays]
    variants: dict[str, Make]
    # Why there is no compiled one; empty where there is.
    not_compiled: str = ""
    # False where both sides give a verdict and no numbers.
    has_outputs: bool = True
    # What outputs in double may differ by, in parts of the largest number of each.
    tolerance: float = 1e-11
    # The numbers of the outputs that would be 0 without rounding.
    vanishing: frozenset[int] = frozenset()


def normal(*sizes: int, scale: float = 1.0) -> torch.Tensor:
    """Normally distributed numbers in single."""
    return scale * torch.randn(*sizes)


def leaves(arrays: Arrays) -> Arrays:
    """Arrays of their own that gradients are wanted of."""
    return [a.detach().clone().requires_grad_() for a in arrays]


def with_gradients(function: Callable[..., torch.Tensor], inputs: Arrays,
                   weights: torch.Tensor) -> Step:
    """y = function(*inputs), and the gradients of sum(weights * y) of each input."""

    def step() -> Arrays:
        y = function(*inputs)
        return [y, *torch.autograd.grad(y, inputs, grad_outputs=weights)]

    return step


def parameters(model: nn.Module) -> list[tuple[nn.Module, str]]:
    """Where the parameters of the model stand, in our order."""
    return [(module, name) for module in model.modules()
            for name in _PARAMETERS.get(type(module), ())]


def as_ours(module: nn.Module, name: str, values: torch.Tensor) -> torch.Tensor:
    """Values of a parameter in our sizes; takes ours to the peer's too."""
    return values.T if isinstance(module, nn.Linear) and name == "weight" else values


def states(model: nn.Module) -> Arrays:
    """The running means and variances, in our order."""
    return [state for module in model.modules() if isinstance(module, nn.BatchNorm2d)
            for state in (module.running_mean, module.running_var) if state is not None]


def bind(model: nn.Module, values: Arrays) -> None:
    """Sets the parameters of the model, and its type."""
    model.to(values[0].dtype)
    for (module, name), value in zip(parameters(model), values, strict=True):
        parameter = getattr(module, name)
        parameter.data = as_ours(module, name, value).reshape(parameter.shape).clone()
