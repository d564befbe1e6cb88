#ifndef FRAMEWORK_CPU_ONE_THREAD_H_
#define FRAMEWORK_CPU_ONE_THREAD_H_

// Keeps a library that uses OpenMP on the calling thread while an object of this class lives: below
// about a million operations waking the others costs more than it brings, and libraries do not
// know.
//
// Threads: the setting is that of the calling thread alone.
//
//   const OneThread guard(operations < 1'000'000);

#include <omp.h>

namespace lamina::cpu {

class OneThread {
 public:
  explicit OneThread(bool active) : before_(active ? omp_get_max_threads() : 1) {
    if (before_ > 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ > 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const int before_;
};

// Multiplications and additions that are worth a second thread.
inline constexpr double kParallelOperations = 2e6;

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ONE_THREAD_H_
