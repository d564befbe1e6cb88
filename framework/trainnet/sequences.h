// Sequences of different lengths in one array: padding, and the mask that tells it from data.
//
//   const PaddedSequences padded = PadSequences({a, b});   // 3(C) x 5(T) and 3(C) x 2(T)
//   padded.x;                                              // 3(C) x 2(B) x 5(T)
//   padded.mask;                                           // 2(B) x 5(T): 1 where a step is real
//   CrossEntropy(RealSteps(y, padded.mask), RealSteps(t, padded.mask));
//
// Padding must count nowhere. There is one place for that: RealSteps takes the steps that are real
// out of an array, one after another along B. What gets these, any loss or metric, sees no padding
// and needs no mask. TrainNet does so for you (train_net.h).
//
// A sequence has a dim "T" and no "B". Sequences of one list have the same type and labels, and the
// same sizes but for T. Errors of all: "data:Empty" for an empty list; "data:SequenceFormat" for an
// array that is no sequence; "data:EmptySequence" for one without steps; "data:SequenceMismatch"
// for one that differs from the first; "trainnet:InvalidOption".
// Threads: pure functions.
#ifndef FRAMEWORK_TRAINNET_SEQUENCES_H_
#define FRAMEWORK_TRAINNET_SEQUENCES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// A list of sequences, each of a length of its own: the observations of one input or target.
struct Sequences {
  DlArrays list;
  explicit Sequences(DlArrays sequences) : list(std::move(sequences)) {}
};

/// How long the sequences of a batch become.
class SequenceLength {
 public:
  /// "longest": as the longest; shorter ones are padded. "shortest": as the shortest; longer ones
  /// are cut. For batches of data also "equal" and "auto" (data.h). Errors:
  /// "trainnet:InvalidOption" for another name.
  SequenceLength(std::string_view name);                                        // NOLINT
  SequenceLength(const char* name) : SequenceLength(std::string_view(name)) {}  // NOLINT
  SequenceLength(const std::string& name)                                       // NOLINT
      : SequenceLength(std::string_view(name)) {}
  /// All of this length, 1 or more: shorter ones are padded, longer ones are cut.
  SequenceLength(int64_t steps);                                 // NOLINT(runtime/explicit)
  SequenceLength(int steps) : SequenceLength(int64_t{steps}) {}  // NOLINT(runtime/explicit)

  /// "" for a number.
  const std::string& name() const { return name_; }
  int64_t steps() const { return steps_; }

 private:
  std::string name_;
  int64_t steps_ = 0;
};

/// The side on which padding is added, and on which sequences that are too long are cut.
enum class PaddingDirection : uint8_t { kRight, kLeft };

struct PadOptions {
  SequenceLength length = "longest";
  double padding_value = 0;
  PaddingDirection direction = PaddingDirection::kRight;
};

struct PaddedSequences {
  DlArray x;     ///< The sequences along B, labels as theirs.
  DlArray mask;  ///< Logical, B x T: true where a step comes from a sequence.
};

/// Errors: "trainnet:InvalidOption" for the lengths "equal" and "auto".
PaddedSequences PadSequences(const DlArrays& sequences, const PadOptions& options = {});

/// The steps of x where `mask` (B x T) is true, one after another along B, those of the first time
/// step first: 3(C) x 2(B) x 5(T) with 7 real steps becomes 3(C) x 7(B). Derivatives pass; those of
/// padding are zero. Errors: "data:MaskMismatch" unless x has the B and T dims of the mask.
DlArray RealSteps(const DlArray& x, const DlArray& mask);

/// Does nothing for a list of sequences. `role` names the list in errors: "Input 1".
void CheckSequences(const DlArrays& sequences, std::string_view role = "The list");

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_SEQUENCES_H_
