"""Times Lamina's workloads and the same ones in PyTorch, in the same minutes, and prints the ratio.

    bazel run //tools/bench:compare                      all workloads
    bazel run //tools/bench:compare -- gemm_1024         one
    bazel run //tools/bench:compare -- --json FILE       also writes [{"name", "ours_ms", "peer_ms",
                                                         "ratio"}]

The two take turns, workload by workload, so that a machine which grows slower or faster meanwhile
does so for both; what is printed is the median of the rounds. A ratio above 1 says that Lamina is
that many times as fast. PyTorch is the one that `tools/setup --peers` installed.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence

WORKLOADS = ("srelu_grad", "mnist_cnn_adam", "mlp_tiny_adam", "gemm_1024", "conv_64_28_fwd")


_QUIET = 0.25  # A larger spread of the rounds says that the machine was not quiet.


class CompareError(Exception):
    """Why nothing can be compared, and what to do."""


@dataclasses.dataclass(frozen=True)
class Timing:
    """What one side measured in one round."""

    first_ms: float
    median_ms: float
    peak_memory_bytes: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One workload: the timings of both sides, round by round."""

    name: str
    ours: list[Timing]
    peer: list[Timing]
    peer_variant: str

    @property
    def ours_ms(self) -> float:
        return statistics.median(timing.median_ms for timing in self.ours)

    @property
    def peer_ms(self) -> float:
        return statistics.median(timing.median_ms for timing in self.peer)

    @property
    def ratio(self) -> float:
        return self.peer_ms / self.ours_ms

    @property
    def spread(self) -> float:
        """How far the rounds of the less steady side lie apart, relative to their median."""

        def side(timings: list[Timing]) -> float:
            values = [timing.median_ms for timing in timings]
            return (max(values) - min(values)) / statistics.median(values)

        return max(side(self.ours), side(self.peer))


def _run(command: Sequence[str | pathlib.Path], name: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise CompareError(f"{name}: cannot start {command[0]}: {error.strerror}") from error
    if result.returncode:
        raise CompareError(f"{name}: {command[0]} ended with exit status {result.returncode}:\n"
                           f"{result.stderr[-4000:]}")
    return result.stdout


def _timing(values: object, name: str, program: object) -> Timing:
    try:
        assert isinstance(values, dict)
        timing = Timing(float(values["first_ms"]), float(values["median_ms"]),
                        int(values["peak_memory_bytes"]))
        assert timing.median_ms > 0
        return timing
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        raise CompareError(f"{name}: {program} gave no first_ms, median_ms and "
                           f"peak_memory_bytes: {values!r}") from error


def _loads(text: str, name: str, program: object) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CompareError(f"{name}: {program} printed no JSON: {error}") from error


def time_ours(program: pathlib.Path, name: str) -> Timing:
    """One round of our side."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "ours.json"
        _run([program, "--benchmark", name, "--json", file], name)
        results = _loads(file.read_text() if file.exists() else "", name, program)
    found = [result for result in results if isinstance(result, dict)
             and result.get("name") == name] if isinstance(results, list) else []
    return _timing(found[0] if found else None, name, program)


def time_peer(command: Sequence[str], name: str) -> tuple[Timing, dict[str, object]]:
    """One round of the peer's side: its timing, and all that it says of itself."""
    report = _loads(_run([*command, "--benchmark", name], name), name, command[0])
    if not isinstance(report, dict) or not isinstance(report.get("results"), dict):
        raise CompareError(f"{name}: {command[0]} printed no results")
    return _timing(report["results"].get(name), name, command[0]), report


def peer_python() -> pathlib.Path:
    """The Python of the environment that `tools/setup --peers` makes."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache) / "lamina" / "peers" / "bin" / "python"


def find_peer(python: pathlib.Path) -> list[str]:
    """The command that runs the peer; an error that says what to do when it is not there."""
    if not python.exists():
        raise CompareError(f"PyTorch is not set up ({python} is missing); run: tools/setup --peers")
    return [str(python.absolute()), "-B", "-m", "tools.bench.peer.peer_workloads"]


def processor() -> str:
    """The model name of the CPU."""
    text = pathlib.Path("/proc/cpuinfo").read_text()
    match = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return match[1] if match else "unknown processor"


def _row(comparison: Comparison) -> str:
    def first(timings: list[Timing]) -> float:
        return statistics.median(timing.first_ms for timing in timings)

    def mebibytes(timings: list[Timing]) -> float:
        return statistics.median(timing.peak_memory_bytes for timing in timings) / (1 << 20)

    return (f"{comparison.name:<16}{comparison.ours_ms:>10.3f}{comparison.peer_ms:>10.3f}"
            f"{comparison.ratio:>8.2f}{comparison.spread:>8.0%}"
            f"{first(comparison.ours):>11.1f}{first(comparison.peer):>9.1f}"
            f"{mebibytes(comparison.ours):>11.1f}{mebibytes(comparison.peer):>9.1f}"
            f"  {comparison.peer_variant}")


_HEADER = (f"{'':<16}{'median ms':>20}{'peer/':>8}{'':>8}{'first call ms':>20}{'memory MiB':>20}\n"
           f"{'workload':<16}{'Lamina':>10}{'peer':>10}{'Lamina':>8}{'spread':>8}"
           f"{'Lamina':>11}{'peer':>9}{'Lamina':>11}{'peer':>9}  peer's best variant")


def compare(ours: pathlib.Path, peer: Sequence[str], names: Sequence[str],
            rounds: int) -> list[Comparison]:
    """Runs everything and prints the table as it grows."""
    comparisons = []
    for name in names:
        ours_timings, peer_timings = [], []
        report: dict[str, object] = {}
        for _ in range(rounds):
            ours_timings.append(time_ours(ours, name))
            timing, report = time_peer(peer, name)
            peer_timings.append(timing)
        if not comparisons:
            print(f"peer: PyTorch {report.get('version')} eager ({report.get('blas')}), "
                  f"{report.get('threads')} threads\n"
                  f"processor: {processor()}, {len(os.sched_getaffinity(0))} cores; "
                  f"{rounds} rounds, taking turns\n\n{_HEADER}")
        result = report["results"][name]  # type: ignore[index]
        comparisons.append(Comparison(name, ours_timings, peer_timings,
                                      str(result.get("variant", ""))))
        print(_row(comparisons[-1]), flush=True)
    unsteady = [each.name for each in comparisons if each.spread > _QUIET]
    if unsteady:
        print(f"\nThe rounds of {', '.join(unsteady)} lie more than {_QUIET:.0%} apart: something else "
              "was running. Run again on a quiet machine.")
    return comparisons


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bazel run //tools/bench:compare --", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload", nargs="?", choices=WORKLOADS, metavar="WORKLOAD",
                        help="one of " + ", ".join(WORKLOADS))
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the result there")
    parser.add_argument("--rounds", type=int, default=3, help="how often each side has its turn")
    parser.add_argument("--ours", type=pathlib.Path, default=pathlib.Path("tools/bench/bench"),
                        help=argparse.SUPPRESS)
    parser.add_argument("--peer_python", type=pathlib.Path, default=peer_python(),
                        help="a Python that has PyTorch (default: of tools/setup --peers)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    try:
        names = [options.workload] if options.workload else WORKLOADS
        comparisons = compare(options.ours.absolute(), find_peer(options.peer_python), names,
                              options.rounds)
        if options.json:
            # `bazel run` starts programs elsewhere; a relative name is meant from the user's folder.
            file = pathlib.Path(os.environ.get("BUILD_WORKING_DIRECTORY", ".")) / options.json
            file.write_text(json.dumps(
                [{"name": each.name, "ours_ms": each.ours_ms, "peer_ms": each.peer_ms,
                  "ratio": each.ratio} for each in comparisons], indent=2) + "\n")
        return 0
    except (CompareError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
