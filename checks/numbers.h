// Many numbers in a row, held by an array: copies share them, and their memory is kept for the next
// ones. Sums over them are made in blocks on all cores.
//
//   Numbers y = MakeNumbers(n, [&](double* out) { std::fill(out, out + n, 1.0); });
//   double sum = SumOfBlocks<double>(n, [&](size_t begin, size_t end) {
//     return std::accumulate(y.begin() + begin, y.begin() + end, 0.0);
//   });
//
// Threads: numbers do not change; any threads may read them.
#ifndef CHECKS_NUMBERS_H_
#define CHECKS_NUMBERS_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "framework/cpu/threads.h"
#include "framework/dlarray/array_data.h"
#include "framework/dlarray/dlarray.h"

namespace lamina::checks {

class Numbers {
 public:
  Numbers() = default;
  /// The elements of a double array, which are not copied. Errors: as DlArray::Data.
  explicit Numbers(DlArray array)
      : array_(std::move(array)), data_(array_.empty() ? nullptr : array_.Data<double>()) {}
  Numbers(const std::vector<double>& values)  // NOLINT(runtime/explicit): for functions of few.
      : Numbers(DlArray::FromVector<double>(values, {static_cast<int64_t>(values.size())})) {}

  size_t size() const { return static_cast<size_t>(array_.numel()); }
  bool empty() const { return size() == 0; }
  const double* begin() const { return data_; }
  const double* end() const { return data_ + size(); }
  double operator[](size_t i) const { return data_[i]; }
  /// What holds them, of any sizes and labels.
  const DlArray& array() const { return array_; }

 private:
  DlArray array_;
  const double* data_ = nullptr;
};

inline bool operator==(const Numbers& a, const Numbers& b) {
  return a.size() == b.size() &&
         (a.begin() == b.begin() || std::equal(a.begin(), a.end(), b.begin()));
}

/// `n` numbers that `fill` writes to the place it is given.
template <class F>
Numbers MakeNumbers(size_t n, F&& fill) {
  const lamina::internal::ArrayDataPtr data =
      lamina::internal::ArrayData::Make({DataType::kDouble, {static_cast<int64_t>(n)}, Format()});
  fill(static_cast<double*>(data->mutable_bytes()));
  return Numbers(DlArray(data));
}

/// The sum of f(begin, end) over blocks of [0, n), on several threads where there are many. The
/// blocks do not depend on the number of threads, so that the sum does not either.
template <class Sum, class F>
Sum SumOfBlocks(size_t n, F&& f) {
  constexpr size_t kBlock = 32 * 1024;
  if (n <= kBlock) return f(size_t{0}, n);
  std::vector<Sum> sums((n + kBlock - 1) / kBlock);
  cpu::ParallelFor(static_cast<int64_t>(sums.size()), 1, [&](int64_t first, int64_t last) {
    for (size_t i = first; i < static_cast<size_t>(last); ++i) {
      sums[i] = f(i * kBlock, std::min(n, (i + 1) * kBlock));
    }
  });
  for (size_t i = 1; i < sums.size(); ++i) sums[0] += sums[i];
  return sums[0];
}

}  // namespace lamina::checks

#endif  // CHECKS_NUMBERS_H_
