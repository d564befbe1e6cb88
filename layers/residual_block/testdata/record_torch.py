"""Records what PyTorch computes for the residual blocks: values, derivatives, states, in double.

Run: python3 record_torch.py  (needs torch; writes torch.json beside itself)

Each case is a block with its parameters, an input x, and a weight g for each element of y; of
L = sum(g * y) in training the derivatives with respect to x and all parameters; and y of training
and of prediction. Arrays are written as Lamina holds them, column-major: pictures as H W C N,
filters as H W C F. A convolution with padding "same" and stride 2 has the odd zero at the end.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)
torch.manual_seed(20261126)


def rand(*sizes, low=-1.0, high=1.0):
    """Numbers with three decimals, so that the file stays short; exact in both languages."""
    return (torch.rand(*sizes) * (high - low) + low).mul(1000).round().div(1000)


def same(x, w, b, stride):
    """A convolution of which ceil(size / stride) positions remain."""
    pads = []
    for size, kernel in zip(reversed(x.shape[2:]), reversed(w.shape[2:])):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        pads += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pads), w, b, stride=stride)


def written(t):
    t = t.detach()
    if t.dim() == 4:
        t = t.permute(2, 3, 1, 0)  # N C H W or F C H W.
    values = t.permute(list(reversed(range(t.dim())))).reshape(-1).tolist()
    return {"sizes": list(t.shape), "values": values}


def case(name, height, width, channels, filters, observations, norm, stride=1, skip=False):
    p = {
        "Network/convolution2d/Weights": rand(filters, channels, 3, 3),
        "Network/convolution2d/Bias": rand(filters),
        f"Network/{norm}normalization/Offset": rand(filters),
        f"Network/{norm}normalization/Scale": rand(filters, low=0.5, high=1.5),
        "Network/convolution2d_2/Weights": rand(filters, filters, 3, 3),
        "Network/convolution2d_2/Bias": rand(filters),
        f"Network/{norm}normalization_2/Offset": rand(filters),
        f"Network/{norm}normalization_2/Scale": rand(filters, low=0.5, high=1.5),
    }
    if skip:
        p["Skip/convolution2d/Weights"] = rand(filters, channels, 1, 1)
        p["Skip/convolution2d/Bias"] = rand(filters)
    x = rand(observations, channels, height, width)
    for t in [x, *p.values()]:
        t.requires_grad_(True)
    states = {}
    if norm == "batch":
        for i in ["", "_2"]:
            states[f"Network/batchnormalization{i}/TrainedMean"] = rand(filters)
            states[f"Network/batchnormalization{i}/TrainedVariance"] = rand(
                filters, low=0.5, high=1.5)
    before = {key: value.clone() for key, value in states.items()}

    def normalized(t, which, training):
        layer = f"Network/{norm}normalization{which}"
        scale, offset = p[f"{layer}/Scale"], p[f"{layer}/Offset"]
        if norm == "group":
            return F.group_norm(t, 1, scale, offset, 1e-5)
        return F.batch_norm(t, states[f"{layer}/TrainedMean"], states[f"{layer}/TrainedVariance"],
                            scale, offset, training, 0.1, 1e-5)

    def block(training):
        t = same(x, p["Network/convolution2d/Weights"], p["Network/convolution2d/Bias"], stride)
        t = F.relu(normalized(t, "", training))
        t = same(t, p["Network/convolution2d_2/Weights"], p["Network/convolution2d_2/Bias"], 1)
        t = normalized(t, "_2", training)
        s = same(x, p["Skip/convolution2d/Weights"], p["Skip/convolution2d/Bias"], stride) \
            if skip else x
        return F.relu(t + s)

    predicted = block(False)
    y = block(True)  # Moves the states.
    g = rand(*y.shape)
    (g * y).sum().backward()
    return name, {
        "filters": filters, "stride": stride, "skip": skip,
        "x": written(x), "g": written(g), "predicted": written(predicted), "trained": written(y),
        "dx": written(x.grad),
        "learnables": {key: written(value) for key, value in p.items()},
        "gradients": {key: written(value.grad) for key, value in p.items()},
        "states": {key: written(value) for key, value in before.items()},
        "new_states": {key: written(value) for key, value in states.items()},
    }


cases = dict([
    case("group", 4, 3, 2, 2, 2, "group"),
    case("group strided", 5, 4, 3, 2, 2, "group", stride=2, skip=True),
    case("batch", 4, 3, 2, 2, 3, "batch"),
    case("batch wider", 3, 4, 2, 3, 2, "batch", skip=True),
])


def lines(value, depth):
    """JSON with a line for each array."""
    if depth == 0 or not isinstance(value, dict) or not value:
        return json.dumps(value)
    inner = ",\n".join(f"{json.dumps(key)}: {lines(v, depth - 1)}" for key, v in value.items())
    return "{\n" + inner + "\n}"


pathlib.Path(__file__).with_name("torch.json").write_text(
    lines({"torch": torch.__version__, "cases": cases}, 4) + "\n", encoding="utf-8")
