// Whether a short program runs faster when threads share its work. That depends on how long two
// cores take to exchange data, which the sizes do not tell: it is found by trying, again and again.
//
//   const ThreadChoice::Turn turn = choice.Next(cpu::NumThreads());
//   Run(turn.way);
//   if (turn.is_timed) choice.Note(turn.way, seconds);
//
// Threads: may be used from any number of threads at once.
#ifndef FRAMEWORK_ACCELERATION_THREAD_CHOICE_H_
#define FRAMEWORK_ACCELERATION_THREAD_CHOICE_H_

#include <atomic>
#include <cstdint>

namespace lamina::internal {

class ThreadChoice {
 public:
  enum Way : uint8_t { kShared, kAlone };
  struct Turn {
    Way way = kShared;
    bool is_timed = false;
  };

  /// How the next run goes. Of each kPeriod runs the first kTried are shared and timed. When the
  /// fastest of them took less than kShortSeconds, as many are alone and timed; the rest goes the
  /// faster way. Longer programs are always shared. Another number of threads begins anew.
  Turn Next(int num_threads);
  void Note(Way way, double seconds);

  static constexpr int64_t kPeriod = 2048, kTried = 8;
  static constexpr double kShortSeconds = 1e-3;

 private:
  std::atomic<int> num_threads_{0};
  std::atomic<int64_t> turns_{0};
  std::atomic<double> least_[2] = {};  // Seconds, of each way.
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_THREAD_CHOICE_H_
