#include "framework/acceleration/thread_choice.h"

#include <limits>

namespace lamina::internal {

ThreadChoice::Turn ThreadChoice::Next(int num_threads) {
  if (num_threads_.load(std::memory_order_relaxed) != num_threads) {
    num_threads_.store(num_threads, std::memory_order_relaxed);
    turns_.store(0, std::memory_order_relaxed);
  }
  const int64_t turn = turns_.fetch_add(1, std::memory_order_relaxed) % kPeriod;
  if (turn == 0) {
    for (std::atomic<double>& least : least_) {
      least.store(std::numeric_limits<double>::infinity(), std::memory_order_relaxed);
    }
  }
  if (turn < kTried) return {kShared, true};
  const double shared = least_[kShared].load(std::memory_order_relaxed),
               alone = least_[kAlone].load(std::memory_order_relaxed);
  if (!(shared < kShortSeconds)) return {kShared, false};
  if (turn < 2 * kTried) return {kAlone, true};
  return {alone < shared ? kAlone : kShared, false};
}

void ThreadChoice::Note(Way way, double seconds) {
  double least = least_[way].load(std::memory_order_relaxed);
  while (seconds < least &&
         !least_[way].compare_exchange_weak(least, seconds, std::memory_order_relaxed)) {
  }
}

}  // namespace lamina::internal
