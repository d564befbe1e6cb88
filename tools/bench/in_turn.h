// Two ways to do one thing, timed in turn in one process.
#ifndef TOOLS_BENCH_IN_TURN_H_
#define TOOLS_BENCH_IN_TURN_H_

#include <functional>

namespace lamina::bench {

/// Seconds of the fastest call of each.
struct InTurnTimes {
  double first = 1e30, second = 1e30;
};

/// Calls both in turn for `seconds`, once at least. With one thread (framework/cpu/threads.h) the
/// processor time of the calling thread counts, otherwise the time of the clock.
InTurnTimes InTurn(const std::function<void()>& first, const std::function<void()>& second,
                   double seconds);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_IN_TURN_H_
