// Data in memory, and mini-batches of it.
//
//   Dataset data(images, OneHotEncode(labels, names));     // "SSCB" and "CB"
//   MiniBatchQueue queue(data, {.mini_batch_size = 32});
//   for (queue.Shuffle(); queue.HasData();) {
//     const MiniBatch batch = queue.Next();
//     ...
//   }
//
// Errors of all: "data:Empty" without arrays, or with one that has no element; "data:Unlabelled"
// for an array without a B dim, along which the observations lie; "data:ObservationMismatch" when
// arrays have different numbers of observations; "trainnet:InvalidOption".
// Threads: a Dataset is a value; a queue belongs to one thread.
#ifndef FRAMEWORK_TRAINNET_DATA_H_
#define FRAMEWORK_TRAINNET_DATA_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/random.h"

namespace lamina {

/// One array for each input of a network and for each target; observations along B.
struct Dataset {
  DlArrays inputs;
  DlArrays targets;

  Dataset() = default;
  Dataset(DlArrays x, DlArrays t) : inputs(std::move(x)), targets(std::move(t)) {}
  /// One input and one target.
  Dataset(const DlArray& x, const DlArray& t) : inputs{x}, targets{t} {}
};

/// The number of observations, after a check of all arrays. Without targets only the inputs count.
int64_t NumObservations(const Dataset& data);

struct MiniBatch {
  DlArrays inputs;
  DlArrays targets;
  int64_t num_observations = 0;
};

enum class PartialMiniBatch : uint8_t {
  kReturn,   ///< The last batch may be smaller.
  kDiscard,  ///< A smaller last batch is left out, unless it is the only one.
};

struct MiniBatchOptions {
  int64_t mini_batch_size = 128;
  PartialMiniBatch partial_mini_batch = PartialMiniBatch::kReturn;
};

class MiniBatchQueue {
 public:
  explicit MiniBatchQueue(Dataset data, const MiniBatchOptions& options = {});

  int64_t NumObservations() const { return num_observations_; }
  /// From one Reset to the end of the data.
  int64_t NumBatches() const;
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
  Dataset data_;
  MiniBatchOptions options_;
  int64_t num_observations_;
  int64_t next_ = 0;
  std::vector<int64_t> order_;  // Empty: as the data stand.
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_DATA_H_
