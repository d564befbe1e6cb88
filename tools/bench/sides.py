"""The two sides of a comparison: programs that time a workload, and what they say.

    timing = Ours(program).time("gemm_1024")
    peer = Peer(find_peer(peer_python()))  # or another command that says the same
    timing, variant, report = peer.time("gemm_1024")
    timing, reason = peer.time_compiled("gemm_1024", variant, cache)
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import tempfile
from collections.abc import Sequence

_COMPILE_SECONDS = 300


class CompareError(Exception):
    """Why nothing can be compared, and what to do."""


@dataclasses.dataclass(frozen=True)
class Timing:
    """What one side measured in one round."""

    first_ms: float
    median_ms: float
    peak_memory_bytes: int


def _run(command: Sequence[str | pathlib.Path], name: str, **variables: str) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False,
                                env=os.environ | variables)
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


def _options(name: str, elements: int | None) -> list[str]:
    return [*([] if elements is None else ["--elements", str(elements)]), "--benchmark", name]


@dataclasses.dataclass(frozen=True)
class Ours:
    """Our side: the program //tools/bench."""

    program: pathlib.Path

    def time(self, name: str, elements: int | None = None) -> Timing:
        """One round."""
        return self._time(name, _options(name, elements))

    def small_names(self) -> list[str]:
        """The names of the small workloads."""
        return _run([self.program, "--small", "--list"], "the small workloads").split()

    def time_small(self, name: str, threads: int) -> Timing:
        """One round of a small workload, with that many threads."""
        return self._time(name, ["--small", "--seconds", "0.5", *_options(name, None)],
                          OMP_NUM_THREADS=str(threads))

    def _time(self, name: str, options: list[str], **variables: str) -> Timing:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "ours.json"
            _run([self.program, *options, "--json", file], name, **variables)
            results = _loads(file.read_text() if file.exists() else "", name, self.program)
        found = [result for result in results if isinstance(result, dict)
                 and result.get("name") == name] if isinstance(results, list) else []
        return _timing(found[0] if found else None, name, self.program)


@dataclasses.dataclass(frozen=True)
class Peer:
    """The other side: the command that runs the peer."""

    command: list[str]

    def time(self, name: str, elements: int | None = None) -> tuple[Timing, str, dict[str, object]]:
        """One round: its timing, its best variant, and all that it says of itself."""
        program = self.command[0]
        report = _loads(_run([*self.command, *_options(name, elements)], name), name, program)
        if not isinstance(report, dict) or not isinstance(report.get("results"), dict):
            raise CompareError(f"{name}: {program} printed no results")
        result = report["results"].get(name)
        return _timing(result, name, program), str(result.get("variant", "")), report

    def time_compiled(self, name: str, variant: str,
                      cache: pathlib.Path) -> tuple[Timing | None, str]:
        """One round of torch.compile of that variant; or none, and why.

        What was compiled stays in the folder `cache`: with an empty one all is compiled anew.
        """
        command = [*self.command, "--compile", variant, *_options(name, None)]
        environment = os.environ | {"TORCHINDUCTOR_CACHE_DIR": str(cache)}
        try:
            result = subprocess.run(command, capture_output=True, text=True, check=False,
                                    env=environment, timeout=_COMPILE_SECONDS)
        except subprocess.TimeoutExpired:
            return None, f"it was not done after {_COMPILE_SECONDS} s"
        except OSError as error:
            return None, f"cannot start {command[0]}: {error.strerror}"
        if result.returncode:
            lines = [line for line in result.stderr.splitlines() if line.strip()]
            return None, lines[-1][:300] if lines else f"exit status {result.returncode}"
        report = _loads(result.stdout, name, command[0])
        assert isinstance(report, dict)
        return _timing(report["results"].get(name), name, command[0]), ""


def peer_python() -> pathlib.Path:
    """The Python of the environment that `tools/setup --peers` makes."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache) / "lamina" / "peers" / "bin" / "python"


def find_peer(python: pathlib.Path) -> list[str]:
    """The command that runs the peer; an error that says what to do when it is not there."""
    if not python.exists():
        raise CompareError(f"PyTorch is not set up ({python} is missing); run: tools/setup --peers")
    return [str(python.absolute()), "-B", "-m", "tools.bench.peer.peer_workloads"]
