#include "framework/cpu/threads.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>

namespace lamina::cpu {
namespace {

constinit thread_local bool inside_parallel_for = false;

#if defined(__SANITIZE_THREAD__)
constexpr bool kOneThread = true;
#else
constexpr bool kOneThread = false;
#endif

// 0 until the first question: omp_get_max_threads reads the environment.
std::atomic<int> num_threads{0};

}  // namespace

int NumThreads() {
  int n = num_threads.load(std::memory_order_relaxed);
  if (n == 0) {
    n = kOneThread ? 1 : std::max(1, omp_get_max_threads());
    num_threads.store(n, std::memory_order_relaxed);
  }
  return n;
}

void SetNumThreads(int n) {
  n = kOneThread ? 1 : std::clamp(n, 1, 1024);
  num_threads.store(n, std::memory_order_relaxed);
  omp_set_num_threads(n);  // for oneDNN and Eigen
}

namespace internal {

int64_t CountParts(int64_t n, int64_t grain) {
  if (inside_parallel_for || omp_in_parallel() != 0) return 1;
  return std::clamp<int64_t>(n / std::max<int64_t>(grain, 1), 1, NumThreads());
}

void RunParts(int64_t n, int64_t parts, void (*function)(void*, int64_t, int64_t), void* context) {
  std::exception_ptr error;
  std::atomic_flag has_error = ATOMIC_FLAG_INIT;
#pragma omp parallel for num_threads(static_cast <int>(parts)) schedule(static, 1)
  for (int64_t part = 0; part < parts; ++part) {
    inside_parallel_for = true;
    try {
      // Written so that n * parts cannot overflow.
      const int64_t length = n / parts, rest = n % parts;
      const int64_t begin = part * length + std::min(part, rest);
      function(context, begin, begin + length + (part < rest ? 1 : 0));
    } catch (...) {
      if (!has_error.test_and_set()) error = std::current_exception();
    }
    inside_parallel_for = false;
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace internal
}  // namespace lamina::cpu
