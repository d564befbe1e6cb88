#ifndef FRAMEWORK_CPU_THREADS_H_
#define FRAMEWORK_CPU_THREADS_H_

// Splitting a loop over the cores, on the one pool of threads of the process (OpenMP's, which
// oneDNN and Eigen use too).
//
// Threads: ParallelFor may be called from any thread. A call inside a ParallelFor runs serially.
// SetNumThreads is for all threads and is best called at the start.
//
//   cpu::ParallelFor(n, cpu::kElementwiseGrain, [&](int64_t begin, int64_t end) {
//     for (int64_t i = begin; i < end; ++i) y[i] = 2 * x[i];
//   });

#include <cstdint>
#include <type_traits>

namespace lamina::cpu {

/// Below this many elements of cheap work (one read, one operation, one write) a second thread
/// costs more than it brings.
inline constexpr int64_t kElementwiseGrain = 32 * 1024;

/// Number of threads that a ParallelFor may use, at least 1. It starts as the number of cores that
/// the process may use (or OMP_NUM_THREADS); always 1 under the thread sanitizer, which does not
/// understand OpenMP.
int NumThreads();

/// n < 1 means 1.
void SetNumThreads(int n);

namespace internal {
/// Calls function(context, begin, end) for parts of [0, n) on up to `parts` threads.
void RunParts(int64_t n, int64_t parts, void (*function)(void*, int64_t, int64_t), void* context);
/// How many parts [0, n) is split into; 1 inside a ParallelFor.
int64_t CountParts(int64_t n, int64_t grain);
}  // namespace internal

/// Calls f(begin, end) for disjoint parts that cover [0, n), at once on several threads if n is at
/// least 2 * grain, so that no part is shorter than the grain; not at all if n < 1. Returns when
/// all are done. When parts throw, one of their exceptions is thrown again here.
template <class F>
void ParallelFor(int64_t n, int64_t grain, F&& f) {
  if (n < 1) return;
  const int64_t parts = n < 2 * grain ? 1 : internal::CountParts(n, grain);
  if (parts == 1) {
    f(int64_t{0}, n);
    return;
  }
  using Function = std::remove_reference_t<F>;
  internal::RunParts(
      n, parts,
      [](void* context, int64_t begin, int64_t end) {
        (*static_cast<Function*>(context))(begin, end);
      },
      const_cast<void*>(static_cast<const void*>(&f)));
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_THREADS_H_
