"""Records what the solvers of PyTorch do to some parameters, step by step, in double.

Run: python3 record_torch.py  (needs torch; writes torch_solvers.json beside itself)

Each case has the settings of the solver, the parameters at first, and for each step the gradients
given and the parameters after it. Complex numbers are written as re, im, re, im, ...
"""

import json
import pathlib

import torch

torch.set_default_dtype(torch.float64)
STEPS = 5


def numbers(n, generator):
    """Numbers with three decimals, so that the file stays short."""
    return (torch.rand(n, generator=generator) * 4 - 2).mul(1000).round().div(1000)


def written(tensor):
    t = tensor.detach()
    return (torch.view_as_real(t).reshape(-1) if t.is_complex() else t).tolist()


def case(make, is_complex=False, **settings):
    generator = torch.Generator().manual_seed(7)

    def draw():
        v = numbers(8, generator)
        return torch.view_as_complex(v.reshape(4, 2).clone()) if is_complex else v

    w = torch.nn.Parameter(draw())
    result = {"settings": settings, "complex": is_complex, "start": written(w), "steps": []}
    solver = make([w])
    for step in range(STEPS):
        w.grad = draw() * 10.0 ** (1 - step)  # Large ones, then small ones.
        gradient = written(w.grad)
        solver.step()
        result["steps"].append({"gradient": gradient, "after": written(w)})
    return result


def solvers(is_complex):
    sgd, rms = torch.optim.SGD, torch.optim.RMSprop
    adam, adamw = torch.optim.Adam, torch.optim.AdamW
    c = is_complex
    return {
        "sgdm": case(lambda p: sgd(p, lr=0.01, momentum=0.9), c, learn_rate=0.01, momentum=0.9),
        "sgdm_l2": case(lambda p: sgd(p, lr=0.1, momentum=0.5, weight_decay=0.01), c,
                        learn_rate=0.1, momentum=0.5, l2=0.01),
        "rmsprop": case(lambda p: rms(p, lr=0.001, alpha=0.9, eps=1e-8), c, learn_rate=0.001,
                        decay=0.9, epsilon=1e-8),
        "rmsprop_l2": case(lambda p: rms(p, lr=0.02, alpha=0.99, eps=1e-3, weight_decay=0.1), c,
                           learn_rate=0.02, decay=0.99, epsilon=1e-3, l2=0.1),
        "adam": case(lambda p: adam(p, lr=0.001), c, learn_rate=0.001, beta1=0.9, beta2=0.999,
                     epsilon=1e-8),
        "adam_l2": case(lambda p: adam(p, lr=0.05, betas=(0.8, 0.95), eps=1e-2, weight_decay=0.1),
                        c, learn_rate=0.05, beta1=0.8, beta2=0.95, epsilon=1e-2, l2=0.1),
        "adamw": case(lambda p: adamw(p, lr=0.05, weight_decay=0.2), c, learn_rate=0.05, beta1=0.9,
                      beta2=0.999, epsilon=1e-8, weight_decay=0.2),
    }


cases = solvers(False)
# PyTorch sees a complex number as two real ones, each with a squared gradient of its own; only
# without an average of squares does that agree with |g|^2.
cases |= {name + "_complex": c for name, c in solvers(True).items() if name.startswith("sgdm")}
lines = [f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(cases.items())]
text = "{\n  \"torch\": " + json.dumps(torch.__version__) + ",\n" + ",\n".join(lines) + "\n}\n"
pathlib.Path(__file__).with_name("torch_solvers.json").write_text(text)
