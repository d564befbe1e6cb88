#include "framework/trainnet/data.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

void CheckArray(const DlArray& x, std::string_view role, size_t i) {
  const std::string who = absl::StrCat(std::string(role), " ", i + 1);
  if (x.empty()) {
    throw Error("data:Empty", absl::StrCat(who, " has one observation at least."),
                absl::StrCat("A ", ToString(x.spec()), " came."), "");
  }
  if (FindDim(x, 'B') >= 0) return;
  throw Error("data:Unlabelled",
              absl::StrCat(who, " has a dim \"B\", along which its observations lie."),
              absl::StrCat("A ", ToString(x.spec()), " came."),
              "Label its dims: DlArray(x, \"SSCB\") for images, DlArray(x, \"CB\") for features or "
              "scores, DlArray(x, \"B\") for class numbers.");
}

}  // namespace

int64_t NumObservations(const Dataset& data) {
  if (data.inputs.empty()) {
    throw Error("data:Empty", "Data have one input at least.", "None came.", "");
  }
  for (size_t i = 0; i < data.inputs.size(); ++i) CheckArray(data.inputs[i], "Input", i);
  for (size_t i = 0; i < data.targets.size(); ++i) CheckArray(data.targets[i], "Target", i);
  const int64_t n = Size(data.inputs[0], 'B');
  const auto check = [n](const DlArray& x, std::string_view role, size_t i) {
    if (Size(x, 'B') == n) return;
    throw Error(
        "data:ObservationMismatch",
        absl::StrCat("All inputs and targets have as many observations as input 1, ", n, "."),
        absl::StrCat(std::string(role), " ", i + 1, " has ", Size(x, 'B'), ", ", ToString(x.spec()),
                     "."),
        "");
  };
  for (size_t i = 1; i < data.inputs.size(); ++i) check(data.inputs[i], "Input", i);
  for (size_t i = 0; i < data.targets.size(); ++i) check(data.targets[i], "Target", i);
  return n;
}

MiniBatchQueue::MiniBatchQueue(Dataset data, const MiniBatchOptions& options)
    : data_(std::move(data)), options_(options), num_observations_(lamina::NumObservations(data_)) {
  internal::CheckAtLeastOne("mini_batch_size", options.mini_batch_size);
}

int64_t MiniBatchQueue::NumBatches() const {
  const int64_t size = options_.mini_batch_size, whole = num_observations_ / size;
  const bool partial = num_observations_ % size != 0;
  if (options_.partial_mini_batch == PartialMiniBatch::kDiscard) {
    return std::max<int64_t>(1, whole);
  }
  return whole + (partial ? 1 : 0);
}

MiniBatch MiniBatchQueue::Next() {
  if (!HasData()) {
    throw Error("data:NoMoreData", "Next is called while HasData is true.",
                absl::StrCat("All ", NumBatches(), " batches were taken."),
                "Call Reset or Shuffle.");
  }
  const int64_t begin = next_++ * options_.mini_batch_size;
  MiniBatch batch;
  batch.num_observations = std::min(options_.mini_batch_size, num_observations_ - begin);
  DlArray indices;
  if (!order_.empty()) {
    indices = DlArray::FromSpan<int64_t>(std::span(order_).subspan(begin, batch.num_observations),
                                         {batch.num_observations});
  }
  const auto take = [&](const DlArrays& from, DlArrays& to) {
    to.reserve(from.size());
    for (const DlArray& x : from) {
      if (!order_.empty()) {
        to.push_back(Gather(x, 'B', indices));
      } else if (batch.num_observations == num_observations_) {
        to.push_back(x);
      } else {
        to.push_back(Slice(x, 'B', begin, batch.num_observations));
      }
    }
  };
  take(data_.inputs, batch.inputs);
  take(data_.targets, batch.targets);
  return batch;
}

void MiniBatchQueue::Shuffle(RandomSource& source) {
  next_ = 0;
  const int64_t n = num_observations_;
  const ScopedRandomSource scope(source);
  const std::vector<double> draws = Rand({n}, DataType::kDouble).ToVector<double>();
  order_.resize(n);
  std::iota(order_.begin(), order_.end(), 0);
  for (int64_t i = n - 1; i > 0; --i) {
    std::swap(order_[i], order_[static_cast<int64_t>(draws[i] * static_cast<double>(i + 1))]);
  }
}

}  // namespace lamina
