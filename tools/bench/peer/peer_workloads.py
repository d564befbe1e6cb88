"""The workloads of //tools/bench in PyTorch, set up as well as a good user would.

    python -m tools.bench.peer.peer_workloads [--benchmark NAME]          eager
    python -m tools.bench.peer.peer_workloads --benchmark NAME --compile VARIANT
    python -m tools.bench.peer.peer_workloads --agree PROGRAM             against //tools/bench
    python -m tools.bench.peer.peer_workloads --cuda [--benchmark NAME]   on a device, eager

The first two print JSON: {"peer", "threads", "results": {name: {"first_ms", "median_ms",
"peak_memory_bytes", "variant", "runs"}}}. Sizes are those of tools/bench/README.md.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import statistics
import sys
import time
from collections.abc import Callable

import torch

from tools.bench.peer import functions, networks, recurrent
from tools.bench.peer.agreement import disagreements
from tools.bench.peer.measure import best_timing
from tools.bench.peer.workload import Step, Workload, Wrap

# What runs on the processor alone, or is no work for a device.
NOT_ON_DEVICE = ("gradcheck_srelu", "predict_mnist_c", "predict_mnist_c_onnx", "add_16_x1000",
                 "add_16_taped_x1000")

WORKLOADS: dict[str, Callable[[], Workload]] = {
    "srelu_grad": lambda: functions.srelu_grad(128, 20, 24),
    "elementwise_chain_grad": functions.elementwise_chain_grad,
    "mlp_tiny_adam": networks.mlp_tiny_adam,
    "mlp_digits_adam": networks.mlp_digits_adam,
    "mnist_cnn_adam": networks.mnist_cnn_adam,
    "residual_block_grad": functions.residual_block_grad,
    "lstm_grad": recurrent.lstm_grad,
    "peephole_lstm_512_grad": recurrent.peephole_lstm_512_grad,
    "sliced_steps_512_grad": recurrent.sliced_steps_512_grad,
    "attention_grad": functions.attention_grad,
    "gemm_1024": functions.gemm_1024,
    "conv_64_28_fwd": functions.conv_64_28_fwd,
    "gradcheck_srelu": functions.gradcheck_srelu,
    "predict_mnist": networks.predict_mnist,
    "predict_mnist_c": networks.predict_mnist,
    "predict_mnist_c_onnx": networks.predict_mnist_onnx,
    "add_16_x1000": lambda: functions.add_16_x1000(taped=False),
    "add_16_taped_x1000": lambda: functions.add_16_x1000(taped=True),
}


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


def microseconds_on_device(step: Step, seconds: float = 0.1) -> float:
    """The median time of a call, of five rounds of so many that waiting for them weighs little."""

    def of(calls: int) -> float:
        start = time.perf_counter()
        for _ in range(calls):
            step()
        torch.cuda.synchronize()
        return (time.perf_counter() - start) / calls

    of(3)
    calls = min(1000, max(2, int(seconds / of(3))))
    return statistics.median(of(calls) for _ in range(5)) * 1e6


def time_on_device(workload: Workload) -> str:
    """The time of one call of the best variant on the default device, as a reader sees it."""
    times = {name: microseconds_on_device(make(workload.data(), lambda f: f))
             for name, make in workload.variants.items()}
    best = min(times, key=lambda name: times[name])
    return f"{times[best]:12.2f} us  {best}"


def time_workload(workload: Workload, compiled: str | None) -> dict[str, object]:
    """The timing of the best variant, or of one variant compiled."""
    names = list(workload.variants) if compiled is None else [compiled]
    if compiled is not None and workload.not_compiled:
        raise SystemExit(f"There is nothing to compile: {workload.not_compiled}.")
    wrap: Wrap = torch.compile if compiled is not None else lambda function: function
    variants = {name: lambda make=workload.variants[name]: make(workload.data(), wrap)
                for name in names}
    return dataclasses.asdict(best_timing(variants))


def agree(program: pathlib.Path, names: list[str]) -> int:
    """Prints what both sides do not have in common; 0 when that is nothing."""
    lines = []
    for name in names:
        if (workload := WORKLOADS[name]()).has_outputs:
            lines += disagreements(program, name, workload)
    print("\n".join(lines) if lines else "Both sides agree.")
    return 1 if lines else 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, help="srelu_grad with as many, a multiple of 1024")
    parser.add_argument("--compile", metavar="VARIANT", help="torch.compile of this variant")
    parser.add_argument("--agree", type=pathlib.Path, metavar="PROGRAM",
                        help="time nothing: compare outputs with those of this program")
    parser.add_argument("--benchmark", choices=WORKLOADS, help="this workload alone")
    parser.add_argument("--cuda", action="store_true",
                        help="on a CUDA device, in full single precision (no TF32)")
    options = parser.parse_args(arguments)
    threads = len(os.sched_getaffinity(0))
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    names = [options.benchmark] if options.benchmark else list(WORKLOADS)
    if options.agree:
        return agree(options.agree, names)
    workloads = {name: WORKLOADS[name] for name in names}
    if options.elements:
        workloads = {"srelu_grad": lambda: functions.srelu_grad(options.elements // 1024, 16, 8)}
    if options.cuda:
        torch.set_default_device("cuda")
        torch.backends.cudnn.allow_tf32 = False
        print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}")
        for name, make in workloads.items():
            if name not in NOT_ON_DEVICE:
                print(f"{name:<24} {time_on_device(make())}", flush=True)
        return 0
    results = {name: time_workload(make(), options.compile) for name, make in workloads.items()}
    print(json.dumps({"peer": f"PyTorch {torch.__version__} ({blas_name()})", "threads": threads,
                      "results": results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
