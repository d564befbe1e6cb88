#include "lessons/recurrent_state/digit_columns.h"

#include <algorithm>
#include <vector>

#include "framework/ops/dims.h"
#include "framework/ops/shape.h"
#include "lessons/data/digits/split_digits.h"

namespace lamina {
namespace {

constexpr int64_t kSize = 8;

// [region cut]
// Image i of 8(S) x 8(S) x 1(C) x N(B), from its first to its last column with ink: 8(C) x T.
DlArray Columns(const DlArray& images, int64_t i) {
  const float* pixels = images.Data<float>() + kSize * kSize * i;
  const auto has_ink = [&](int64_t column) {
    const float* top = pixels + kSize * column;
    return std::any_of(top, top + kSize, [](float ink) { return ink > 0; });
  };
  int64_t first = 0, last = kSize - 1;
  while (first < last && !has_ink(first)) ++first;
  while (first < last && !has_ink(last)) --last;
  const int64_t steps = last - first + 1;
  return DlArray::FromSpan<float>({pixels + kSize * first, static_cast<size_t>(kSize * steps)},
                                  {kSize, steps}, "CT");
}
// [endregion]

ColumnSequences Read(const Dataset& part) {
  ColumnSequences sequences;
  sequences.t = part.targets[0];
  const DlArray& images = part.inputs[0];
  for (int64_t i = 0; i < Size(images, 'B'); ++i) sequences.x.push_back(Columns(images, i));
  return sequences;
}

}  // namespace

absl::StatusOr<DigitColumns> ReadDigitColumns(uint64_t seed) {
  const absl::StatusOr<DigitsSplit> split = SplitDigits({.seed = seed});
  if (!split.ok()) return split.status();
  return DigitColumns{Read(split->train), Read(split->validation), Read(split->test)};
}

}  // namespace lamina
