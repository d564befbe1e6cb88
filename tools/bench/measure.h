// How a workload is timed: its first call, the median of many, and the memory that it took.
//
//   Timing t = Measure([] { DlArray x = Rand({1024, 1024}); return [x] { MatMul(x, x); }; });
//
// One thread measures at a time.
#ifndef TOOLS_BENCH_MEASURE_H_
#define TOOLS_BENCH_MEASURE_H_

#include <cstdint>
#include <functional>

namespace lamina::bench {

struct Timing {
  double first_ms = 0;            ///< The very first call, with all that is set up then.
  double median_ms = 0;           ///< Of at least 20 calls after a warm-up.
  int64_t peak_memory_bytes = 0;  ///< Resident memory above that before the data were made.
  int runs = 0;
};

/// `make` makes the data of a workload and returns one step of it, which is called again and again
/// for that long.
Timing Measure(const std::function<std::function<void()>()>& make, double seconds = 1.5);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_MEASURE_H_
