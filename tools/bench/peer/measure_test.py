import time
import unittest
from collections.abc import Callable

from tools.bench.peer import measure


class FakeClock:
    """Time that passes only when a step says so, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def step(self, *durations: float) -> Callable[[], None]:
        """A step that takes these times in turn, then the last one for ever."""
        left = list(durations)

        def run() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


class MeasureTest(unittest.TestCase):

    def test_first_call_of_the_first_variant_and_median_of_the_best(self) -> None:
        clock = FakeClock()
        variants = {"slow": lambda: clock.step(0.7, 0.02), "fast": lambda: clock.step(0.3, 0.01)}
        timing = measure.best_timing(variants, seconds=1.0, clock=clock)
        self.assertEqual(timing.variant, "fast")
        self.assertAlmostEqual(timing.first_ms, 700)
        self.assertAlmostEqual(timing.median_ms, 10)
        self.assertGreaterEqual(timing.runs, 99)

    def test_a_slow_step_is_still_repeated(self) -> None:
        clock = FakeClock()
        timing = measure.best_timing({"only": lambda: clock.step(5.0)}, seconds=1.0, clock=clock)
        self.assertEqual(timing.runs, 20)
        self.assertAlmostEqual(timing.median_ms, 5000)

    def test_peak_memory_is_that_of_the_step(self) -> None:
        size = 64 << 20

        def step() -> None:
            bytearray(size)[::4096] = b"x" * (size // 4096)

        timing = measure.best_timing({"only": lambda: step}, seconds=0.1)
        self.assertGreater(timing.peak_memory_bytes, 0.9 * size)
        self.assertLess(timing.peak_memory_bytes, 1.5 * size)

    def test_a_call_is_timed_in_milliseconds(self) -> None:
        self.assertGreaterEqual(measure.call_ms(lambda: time.sleep(0.002)), 2.0)


if __name__ == "__main__":
    unittest.main()
