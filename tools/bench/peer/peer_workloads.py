"""The workloads of //tools/bench in PyTorch eager, set up as well as a good user would.

    python -m tools.bench.peer.peer_workloads [--benchmark NAME]

Prints JSON: {"version", "blas", "threads", "results": {name: {"first_ms", "median_ms",
"peak_memory_bytes", "variant", "runs"}}}. Sizes and labels are those of tools/bench/README.md; PyTorch
has images as batch, channels, height, width.
"""

import argparse
import dataclasses
import json
import os
import re
import sys
from collections.abc import Callable

import torch
from torch import nn

from tools.bench.peer.measure import best_timing

Step = Callable[[], object]
Variants = dict[str, Callable[[], Step]]

_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
_ADAMS = {"foreach": {"foreach": True}, "fused": {"fused": True}, "loop": {"foreach": False}}


def _adams() -> dict[str, dict[str, bool]]:
    """The implementations of Adam that this PyTorch has on the CPU."""
    found = {}
    for name, options in _ADAMS.items():
        parameter = torch.zeros(1, requires_grad=True)
        parameter.grad = torch.zeros(1)
        try:
            torch.optim.Adam([parameter], **options).step()
        except (RuntimeError, TypeError):  # Older ones have the fused one on GPUs only.
            continue
        found[name] = options
    return found


def _srelu(x: torch.Tensor, left_slope: torch.Tensor, right_slope: torch.Tensor,
           left_threshold: torch.Tensor, right_threshold: torch.Tensor) -> torch.Tensor:
    return torch.where(
        x <= left_threshold, left_threshold + left_slope * (x - left_threshold),
        torch.where(x < right_threshold, x, right_threshold + right_slope * (x - right_threshold)))


def srelu_grad() -> Variants:
    """[24 24 20 128] "SSCB": output, gradients of X and of the four parameters of each channel."""

    def make(memory_format: torch.memory_format) -> Step:
        x = torch.randn(128, 20, 24, 24).to(memory_format=memory_format).requires_grad_()
        parameters = [torch.rand(1, 20, 1, 1, requires_grad=True) for _ in range(4)]
        output_gradient = torch.randn(128, 20, 24, 24).to(memory_format=memory_format)
        return lambda: torch.autograd.grad(_srelu(x, *parameters), [x, *parameters],
                                           grad_outputs=output_gradient)

    return {name: lambda value=value: make(value) for name, value in _FORMATS.items()}


def _train(model: nn.Module, loss: nn.Module, x: torch.Tensor, target: torch.Tensor,
           adam: dict[str, bool]) -> Step:
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, **adam)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss(model(x), target).backward()
        optimizer.step()

    return step


def mnist_cnn_adam() -> Variants:
    """One training step of a small convolutional network on 128 images of 28x28x1."""

    def make(memory_format: torch.memory_format, adam: dict[str, bool]) -> Step:
        model = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
            nn.Flatten(), nn.Linear(32 * 7 * 7, 10)).to(memory_format=memory_format)
        x = torch.randn(128, 1, 28, 28).to(memory_format=memory_format)
        return _train(model, nn.CrossEntropyLoss(), x, torch.randint(0, 10, (128,)), adam)

    return {f"{format_name}, {adam_name}": lambda value=value, adam=adam: make(value, adam)
            for format_name, value in _FORMATS.items() for adam_name, adam in _adams().items()}


def mlp_tiny_adam() -> Variants:
    """One training step of a 16-32-1 perceptron on 8 observations."""

    def make(adam: dict[str, bool]) -> Step:
        model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(inplace=True), nn.Linear(32, 1))
        return _train(model, nn.MSELoss(), torch.randn(8, 16), torch.randn(8, 1), adam)

    return {name: lambda adam=adam: make(adam) for name, adam in _adams().items()}


def gemm_1024() -> Variants:
    """The product of two 1024x1024 matrices."""

    def make(reuse: bool) -> Step:
        a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
        if not reuse:
            return lambda: torch.mm(a, b)
        out = torch.empty(1024, 1024)
        return lambda: torch.mm(a, b, out=out)

    return {"new output": lambda: make(False), "same output": lambda: make(True)}


def conv_64_28_fwd() -> Variants:
    """A 3x3 convolution from 64 to 64 channels over 32 images of 28x28, forward only."""

    def make(memory_format: torch.memory_format) -> Step:
        conv = nn.Conv2d(64, 64, 3, padding=1).eval().to(memory_format=memory_format)
        x = torch.randn(32, 64, 28, 28).to(memory_format=memory_format)

        def step() -> torch.Tensor:
            with torch.inference_mode():
                return conv(x)

        return step

    return {name: lambda value=value: make(value) for name, value in _FORMATS.items()}


WORKLOADS: dict[str, Callable[[], Variants]] = {
    function.__name__: function
    for function in (srelu_grad, mnist_cnn_adam, mlp_tiny_adam, gemm_1024, conv_64_28_fwd)}


def blas_name() -> str:
    """The BLAS and the oneDNN that this PyTorch was built with."""
    configuration = torch.__config__.show()
    blas = re.search(r"BLAS_INFO=(\w+)", configuration)
    parts = [blas[1] if blas else "unknown BLAS"]
    for pattern, name in ((r"Math Kernel Library Version ([\w.-]+)", "MKL"),
                          (r"MKL-DNN v([\w.]+)", "oneDNN")):
        if version := re.search(pattern, configuration):
            parts.append(f"{name} {version[1]}")
    return ", ".join(parts)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--benchmark", choices=WORKLOADS, help="this workload alone")
    options = parser.parse_args(arguments)
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    names = [options.benchmark] if options.benchmark else list(WORKLOADS)
    results = {name: dataclasses.asdict(best_timing(WORKLOADS[name]())) for name in names}
    print(json.dumps({"version": torch.__version__, "blas": blas_name(), "threads": threads,
                      "results": results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
