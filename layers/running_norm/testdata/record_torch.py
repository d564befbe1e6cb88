"""Records what torch.nn.BatchNorm gives without scale and shift, in double.

Run: python3 record_torch.py  (needs torch; writes torch.json beside itself)

For each format three training calls with other data, then one call in evaluation mode. Of each:
the input x, the output y, a weight g for each element of y, dL/dx of L = sum(g * y), and the two
running statistics after the call. Arrays are written as Lamina holds them: dims in the order
S C B T, column-major.
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
torch.manual_seed(20240911)

# PyTorch's order of dims -> Lamina's.
CASES = {
    "CB": (torch.nn.BatchNorm1d, (7, 3), (1, 0)),
    "SSCB": (torch.nn.BatchNorm2d, (4, 3, 5, 2), (2, 3, 1, 0)),
    "CBT": (torch.nn.BatchNorm1d, (4, 3, 6), (1, 0, 2)),
}


def written(t, order):
    t = t.detach().permute(order)
    values = t.permute(tuple(reversed(range(t.dim())))).reshape(-1).tolist()
    return {"sizes": list(t.shape), "values": values}


def draw(sizes):
    """With three decimals, so that the file stays short; each channel with its own mean and scale."""
    channel = torch.arange(1.0, sizes[1] + 1).reshape(1, -1, *[1] * (len(sizes) - 2))
    return (torch.randn(sizes) * channel + 2 - channel).mul(1000).round().div(1000)


def record(module, sizes, order):
    norm = module(sizes[1], eps=1e-5, momentum=0.1, affine=False)
    calls = []
    for training in (True, True, True, False):
        norm.train(training)
        x = draw(sizes).requires_grad_()
        y = norm(x)
        g = draw(sizes)
        (y * g).sum().backward()
        calls.append({
            "training": training,
            "x": written(x, order),
            "y": written(y, order),
            "g": written(g, order),
            "dx": written(x.grad, order),
            "mean": norm.running_mean.tolist(),
            "variance": norm.running_var.tolist(),
        })
    return calls


recorded = {"torch": torch.__version__,
            "cases": {name: record(*case) for name, case in CASES.items()}}
path = pathlib.Path(__file__).with_name("torch.json")
path.write_text(json.dumps(recorded, indent=None, separators=(",", ":")).replace('{"training"',
                '\n{"training"') + "\n", encoding="utf-8")
