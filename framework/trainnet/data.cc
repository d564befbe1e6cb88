#include "framework/trainnet/data.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

void CheckObservations(const Observations& x, const std::string& who) {
  if (!x.sequences.empty()) return CheckSequences(x.sequences, who);
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

int64_t Count(const Observations& x) {
  return x.sequences.empty() ? Size(x, 'B') : static_cast<int64_t>(x.sequences.size());
}

bool AreSequences(const Observations& x) { return !x.sequences.empty(); }

// True when the observations are numbers one after another.
bool IsRange(const std::vector<int64_t>& observations) {
  for (size_t i = 1; i < observations.size(); ++i) {
    if (observations[i] != observations[i - 1] + 1) return false;
  }
  return true;
}

// How many steps of each observation are real.
std::vector<int64_t> StepCounts(const DlArray& mask) {
  const int64_t n = Size(mask, 'B');
  std::vector<int64_t> counts(n, 0);
  const uint8_t* real = mask.Data<uint8_t>();
  for (int64_t i = 0; i < mask.numel(); ++i) counts[i % n] += real[i];
  return counts;
}

// Padded, an input and a target that do not belong together may have the same sizes. A target
// whose padded size an input has is expected to be as long as that input (one of them), sequence
// by sequence.
void CheckLengths(const MiniBatch& batch, size_t target) {
  const std::vector<int64_t> expected = StepCounts(batch.target_masks[target]);
  std::string came;
  for (size_t i = 0; i < batch.input_masks.size(); ++i) {
    if (batch.input_masks[i].sizes() != batch.target_masks[target].sizes()) continue;
    const std::vector<int64_t> counts = StepCounts(batch.input_masks[i]);
    if (counts == expected) return;
    const auto [input, other] = std::mismatch(counts.begin(), counts.end(), expected.begin());
    came = absl::StrCat("Sequence ", batch.observations[input - counts.begin()] + 1, " of input ",
                        i + 1, " has ", *input, ", its target ", *other, ".");
  }
  if (came.empty()) return;
  throw Error("data:SequenceMismatch",
              absl::StrCat("A sequence of target ", target + 1,
                           " has as many time steps as that of the input."),
              came, "Check that both lists have the same order.");
}

}  // namespace

int64_t NumObservations(const Dataset& data) {
  if (data.inputs.empty()) {
    throw Error("data:Empty", "Data have one input at least.", "None came.", "");
  }
  const auto for_each = [&data](const auto& f) {
    for (size_t i = 0; i < data.inputs.size(); ++i)
      f(data.inputs[i], absl::StrCat("Input ", i + 1));
    for (size_t i = 0; i < data.targets.size(); ++i) {
      f(data.targets[i], absl::StrCat("Target ", i + 1));
    }
  };
  for_each(CheckObservations);
  const int64_t n = Count(data.inputs[0]);
  for_each([n](const Observations& x, const std::string& who) {
    if (Count(x) == n) return;
    const std::string what = AreSequences(x) ? "a list of sequences" : ToString(x.spec());
    throw Error(
        "data:ObservationMismatch",
        absl::StrCat("All inputs and targets have as many observations as input 1, ", n, "."),
        absl::StrCat(who, " has ", Count(x), ", ", what, "."), "");
  });
  return n;
}

void LeaveOutPadding(const MiniBatch& batch, DlArrays& outputs, DlArrays& targets) {
  for (size_t i = 0; i < batch.target_masks.size(); ++i) {
    const DlArray& mask = batch.target_masks[i];
    if (mask.empty()) continue;
    CheckLengths(batch, i);
    targets[i] = RealSteps(targets[i], mask);
    if (i >= outputs.size()) continue;
    if (Size(outputs[i], 'B') != Size(mask, 'B') || Size(outputs[i], 'T') != Size(mask, 'T')) {
      throw Error(
          "data:MaskMismatch",
          absl::StrCat("Target ", i + 1, " is sequences; output ", i + 1,
                       " has a value for each of their ", Size(mask, 'T'),
                       " time steps (padding included) in a batch of ", Size(mask, 'B'), "."),
          absl::StrCat("It is a ", ToString(outputs[i].spec()), "."),
          "Let the network return as many time steps, or give one target for each sequence.");
    }
    outputs[i] = RealSteps(outputs[i], mask);
  }
}

MiniBatchQueue::MiniBatchQueue(Dataset data, const MiniBatchOptions& options)
    : data_(std::move(data)), options_(options), num_observations_(lamina::NumObservations(data_)) {
  internal::CheckAtLeastOne("mini_batch_size", options.mini_batch_size);
  const std::vector<Observations>& t = data_.targets;
  const bool for_each_step = !t.empty() && std::all_of(t.begin(), t.end(), AreSequences);
  const std::string& length = options.sequence_length.name();
  equal_lengths_ = length == "equal" || (length == "auto" && !for_each_step);
  if (length == "auto" || length == "equal") options_.sequence_length = "longest";
  std::vector<int64_t> order(num_observations_);
  std::iota(order.begin(), order.end(), 0);
  SetBatches(order);
}

std::vector<int64_t> MiniBatchQueue::LengthsOf(int64_t observation) const {
  std::vector<int64_t> lengths;
  if (!equal_lengths_) return lengths;
  for (const std::vector<Observations>* list : {&data_.inputs, &data_.targets}) {
    for (const Observations& x : *list) {
      if (AreSequences(x)) lengths.push_back(Size(x.sequences[observation], 'T'));
    }
  }
  return lengths;
}

void MiniBatchQueue::SetBatches(const std::vector<int64_t>& order) {
  const size_t size = static_cast<size_t>(options_.mini_batch_size);
  next_ = 0;
  batches_.clear();
  std::map<std::vector<int64_t>, std::vector<int64_t>> open;  // By lengths.
  for (int64_t observation : order) {
    std::vector<int64_t>& batch = open[LengthsOf(observation)];
    batch.push_back(observation);
    if (batch.size() < size) continue;
    batches_.push_back(std::move(batch));
    batch.clear();
  }
  if (options_.partial_mini_batch == PartialMiniBatch::kDiscard && !batches_.empty()) return;
  for (auto& [lengths, batch] : open) {
    if (!batch.empty()) batches_.push_back(std::move(batch));
  }
}

MiniBatch MiniBatchQueue::Next() {
  if (!HasData()) {
    throw Error("data:NoMoreData", "Next is called while HasData is true.",
                absl::StrCat("All ", NumBatches(), " batches were taken."),
                "Call Reset or Shuffle.");
  }
  MiniBatch batch;
  batch.observations = batches_[next_++];
  batch.num_observations = static_cast<int64_t>(batch.observations.size());
  Take(data_.inputs, false, batch, batch.inputs, batch.input_masks);
  Take(data_.targets, true, batch, batch.targets, batch.target_masks);
  return batch;
}

void MiniBatchQueue::Take(const std::vector<Observations>& from, bool is_target,
                          const MiniBatch& batch, DlArrays& to, DlArrays& masks) const {
  const int64_t n = batch.num_observations;
  const bool is_range = IsRange(batch.observations);
  for (const Observations& x : from) {
    DlArray mask;
    if (AreSequences(x)) {
      DlArrays sequences;
      for (int64_t i : batch.observations) sequences.push_back(x.sequences[i]);
      PaddedSequences padded =
          PadSequences(sequences, {.length = options_.sequence_length,
                                   .padding_value = is_target ? 0 : options_.sequence_padding_value,
                                   .direction = options_.sequence_padding_direction});
      if (!equal_lengths_) mask = padded.mask;
      to.push_back(padded.x);
    } else if (is_range && n == num_observations_) {
      to.push_back(x);
    } else if (is_range) {
      to.push_back(Slice(x, 'B', batch.observations[0], n));
    } else {
      to.push_back(Gather(x, 'B', DlArray::FromVector<int64_t>(batch.observations, {n})));
    }
    masks.push_back(mask);
  }
}

void MiniBatchQueue::Shuffle(RandomSource& source) {
  const int64_t n = num_observations_;
  const ScopedRandomSource scope(source);
  const std::vector<double> draws = Rand({n}, DataType::kDouble).ToVector<double>();
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i) {
    std::swap(order[i], order[static_cast<int64_t>(draws[i] * static_cast<double>(i + 1))]);
  }
  SetBatches(order);
}

}  // namespace lamina
