"""How the peer is timed: first call, median and peak memory of the best of several variants.

A variant is one way in which a good user of the peer might set a workload up (a memory format, an
implementation of the optimiser). All are tried briefly, and the best is measured.
"""

import ctypes
import dataclasses
import gc
import pathlib
import re
import statistics
import time
from collections.abc import Callable

_STATUS = pathlib.Path("/proc/self/status")
_CLEAR_REFS = pathlib.Path("/proc/self/clear_refs")


@dataclasses.dataclass(frozen=True)
class Timing:
    """What was measured, in the shape in which it is printed as JSON."""

    first_ms: float
    median_ms: float
    peak_memory_bytes: int
    variant: str
    runs: int


def _memory_bytes(field: str) -> int:
    """VmRSS (resident now) or VmHWM (its peak) of this process."""
    match = re.search(rf"^{field}:\s*(\d+) kB", _STATUS.read_text(), re.MULTILINE)
    assert match, f"{_STATUS} has no {field}"
    return int(match[1]) * 1024


def _start_of_memory() -> int:
    """Gives free memory back to the system, resets the peak, and tells what is resident now."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    _CLEAR_REFS.write_text("5")
    return _memory_bytes("VmRSS")


def call_ms(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """The time that one call takes, in milliseconds."""
    start = clock()
    run()
    return (clock() - start) * 1e3


def repeat_ms(run: Callable[[], object], seconds: float, at_least: int,
              clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """The times of calls made for that long, `at_least` that many."""
    times: list[float] = []
    end = clock() + seconds
    while len(times) < at_least or clock() < end:
        times.append(call_ms(run, clock))
    return times


def _timing(name: str, make: Callable[[], Callable[[], object]], seconds: float,
            clock: Callable[[], float]) -> Timing:
    before = _start_of_memory()
    run = make()
    first_ms = call_ms(run, clock)
    repeat_ms(run, seconds / 10, 5, clock)  # Warm-up.
    times = repeat_ms(run, seconds, 20, clock)
    return Timing(first_ms, statistics.median(times), max(0, _memory_bytes("VmHWM") - before), name,
                  len(times))


def best_timing(variants: dict[str, Callable[[], Callable[[], object]]], seconds: float = 1.5,
                clock: Callable[[], float] = time.perf_counter) -> Timing:
    """Times the best of the variants; each is a function that makes its data and returns a step.

    The first call is the very first of this process; the memory is how far the resident memory of
    the process rises above where it stood before the chosen variant made its data and ran.
    """
    assert variants, "a workload has at least one variant"
    if len(variants) == 1:
        (name, make), = variants.items()
        return _timing(name, make, seconds, clock)
    first_ms: float | None = None
    tried: dict[str, float] = {}
    for name, make in variants.items():
        run = make()
        once = call_ms(run, clock)
        first_ms = once if first_ms is None else first_ms
        repeat_ms(run, seconds / 20, 3, clock)  # Warm-up.
        tried[name] = statistics.median(repeat_ms(run, seconds / 5, 5, clock))
        del run
    best = min(tried, key=lambda name: tried[name])
    return dataclasses.replace(_timing(best, variants[best], seconds, clock), first_ms=first_ms)
