"""Records what PyTorch computes for the complex fully connected layer: values and gradients.

Run: python3 record_torch.py  (needs torch; writes torch.json beside itself)

Each case has the input x, the weights and the bias, the output y, a weight g for each element of y,
and the gradients of L = Re(sum(conj(g) y)) as PyTorch gives them: dL/dRe + i dL/dIm. Arrays are
column-major; complex numbers are written as re, im, re, im, ...
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
FEATURES, OUTPUTS, OBSERVATIONS = 4, 3, 5


def numbers(generator, *sizes):
    """Numbers with three decimals, so that the file stays short."""
    return (torch.rand(*sizes, generator=generator) * 4 - 2).mul(1000).round().div(1000)


def complex_numbers(generator, *sizes):
    return torch.complex(numbers(generator, *sizes), numbers(generator, *sizes))


def written(t):
    t = t.detach().t().contiguous()
    return (torch.view_as_real(t) if t.is_complex() else t).reshape(-1).tolist()


def case(draw_input):
    generator = torch.Generator().manual_seed(3)
    x = draw_input(generator, FEATURES, OBSERVATIONS).requires_grad_()
    weights = complex_numbers(generator, OUTPUTS, FEATURES).requires_grad_()
    bias = torch.tensor([[0.5], [-2.5], [-0.75]], requires_grad=True)
    g = complex_numbers(generator, OUTPUTS, OBSERVATIONS)
    z = weights @ x.to(weights.dtype)
    y = torch.polar(torch.relu(z.abs() + bias), z.angle())
    (g.conj() * y).sum().real.backward()
    assert 0 < (y == 0).sum() < y.numel()
    return {
        "x": written(x),
        "weights": written(weights),
        "bias": written(bias),
        "g": written(g),
        "y": written(y),
        "dx": written(x.grad),
        "dweights": written(weights.grad),
        "dbias": written(bias.grad),
    }


cases = {"real": case(numbers), "complex": case(complex_numbers)}
lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in cases.items()]
text = "{\n  \"torch\": " + json.dumps(torch.__version__) + ",\n" + ",\n".join(lines) + "\n}\n"
pathlib.Path(__file__).with_name("torch.json").write_text(text)
