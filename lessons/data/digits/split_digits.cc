#include "lessons/data/digits/split_digits.h"

#include <algorithm>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/digits.h"
#include "framework/io/runfiles.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// 0 .. count - 1 in random order: sorted by a random number for each.
std::vector<int64_t> RandomOrder(int64_t count, uint64_t seed) {
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  const std::vector<double> keys = Rand({count}, DataType::kDouble).ToVector<double>();
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return keys[a] < keys[b]; });
  return order;
}

}  // namespace

absl::StatusOr<DigitsSplit> SplitDigits(const SplitDigitsOptions& options) {
  const absl::StatusOr<Digits> digits = LoadDigits(RunfilePath(kDigitsPath));
  if (!digits.ok()) return digits.status();
  const int64_t count = digits->count;
  if (options.num_validation < 1 || options.num_test < 1 || options.num_validation >= count ||
      options.num_test >= count - options.num_validation) {
    return absl::InvalidArgumentError(
        absl::StrCat("of ", count, " digits, ", options.num_validation, " for validation and ",
                     options.num_test, " for the test leave a part without any"));
  }
  const DlArray images =
      DlArray::FromVector(digits->images, {8, 8, 1, count}, "SSCB") / DlArray(16.0);
  const DlArray targets = OneHot(DlArray::FromVector(digits->labels, {count}, "B"), 10);

  const std::vector<int64_t> order = RandomOrder(count, options.seed);
  const auto part = [&](int64_t first, int64_t size) {
    const DlArray indices = DlArray::FromSpan(std::span(order).subspan(first, size), {size});
    return Dataset(Gather(images, 'B', indices), Gather(targets, 'B', indices));
  };
  const int64_t num_train = count - options.num_validation - options.num_test;
  return DigitsSplit{.train = part(0, num_train),
                     .validation = part(num_train, options.num_validation),
                     .test = part(num_train + options.num_validation, options.num_test),
                     .test_positions = {order.end() - options.num_test, order.end()}};
}

}  // namespace lamina
