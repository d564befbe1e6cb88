"""Workloads that are functions: outputs, and most of them gradients."""

import math
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from tools.bench.peer.workload import (FORMATS, Arrays, Make, Step, Workload, Wrap, as_ours, bind,
                                       leaves, normal, parameters, with_gradients)


def _srelu(x: torch.Tensor, left_slope: torch.Tensor, right_slope: torch.Tensor,
           left_threshold: torch.Tensor, right_threshold: torch.Tensor) -> torch.Tensor:
    return torch.where(
        x <= left_threshold, left_threshold + left_slope * (x - left_threshold),
        torch.where(x < right_threshold, x, right_threshold + right_slope * (x - right_threshold)))


def _srelu_parameters(channels: int) -> Arrays:
    return [torch.rand(channels, 1, 1) for _ in range(4)]


def srelu_grad(batch: int, channels: int, side: int) -> Workload:
    """SReLU on images: gradients of X and of the four parameters of each channel."""

    def make(memory_format: torch.memory_format) -> Make:

        def step(data: Arrays, wrap: Wrap) -> Step:
            x, weights = (a.to(memory_format=memory_format) for a in (data[0], data[-1]))
            return with_gradients(wrap(_srelu), leaves([x, *data[1:-1]]), weights)

        return step

    sizes = (batch, channels, side, side)
    return Workload(lambda: [normal(*sizes), *_srelu_parameters(channels), normal(*sizes)],
                    {name: make(value) for name, value in FORMATS.items()})


def elementwise_chain_grad() -> Workload:
    """GELU by tanh, times a sigmoid of itself, on 4 Mi numbers."""

    def power(x: torch.Tensor) -> torch.Tensor:
        u = 0.5 * x * (1 + torch.tanh(0.79788 * (x + 0.044715 * x**3)))
        return u * torch.sigmoid(1.702 * u) + 0.1 * x

    def product(x: torch.Tensor) -> torch.Tensor:
        u = 0.5 * x * (1 + torch.tanh(0.79788 * (x + 0.044715 * (x * x * x))))
        return u * torch.sigmoid(1.702 * u) + 0.1 * x

    return Workload(
        lambda: [normal(4 << 20), normal(4 << 20)],
        {name: lambda data, wrap, f=f: with_gradients(wrap(f), leaves(data[:1]), data[1])
         for name, f in (("x ** 3", power), ("x * x * x", product))})


def gemm_1024() -> Workload:
    """The product of two 1024x1024 matrices; reversed dims are transposes."""

    def new_output(data: Arrays, wrap: Wrap) -> Step:
        product = wrap(torch.mm)
        return lambda: [product(data[1], data[0])]

    def same_output(data: Arrays, wrap: Wrap) -> Step:
        out = torch.empty_like(data[0])
        product = wrap(lambda a, b: torch.mm(a, b, out=out))
        return lambda: [product(data[1], data[0])]

    return Workload(lambda: [normal(1024, 1024), normal(1024, 1024)],
                    {"new output": new_output, "same output": same_output})


def conv_64_28_fwd() -> Workload:
    """A 3x3 convolution from 64 to 64 channels over 32 images of 28x28, forward only."""

    def make(memory_format: torch.memory_format) -> Make:

        def variant(data: Arrays, wrap: Wrap) -> Step:
            conv = nn.Conv2d(64, 64, 3, padding=1).eval()
            bind(conv, data[1:])
            conv.to(memory_format=memory_format)
            x, forward = data[0].to(memory_format=memory_format), wrap(conv)

            def step() -> Arrays:
                with torch.inference_mode():
                    return [forward(x)]

            return step

        return variant

    return Workload(
        lambda: [normal(32, 64, 28, 28), normal(64, 64, 3, 3, scale=0.05), normal(64)],
        {name: make(value) for name, value in FORMATS.items()})


class _ResidualBlock(nn.Module):

    def __init__(self) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(64, 64, 3, padding=1), nn.GroupNorm(1, 64), nn.ReLU(inplace=True),
            nn.Conv2d(64, 64, 3, padding=1), nn.GroupNorm(1, 64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.residual(x) + x, inplace=True)


def residual_block_grad() -> Workload:
    """A residual block of 64 channels on 32 images of 28x28."""

    def make(memory_format: torch.memory_format) -> Make:

        def variant(data: Arrays, wrap: Wrap) -> Step:
            block = _ResidualBlock()
            bind(block, data[1:-1])
            block.to(memory_format=memory_format)
            x, weights = (a.to(memory_format=memory_format) for a in (data[0], data[-1]))
            x = x.clone().requires_grad_()
            learned = [getattr(module, name) for module, name in parameters(block)]
            forward = wrap(block)

            def step() -> Arrays:
                y = forward(x)
                return [y, *torch.autograd.grad(y, [x, *learned], grad_outputs=weights)]

            return step

        return variant

    def data() -> Arrays:
        block = _ResidualBlock()
        learned = [as_ours(module, name, getattr(module, name).detach())
                   for module, name in parameters(block)]
        return [normal(32, 64, 28, 28), *learned, normal(32, 64, 28, 28)]

    return Workload(data, {name: make(value) for name, value in FORMATS.items()})


def attention_grad() -> Workload:
    """Self-attention of width 256 with 8 heads over 512 tokens, batch 4, with its projections."""
    width, heads, tokens, batch = 256, 8, 512, 4

    def explicit(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        scores = (q / math.sqrt(q.shape[-1])) @ k.transpose(-1, -2)
        return torch.softmax(scores, -1) @ v

    def variant(
            data: Arrays, wrap: Wrap,
            attend: Callable[..., torch.Tensor] = functional.scaled_dot_product_attention) -> Step:
        x, qkv_weights, qkv_bias, weights, bias = leaves(
            [data[0], data[1].T, data[2].reshape(-1), data[3].T, data[4].reshape(-1)])

        def forward(x: torch.Tensor, qkv_weights: torch.Tensor, qkv_bias: torch.Tensor,
                    weights: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
            qkv = functional.linear(x, qkv_weights, qkv_bias)
            q, k, v = (part.view(tokens, batch, heads, -1).permute(1, 2, 0, 3)
                       for part in qkv.chunk(3, -1))
            joined = attend(q, k, v).permute(2, 0, 1, 3).reshape(tokens, batch, width)
            return functional.linear(joined, weights, bias)

        run = with_gradients(wrap(forward), [x, qkv_weights, qkv_bias, weights, bias], data[5])

        def step() -> Arrays:
            return [values.T if values.dim() == 2 else values for values in run()]

        return step

    scale = 1 / math.sqrt(width)
    return Workload(
        lambda: [normal(tokens, batch, width), normal(width, 3 * width, scale=scale),
                 normal(3 * width), normal(width, width, scale=scale), normal(width),
                 normal(tokens, batch, width)],
        {"scaled_dot_product_attention": variant,
         "softmax and products": lambda data, wrap: variant(data, wrap, explicit)})


def gradcheck_srelu() -> Workload:
    """torch.autograd.gradcheck of SReLU in double: every element by itself."""

    def variant(data: Arrays, wrap: Wrap) -> Step:
        function, inputs = wrap(_srelu), leaves([a.double() for a in data])
        return lambda: torch.autograd.gradcheck(function, inputs)

    return Workload(lambda: [normal(2, 4, 5, 5), *_srelu_parameters(4)], {"gradcheck": variant},
                    has_outputs=False)


def add_16_x1000(taped: bool) -> Workload:
    """1000 additions of 16 numbers, one after another: a millisecond is a microsecond for one."""

    def variant(data: Arrays, _: Wrap) -> Step:
        start, y = (a.requires_grad_(taped) for a in data)

        def step() -> Arrays:
            x = start
            for _ in range(1000):
                x = x + y
            return [x]

        return step

    return Workload(lambda: [normal(16), normal(16)], {"": variant},
                    not_compiled="what is timed is the way of one eager op")
