"""Times Lamina's workloads and the same ones in PyTorch, in the same minutes, and prints the ratio.

    bazel run //tools/bench:compare                      all workloads
    bazel run //tools/bench:compare -- gemm_1024         one
    bazel run //tools/bench:compare -- --eager           without torch.compile, which takes long
    bazel run //tools/bench:compare -- --scaling         how the time of srelu_grad grows with size
    bazel run //tools/bench:compare -- --threads         ours alone: whether small work loses by a
                                                         second thread
    bazel run //tools/bench:compare -- --json FILE       also writes a list of {"name", "ours_ms",
                                                         "peer_ms", "ratio", "compiled_ms", ..}

The two take turns, workload by workload, so that a machine which grows slower or faster meanwhile
does so for both; what is printed is the median of the rounds. A ratio above 1 says that Lamina is
that many times as fast. PyTorch is the one that `tools/setup --peers` installed; the rows *_onednn
need none: there the peer is oneDNN, called directly.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence

from tools.bench.sides import CompareError, Ours, Peer, Timing, find_peer, peer_python

# Each with the ratio that the project aims at; None where it names none.
WORKLOADS: dict[str, float | None] = {
    "srelu_grad": 15, "elementwise_chain_grad": 8, "mlp_tiny_adam": 25, "mlp_digits_adam": 4,
    "mnist_cnn_adam": 3, "residual_block_grad": 2.3, "lstm_grad": 2.2, "peephole_lstm_512_grad": 15,
    "sliced_steps_512_grad": None, "attention_grad": 2.5, "gemm_1024": None,
    "gemm_1024_onednn": 0.95, "conv_64_28_fwd": None, "conv_64_28_fwd_onednn": 0.95,
    "gradcheck_srelu": 30, "predict_mnist": None, "predict_mnist_c": 10, "predict_mnist_c_onnx": 1.5, "add_16_x1000": None,
    "add_16_taped_x1000": None}
_DIRECT = "_onednn"  # So end the names of those whose peer is oneDNN.

# Numbers of elements for --scaling: 1 Ki, 4 Ki, .. 64 Mi.
_SCALING = tuple(1 << exponent for exponent in range(10, 27, 2))

_QUIET = 0.25  # A larger spread of the rounds says that the machine was not quiet.
_NOTICEABLE = 0.05  # Small work that is slower by less is called equal.


def _median(timings: Sequence[Timing], field: str = "median_ms") -> float:
    return statistics.median(getattr(timing, field) for timing in timings)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One workload: the timings of both sides, round by round."""

    name: str
    ours: list[Timing]
    peer: list[Timing]
    peer_variant: str
    compiled: list[Timing]
    not_compiled: str  # Why `compiled` is empty; itself empty when none was asked for.

    @property
    def ratio(self) -> float:
        return _median(self.peer) / _median(self.ours)

    @property
    def spread(self) -> float:
        """How far the rounds of the less steady side lie apart, relative to their median."""

        def side(timings: list[Timing]) -> float:
            values = [timing.median_ms for timing in timings]
            return (max(values) - min(values)) / statistics.median(values)

        return max(side(self.ours), side(self.peer))

    @property
    def goal(self) -> float | None:
        """The ratio that the project aims at."""
        return WORKLOADS[self.name]

    def row(self) -> str:
        """A line of the table."""

        def mebibytes(timings: list[Timing]) -> float:
            return _median(timings, "peak_memory_bytes") / (1 << 20)

        compiled = [f"{_median(self.compiled):.3f}",
                    f"{_median(self.compiled) / _median(self.ours):.2f}",
                    f"{self.compiled[0].first_ms:.0f}"] if self.compiled else ["-"] * 3
        return (f"{self.name:<23}{_median(self.ours):>10.3f}{_median(self.peer):>10.3f}"
                f"{compiled[0]:>10}{self.ratio:>8.2f}{compiled[1]:>9}{self.goal or '':>6}"
                f"{self.spread:>8.0%}"
                f"{_median(self.ours, 'first_ms'):>9.1f}{_median(self.peer, 'first_ms'):>9.1f}"
                f"{compiled[2]:>9}{mebibytes(self.ours):>9.1f}{mebibytes(self.peer):>9.1f}"
                f"  {self.peer_variant}")

    def as_json(self) -> dict[str, object]:
        """What `--json` writes."""
        return {"name": self.name, "ours_ms": _median(self.ours), "peer_ms": _median(self.peer),
                "ratio": self.ratio, "goal": self.goal, "spread": self.spread,
                "compiled_ms": _median(self.compiled) if self.compiled else None,
                "ours_first_ms": _median(self.ours, "first_ms"),
                "peer_first_ms": _median(self.peer, "first_ms"),
                "compiled_first_ms": self.compiled[0].first_ms if self.compiled else None,
                "ours_peak_bytes": _median(self.ours, "peak_memory_bytes"),
                "peer_peak_bytes": _median(self.peer, "peak_memory_bytes")}


_HEADER = (f"{'':<23}{'median ms':>30}{'over Lamina':>17}{'':>14}{'first call ms':>27}"
           f"{'memory MiB':>18}\n"
           f"{'workload':<23}{'Lamina':>10}{'eager':>10}{'compiled':>10}{'eager':>8}"
           f"{'compiled':>9}{'goal':>6}{'spread':>8}{'Lamina':>9}{'eager':>9}{'compiled':>9}"
           f"{'Lamina':>9}{'eager':>9}  peer's best variant")


def processor() -> str:
    """The model name of the CPU."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else "unknown processor"


def _introduction(rounds: int) -> str:
    return (f"processor: {processor()}, {len(os.sched_getaffinity(0))} cores; "
            f"{rounds} rounds, taking turns\n")


def _introduction_of(report: dict[str, object], rounds: int) -> str:
    return f"peer: {report.get('peer')}, {report.get('threads')} threads\n{_introduction(rounds)}"


def compare(ours: Ours, peers: Mapping[str, Peer], rounds: int, compiled: bool) -> list[Comparison]:
    """Runs each workload beside its peer and prints the table as it grows."""
    comparisons = []
    for name, peer in peers.items():
        each = Comparison(name, [], [], "", [], "")
        with tempfile.TemporaryDirectory() as cache:
            for _ in range(rounds):
                each.ours.append(ours.time(name))
                timing, variant, report = peer.time(name)
                each.peer.append(timing)
                each = dataclasses.replace(each, peer_variant=variant)
                if compiled and not each.not_compiled:
                    result, reason = peer.time_compiled(name, variant, pathlib.Path(cache))
                    each.compiled.extend([result] if result else [])
                    each = dataclasses.replace(each, not_compiled=reason)
        if not comparisons:
            print(f"{_introduction_of(report, rounds)}\n{_HEADER}")
        comparisons.append(each)
        print(each.row(), flush=True)
    reasons = [f"{each.name}: {each.not_compiled}" for each in comparisons if each.not_compiled]
    if reasons:
        print("\nNot compiled:\n  " + "\n  ".join(reasons))
    unsteady = [each.name for each in comparisons if each.spread > _QUIET]
    if unsteady:
        print(f"\nThe rounds of {', '.join(unsteady)} lie more than {_QUIET:.0%} apart: something "
              "else was running. Run again on a quiet machine.")
    return comparisons


def scaling(ours: Ours, peer: Peer, rounds: int) -> list[dict[str, object]]:
    """How the time of srelu_grad grows with the number of elements."""
    rows: list[dict[str, object]] = []
    for elements in _SCALING:
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            times[0].append(ours.time("srelu_grad", elements).median_ms)
            timing, _, report = peer.time("srelu_grad", elements)
            times[1].append(timing.median_ms)
        if not rows:
            print(f"{_introduction_of(report, rounds)}\nsrelu_grad\n{'elements':>10}{'Lamina ms':>12}"
                  f"{'eager ms':>12}{'eager over Lamina':>19}{'Lamina ns an element':>22}")
        ours_ms, peer_ms = (statistics.median(side) for side in times)
        rows.append({"elements": elements, "ours_ms": ours_ms, "peer_ms": peer_ms,
                     "ratio": peer_ms / ours_ms})
        print(f"{elements:>10}{ours_ms:>12.4f}{peer_ms:>12.4f}{peer_ms / ours_ms:>19.2f}"
              f"{ours_ms * 1e6 / elements:>22.3f}", flush=True)
    return rows


def threads(ours: Ours, names: Sequence[str], rounds: int) -> list[dict[str, object]]:
    """Small work with one thread and with one for each core."""
    most = len(os.sched_getaffinity(0))
    counts = (1, most)
    print(f"{_introduction(rounds)}\n{'':<27}{'median ms, threads':>24}\n{'workload':<27}{1:>12}"
          f"{most:>12}{'times as fast':>15}{'spread':>8}")
    rows: list[dict[str, object]] = []
    losing: list[str] = []
    for name in names:
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for side, count in zip(times, counts):
                side.append(ours.time_small(name, count).median_ms)
        one, all_ = (statistics.median(side) for side in times)
        spread = max((max(side) - min(side)) / statistics.median(side) for side in times)
        # Every round with more threads was slower than every one with one.
        loses = min(times[1]) > (1 + _NOTICEABLE) * max(times[0])
        losing += [name] if loses else []
        rows.append({"name": name, "one_thread_ms": one, "all_threads_ms": all_,
                     "ratio": one / all_, "spread": spread, "loses": loses})
        print(f"{name:<27}{one:>12.4f}{all_:>12.4f}{one / all_:>15.2f}{spread:>8.0%}"
              f"{'  slower' if loses else ''}", flush=True)
    print(f"\nSlower with {most} threads in all rounds, by more than {_NOTICEABLE:.0%}: "
          f"{', '.join(losing) or 'none'}.")
    return rows


def _peers(names: Sequence[str], python: pathlib.Path, onednn: pathlib.Path) -> dict[str, Peer]:
    """The peer of each workload. PyTorch is looked for only where one needs it."""
    direct = Peer([str(onednn.absolute())])
    if all(name.endswith(_DIRECT) for name in names):
        return {name: direct for name in names}
    torch = Peer(find_peer(python))
    return {name: direct if name.endswith(_DIRECT) else torch for name in names}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bazel run //tools/bench:compare --", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="?", metavar="WORKLOAD",
                        help="this one alone; one of " + ", ".join(WORKLOADS)
                        + "; with --threads one of those that it lists")
    parser.add_argument("--eager", action="store_true", help="leave torch.compile out")
    parser.add_argument("--scaling", action="store_true", help="srelu_grad in sizes up to 64 Mi")
    parser.add_argument("--threads", action="store_true",
                        help="small work of ours with one thread and with one for each core")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the result there")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side has its turn")
    parser.add_argument("--ours", type=pathlib.Path, default=pathlib.Path("tools/bench/bench"),
                        help=argparse.SUPPRESS)
    parser.add_argument("--onednn", type=pathlib.Path, default=pathlib.Path("tools/bench/onednn"),
                        help=argparse.SUPPRESS)
    parser.add_argument("--peer_python", type=pathlib.Path, default=peer_python(),
                        help="a Python that has PyTorch (default: of tools/setup --peers)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        ours = Ours(options.ours.absolute())
        known = ours.small_names() if options.threads else list(WORKLOADS)
        if options.workload and options.workload not in known:
            parser.error(f"there is no workload {options.workload}; known: {', '.join(known)}")
        names = [options.workload] if options.workload else known
        if options.threads:
            result = threads(ours, names, options.rounds)
        elif options.scaling:
            result = scaling(ours, Peer(find_peer(options.peer_python)), options.rounds)
        else:
            peers = _peers(names, options.peer_python, options.onednn)
            result = [each.as_json()
                      for each in compare(ours, peers, options.rounds, not options.eager)]
        if options.json:
            # `bazel run` starts programs elsewhere; a relative name is meant from the user's folder.
            file = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", ".")) / options.json
            file.write_text(json.dumps(result, indent=2) + "\n")
        return 0
    except (CompareError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
