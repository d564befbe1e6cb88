#include "tools/bench/measure.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include "framework/cpu/allocator.h"

namespace lamina::bench {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// VmRSS (resident now) or VmHWM (its peak) of this process.
int64_t ResidentBytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(field + ":")) return std::stoll(line.substr(field.size() + 1)) * 1024;
  }
  return 0;
}

double Call(const std::function<void()>& step) {
  const Clock::time_point start = Clock::now();
  step();
  return MillisecondsSince(start);
}

}  // namespace

Timing Measure(const std::function<std::function<void()>()>& make, double seconds) {
  constexpr double kWarmUpSeconds = 0.2;
  constexpr int kAtLeast = 20;
  cpu::ReleaseCached();
  malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << "5";  // The peak counts from here on.
  const int64_t before = ResidentBytes("VmRSS");

  Timing timing;
  const std::function<void()> step = make();
  timing.first_ms = Call(step);
  for (const Clock::time_point start = Clock::now();
       MillisecondsSince(start) < kWarmUpSeconds * 1e3;) {
    step();
  }
  std::vector<double> times;
  for (const Clock::time_point start = Clock::now();
       MillisecondsSince(start) < seconds * 1e3 || times.size() < kAtLeast;) {
    times.push_back(Call(step));
  }
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  timing.median_ms = times[times.size() / 2];
  timing.runs = static_cast<int>(times.size());
  timing.peak_memory_bytes = std::max<int64_t>(0, ResidentBytes("VmHWM") - before);
  return timing;
}

}  // namespace lamina::bench
