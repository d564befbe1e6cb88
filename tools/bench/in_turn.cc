#include "tools/bench/in_turn.h"

#include <time.h>

#include <algorithm>

#include "framework/cpu/threads.h"

namespace lamina::bench {
namespace {

double Seconds(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

}  // namespace

InTurnTimes InTurn(const std::function<void()>& first, const std::function<void()>& second,
                   double seconds) {
  const clockid_t clock = cpu::NumThreads() == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
  const auto time = [clock](const std::function<void()>& call) {
    const double start = Seconds(clock);
    call();
    return Seconds(clock) - start;
  };
  InTurnTimes least;
  const double end = Seconds(CLOCK_MONOTONIC) + seconds;
  do {
    least.first = std::min(least.first, time(first));
    least.second = std::min(least.second, time(second));
  } while (Seconds(CLOCK_MONOTONIC) < end);
  return least;
}

}  // namespace lamina::bench
