#include "framework/trainnet/sequences.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/creation.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

// The sequence with `steps` steps.
DlArray Fit(const DlArray& x, int64_t steps, const PadOptions& options) {
  const int64_t own = Size(x, 'T');
  const bool right = options.direction == PaddingDirection::kRight;
  if (own == steps) return x;
  if (own > steps) return Slice(x, 'T', right ? 0 : own - steps, steps);
  Sizes sizes = x.sizes();
  sizes[FindDim(x, 'T')] = steps - own;
  const DlArray padding = Full(sizes, options.padding_value, x.type(), Dims(x));
  return right ? Cat('T', {x, padding}) : Cat('T', {padding, x});
}

// The same array with a dim B of one observation.
DlArray AsBatch(const DlArray& x) {
  const int t = FindDim(x, 'T');
  Sizes sizes = x.sizes();
  sizes.insert(sizes.begin() + t, 1);
  std::string labels = Dims(x);
  labels.insert(static_cast<size_t>(t), 1, 'B');
  return Reshape(x, sizes, labels);
}

}  // namespace

SequenceLength::SequenceLength(std::string_view name) : name_(name) {
  internal::CheckChoice("sequence_length", name, {"auto", "longest", "shortest", "equal"});
}

SequenceLength::SequenceLength(int64_t steps) : steps_(steps) {
  internal::CheckAtLeastOne("sequence_length", steps);
}

void CheckSequences(const DlArrays& sequences, std::string_view role) {
  const std::string who(role);
  if (sequences.empty()) {
    throw Error("data:Empty", absl::StrCat(who, " has one sequence at least."), "None came.", "");
  }
  const DlArray& first = sequences[0];
  const int first_t = FindDim(first, 'T');
  for (size_t i = 0; i < sequences.size(); ++i) {
    const DlArray& x = sequences[i];
    const std::string came = absl::StrCat("Sequence ", i + 1, " is a ", ToString(x.spec()), ".");
    const int t = FindDim(x, 'T');
    if (t < 0 || FindDim(x, 'B') >= 0) {
      throw Error(
          "data:SequenceFormat",
          absl::StrCat(who, " is a list of sequences: arrays with a dim \"T\" and no \"B\"."), came,
          "Label each sequence: DlArray(x, \"CT\").");
    }
    if (x.empty()) {
      throw Error("data:EmptySequence", absl::StrCat(who, " has sequences of one step or more."),
                  came, "Leave empty sequences out.");
    }
    Sizes sizes = x.sizes();
    bool same = x.type() == first.type() && x.format() == first.format();
    if (same) {
      sizes[t] = first.size(first_t);
      same = sizes == first.sizes();
    }
    if (same) continue;
    throw Error(
        "data:SequenceMismatch",
        absl::StrCat(who, " has sequences that differ in their length alone; the first is a ",
                     ToString(first.spec()), "."),
        came, "");
  }
}

PaddedSequences PadSequences(const DlArrays& sequences, const PadOptions& options) {
  CheckSequences(sequences);
  std::vector<int64_t> lengths;
  for (const DlArray& x : sequences) lengths.push_back(Size(x, 'T'));
  int64_t steps = options.length.steps();
  if (steps == 0) {
    internal::CheckChoice("length", options.length.name(), {"longest", "shortest"});
    const auto [shortest, longest] = std::minmax_element(lengths.begin(), lengths.end());
    steps = options.length.name() == "longest" ? *longest : *shortest;
  }
  const int64_t n = static_cast<int64_t>(sequences.size());
  DlArrays fitted;
  for (const DlArray& x : sequences) fitted.push_back(AsBatch(Fit(x, steps, options)));
  const DlArray all = Cat('B', fitted);  // Refuses more steps than there can be.
  std::vector<uint8_t> mask(n * steps, 0);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t real = std::min(lengths[i], steps);
    const int64_t begin = options.direction == PaddingDirection::kRight ? 0 : steps - real;
    for (int64_t t = begin; t < begin + real; ++t) mask[i + n * t] = 1;
  }
  return {all, DlArray::FromBytes(DataType::kLogical, mask.data(), mask.size(), {n, steps}, "BT")};
}

DlArray RealSteps(const DlArray& x, const DlArray& mask) {
  const int b = FindDim(x, 'B'), t = FindDim(x, 'T');
  if (b < 0 || t < 0 || x.size(b) != Size(mask, 'B') || x.size(t) != Size(mask, 'T')) {
    throw Error("data:MaskMismatch",
                absl::StrCat("The mask tells which of ", Size(mask, 'T'), " time steps of ",
                             Size(mask, 'B'), " sequences are real."),
                absl::StrCat("A ", ToString(x.spec()), " came."), "");
  }
  // Dims stand in the order S C B T U, so B and T are neighbours.
  Sizes sizes = x.sizes();
  sizes[b] *= sizes[t];
  sizes.erase(sizes.begin() + t);
  std::string labels = Dims(x);
  labels.erase(static_cast<size_t>(t), 1);
  const DlArray steps = Reshape(x, sizes, labels);
  const uint8_t* real = mask.Data<uint8_t>();
  std::vector<int64_t> places;
  for (int64_t i = 0; i < mask.numel(); ++i) {
    if (real[i] != 0) places.push_back(i);
  }
  const int64_t count = static_cast<int64_t>(places.size());
  return count == mask.numel() ? steps
                               : Gather(steps, 'B', DlArray::FromVector<int64_t>(places, {count}));
}

}  // namespace lamina
