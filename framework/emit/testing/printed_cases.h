// For tests of what is printed: functions of arrays, run as printed C and op by op.
#ifndef FRAMEWORK_EMIT_TESTING_PRINTED_CASES_H_
#define FRAMEWORK_EMIT_TESTING_PRINTED_CASES_H_

#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "framework/ops/op.h"

namespace lamina::testing {

using Function = std::function<DlArrays(Arrays)>;

/// What is compared, and how close it must come.
struct Case {
  std::string name;
  Function function;
  DlArrays inputs;
  /// The bound of |C - eager| for output 0, from the inputs; null: bit for bit.
  std::function<DlArray(Arrays)> bound;
};

class Draw {
 public:
  explicit Draw(uint32_t seed) : random_(seed) {}
  int64_t Size(int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  }
  /// Multiples of 1/16 in [-2, 2]: sums and products of few of them are exact.
  DlArray Array(const Sizes& sizes, DataType type, std::string_view format = "");

 private:
  std::mt19937 random_;
};

/// Half a unit in the last place of 1 in the type of `x`: a sum of n terms is within n u sum
/// |terms|, in whatever order they are added.
inline double RoundingOf(const DlArray& x) {
  return x.type() == DataType::kDouble ? 0x1p-53 : 0x1p-24;
}

/// Expects that printed C gives what the eager ops give, as close as each case says. What has no
/// printed form of its own is printed as what it is composed of.
void Compare(const std::vector<Case>& cases);

}  // namespace lamina::testing

#endif  // FRAMEWORK_EMIT_TESTING_PRINTED_CASES_H_
