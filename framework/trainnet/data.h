// Data in memory, and mini-batches of it.
//
//   Dataset data(images, OneHotEncode(labels, names));     // "SSCB" and "CB"
//   MiniBatchQueue queue(data, {.mini_batch_size = 32});
//   for (queue.Shuffle(); queue.HasData();) {
//     const MiniBatch batch = queue.Next();
//     ...
//   }
//
// Sequences of different lengths are lists of arrays (sequences.h):
//
//   Dataset spoken(Sequences(recordings), OneHotEncode(words, names));   // "CT" each, and "CB"
//   Dataset tagged(Sequences(recordings), Sequences(tags));              // a target for each step
//
// A batch of them is one array, "CBT", padded or cut as MiniBatchOptions say, with a mask.
//
// Errors of all: "data:Empty" without arrays, or with one that has no element; "data:Unlabelled"
// for an array without a B dim, along which the observations lie; "data:ObservationMismatch" when
// arrays have different numbers of observations; those of sequences.h; "trainnet:InvalidOption".
// Threads: a Dataset is a value; a queue belongs to one thread.
#ifndef FRAMEWORK_TRAINNET_DATA_H_
#define FRAMEWORK_TRAINNET_DATA_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/random.h"
#include "framework/trainnet/sequences.h"

namespace lamina {

/// All observations of one input or target: an array that has them along B, or a list of sequences.
struct Observations : DlArray {
  DlArrays sequences{};  ///< Not empty: these are the observations, and the array is unset.

  Observations() = default;
  Observations(DlArray x) : DlArray(std::move(x)) {}           // NOLINT(runtime/explicit)
  Observations(Sequences s) : sequences(std::move(s.list)) {}  // NOLINT(runtime/explicit)
};

/// One for each input of a network and for each target. With several of which some are sequences,
/// set the members: data.inputs = {Sequences(x), images}.
struct Dataset {
  std::vector<Observations> inputs;
  std::vector<Observations> targets;

  Dataset() = default;
  Dataset(const DlArrays& x, const DlArrays& t)
      : inputs(x.begin(), x.end()), targets(t.begin(), t.end()) {}
  /// One input and one target.
  Dataset(const DlArray& x, const DlArray& t) : inputs{x}, targets{t} {}
  Dataset(Observations x, Observations t) : inputs{std::move(x)}, targets{std::move(t)} {}
};

/// The number of observations, after a check of all arrays. Without targets only the inputs count.
int64_t NumObservations(const Dataset& data);

struct MiniBatch {
  DlArrays inputs;
  DlArrays targets;
  /// For each input and target the mask of its time steps (PaddedSequences); unset where it comes
  /// from a whole array, and in batches of equal length.
  DlArrays input_masks{}, target_masks{};
  int64_t num_observations = 0;
  std::vector<int64_t> observations{};  ///< Their numbers in the data, from 0.
};

/// Replaces each target that has a mask, and the output of the same number, by its real steps
/// (RealSteps): padding is not there any more for losses and metrics. Errors: "data:MaskMismatch"
/// for an output that does not have the target's time steps, naming it; "data:SequenceMismatch" for
/// a target whose sequences are padded as an input's are but have other lengths.
void LeaveOutPadding(const MiniBatch& batch, DlArrays& outputs, DlArrays& targets);

enum class PartialMiniBatch : uint8_t {
  kReturn,   ///< The last batch may be smaller.
  kDiscard,  ///< A smaller last batch is left out, unless it is the only one.
};

struct MiniBatchOptions {
  int64_t mini_batch_size = 128;
  PartialMiniBatch partial_mini_batch = PartialMiniBatch::kReturn;
  /// "longest", "shortest" or a number: see sequences.h; each input and target by itself. "equal":
  /// each batch has sequences of equal lengths, and nothing is padded or cut; batches come as their
  /// lengths fill them, and are partial more often. "auto": "longest" when all targets are
  /// sequences. Otherwise "equal": the last step of a padded sequence, on which a target for the
  /// whole sequence would depend, is padding.
  SequenceLength sequence_length = "auto";
  double sequence_padding_value = 0;  ///< In inputs; targets are padded with zeros.
  PaddingDirection sequence_padding_direction = PaddingDirection::kRight;
};

class MiniBatchQueue {
 public:
  explicit MiniBatchQueue(Dataset data, const MiniBatchOptions& options = {});

  int64_t NumObservations() const { return num_observations_; }
  /// From one Reset to the end of the data.
  int64_t NumBatches() const { return static_cast<int64_t>(batches_.size()); }
  bool HasData() const { return next_ < NumBatches(); }
  /// The next batch. Errors: "data:NoMoreData".
  MiniBatch Next();
  /// Back to the first batch, in the same order.
  void Reset() { next_ = 0; }
  /// A new random order, drawn from `source` or else from the current source; back to the first
  /// batch. Every order is as likely as any other (Fisher and Yates, 1938; Durstenfeld, 1964).
  void Shuffle(RandomSource& source);
  void Shuffle() { Shuffle(CurrentRandomSource()); }

 private:
  // Cuts `order` into batches.
  void SetBatches(const std::vector<int64_t>& order);
  // The lengths of an observation's sequences, where batches have equal ones.
  std::vector<int64_t> LengthsOf(int64_t observation) const;
  void Take(const std::vector<Observations>& from, bool is_target, const MiniBatch& batch,
            DlArrays& to, DlArrays& masks) const;

  Dataset data_;
  MiniBatchOptions options_;
  bool equal_lengths_ = false;
  int64_t num_observations_;
  int64_t next_ = 0;
  std::vector<std::vector<int64_t>> batches_;  // The observations of each.
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_DATA_H_
