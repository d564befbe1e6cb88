"""Records which faults of derivatives PyTorch's gradcheck and gradgradcheck catch.

Run: python3 record_gradcheck.py  (needs torch; writes gradcheck.txt beside itself)

Both run with their default settings, in double. A fault is caught when either of them raises or
returns False. What the faults were made from must pass: that is checked first.
"""

import pathlib
import sys
import warnings

import torch

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER / "gradcheck"))

import function_faults  # noqa: E402,F401
import other_faults  # noqa: E402,F401
import second_derivative_faults  # noqa: E402,F401
import srelu_faults  # noqa: E402,F401
import tanh_faults  # noqa: E402,F401
from table import FAULTS, RIGHT  # noqa: E402


def passes(make):
    try:
        function, arguments = make()
        if not torch.autograd.gradcheck(function, arguments):
            return False
        function, arguments = make()
        return torch.autograd.gradgradcheck(function, arguments)
    except Exception:  # Whatever is raised is a finding.
        return False


def main():
    warnings.filterwarnings("ignore")
    accused = [name for name, make in RIGHT.items() if not passes(make)]
    if accused:
        sys.exit("These are right and do not pass: " + ", ".join(accused))
    lines = [
        "# What gradcheck and gradgradcheck of PyTorch " + torch.__version__.split("+")[0],
        "# make of the faults of derivatives. Recorded by record_gradcheck.py.",
    ]
    for name, make in FAULTS.items():
        lines.append(name + (" missed" if passes(make) else " caught"))
    (FOLDER / "gradcheck.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
