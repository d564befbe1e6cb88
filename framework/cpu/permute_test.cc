#include "framework/cpu/permute.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <numeric>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

// The definition, element by element.
template <class T>
std::vector<T> Reference(const std::vector<T>& x, const std::vector<int64_t>& sizes,
                         const std::vector<int>& order) {
  std::vector<T> y(x.size());
  for (size_t i = 0; i < y.size(); ++i) {
    int64_t rest = static_cast<int64_t>(i), from = 0;
    for (const int d : order) {
      int64_t stride = 1;
      for (int e = 0; e < d; ++e) stride *= sizes[static_cast<size_t>(e)];
      const int64_t size = sizes[static_cast<size_t>(d)];
      from += rest % size * stride;
      rest /= size;
    }
    y[i] = x[static_cast<size_t>(from)];
  }
  return y;
}

template <class T>
void Check(const std::vector<int64_t>& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  std::vector<T> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<T>(static_cast<double>(i % 251));
  std::vector<int> order(sizes.size());
  std::iota(order.begin(), order.end(), 0);
  do {
    std::vector<T> y(x.size());
    Permute(sizeof(T), x.data(), sizes, order, y.data());
    ASSERT_EQ(y, Reference(x, sizes, order)) << testing::PrintToString(order);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(PermuteTest, EveryOrderOfEveryShape) {
  const int before = NumThreads();
  for (int threads : {1, 3}) {
    SetNumThreads(threads);
    for (const std::vector<int64_t>& sizes : std::vector<std::vector<int64_t>>{{},
                                                                               {1},
                                                                               {7},
                                                                               {4, 5},
                                                                               {67, 41},
                                                                               {3, 1, 4},
                                                                               {2, 3, 4, 5},
                                                                               {33, 2, 65},
                                                                               {2, 1, 3, 1, 2},
                                                                               {0, 3},
                                                                               {300, 400},
                                                                               {5, 6, 7, 40}}) {
      Check<float>(sizes);
      Check<double>(sizes);
      Check<uint8_t>(sizes);
      Check<std::complex<double>>(sizes);
    }
  }
  SetNumThreads(before);
}

}  // namespace
}  // namespace lamina::cpu
