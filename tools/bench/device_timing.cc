#include "tools/bench/device_timing.h"

#include <algorithm>
#include <chrono>

namespace lamina::bench {

double MedianSeconds(gpu::Device& device, std::span<const gpu::BoundProgram> calls, double round) {
  using Clock = std::chrono::steady_clock;
  const auto run = [&](int count) {
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < count; ++i) calls[static_cast<size_t>(i) % calls.size()].Start();
    device.Wait();
    return std::chrono::duration<double>(Clock::now() - start).count() / count;
  };
  run(3);
  const int count = std::clamp(static_cast<int>(round / run(3)), 2, 10000);
  std::vector<double> rounds;
  for (int i = 0; i < 5; ++i) rounds.push_back(run(count));
  std::sort(rounds.begin(), rounds.end());
  return rounds[2];
}

}  // namespace lamina::bench
