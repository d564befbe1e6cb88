"""Workloads that loop over time."""

from collections.abc import Callable, Iterable

import torch
from torch import nn

from tools.bench.peer.workload import (Arrays, Make, Step, Workload, Wrap, leaves, normal,
                                       with_gradients)


def lstm_grad() -> Workload:
    """A long short-term memory, 12 to 100 over 100 steps, batch 32."""
    inputs, hidden, batch, steps = 12, 100, 32, 100

    def variant(data: Arrays, wrap: Wrap) -> Step:
        lstm = nn.LSTM(inputs, hidden).to(data[0].dtype)
        names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
        for name, value in zip(names, data[1:4], strict=True):
            parameter = getattr(lstm, name)
            parameter.data.copy_(value.T.reshape(parameter.shape))
        # It has a second bias, which ours has not: zero, and without a gradient.
        lstm.bias_hh_l0.data.zero_()
        lstm.bias_hh_l0.requires_grad_(False)
        x, = leaves(data[:1])
        learned = [getattr(lstm, name) for name in names]
        forward = wrap(lstm)

        def step() -> Arrays:
            y, _ = forward(x)
            gradients = torch.autograd.grad(y, [x, *learned], grad_outputs=data[4])
            return [y, gradients[0], gradients[1].T, gradients[2].T, gradients[3]]

        return step

    return Workload(
        lambda: [normal(steps, batch, inputs), normal(inputs, 4 * hidden, scale=0.1),
                 normal(hidden, 4 * hidden, scale=0.1), normal(1, 4 * hidden, scale=0.1),
                 normal(steps, batch, hidden)], {"nn.LSTM": variant})


def peephole_lstm_512_grad() -> Workload:
    """A cell of one's own, a peephole LSTM: 12 to 32 over 512 steps, batch 16."""
    inputs, hidden, batch, steps = 12, 32, 16, 512

    def cell(z: torch.Tensor, recurrent: torch.Tensor, peephole: torch.Tensor, h: torch.Tensor,
             c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        zi, zf, zg, zo = torch.addmm(z, h, recurrent).chunk(4, 1)
        pi, pf, po = peephole.chunk(3, 1)
        i, f = torch.sigmoid(zi + pi * c), torch.sigmoid(zf + pf * c)
        c = f * c + i * torch.tanh(zg)
        return torch.sigmoid(zo + po * c) * torch.tanh(c), c

    def variant(data: Arrays, wrap: Wrap) -> Step:
        # A compiler gets one step: the whole loop, written out, takes it many minutes.
        one_step = wrap(cell)

        def forward(x: torch.Tensor, weights: torch.Tensor, recurrent: torch.Tensor,
                    peephole: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
            h = c = x.new_zeros(batch, hidden)
            outputs = []
            for z in (x @ weights + bias).unbind(0):
                h, c = one_step(z, recurrent, peephole, h, c)
                outputs.append(h)
            return torch.stack(outputs)

        return with_gradients(forward, leaves(data[:5]), data[5])

    return Workload(
        lambda: [normal(steps, batch, inputs), normal(inputs, 4 * hidden, scale=0.2),
                 normal(hidden, 4 * hidden, scale=0.1), normal(1, 3 * hidden, scale=0.2),
                 normal(1, 4 * hidden, scale=0.1), normal(steps, batch, hidden)],
        {"loop over steps": variant})


def sliced_steps_512_grad() -> Workload:
    """A plain loop over time, tanh(W h + x): 16 to 16 over 512 steps, batch 32."""
    hidden, batch, steps = 16, 32, 512

    def cell(x: torch.Tensor, recurrent: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        return torch.tanh(torch.addmm(x, h, recurrent))

    def variant_of(parts: Callable[[torch.Tensor], Iterable[torch.Tensor]]) -> Make:

        def variant(data: Arrays, wrap: Wrap) -> Step:
            one_step = wrap(cell)

            def forward(x: torch.Tensor, recurrent: torch.Tensor) -> torch.Tensor:
                h = x.new_zeros(batch, hidden)
                outputs = []
                for part in parts(x):
                    h = one_step(part, recurrent, h)
                    outputs.append(h)
                return torch.stack(outputs)

            return with_gradients(forward, leaves(data[:2]), data[2])

        return variant

    return Workload(
        lambda: [normal(steps, batch, hidden), normal(hidden, hidden, scale=0.1),
                 normal(steps, batch, hidden)],
        {"x[t]": variant_of(lambda x: (x[t] for t in range(steps))),
         "unbind": variant_of(lambda x: x.unbind(0))})
