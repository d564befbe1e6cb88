// The UCI digits as arrays, parted by chance into pictures to train with, to watch the training
// with, and to test with. Used by the lessons.
//
//   absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = 1});
//   TrainNet(digits->train, network, "crossentropy", options);
//
// Threads: pure functions and plain values.
#ifndef LESSONS_DATA_DIGITS_SPLIT_DIGITS_H_
#define LESSONS_DATA_DIGITS_SPLIT_DIGITS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/dlarray/dlarray.h"
#include "framework/trainnet/data.h"

namespace lamina {

struct SplitDigitsOptions {
  int64_t num_validation = 180;
  int64_t num_test = 360;  ///< The other 1,257 of the 1,797 are there to train with.
  uint64_t seed = 1;
};

/// Inputs are 8(S) x 8(S) x 1(C) x N(B), 0 is white and 1 is black; targets 10(C) x N(B), one-hot.
struct DigitsSplit {
  Dataset train;
  Dataset validation;
  Dataset test;
  std::vector<int64_t> test_positions;  ///< Of the test pictures in the file, from 0.
};

/// Every picture goes into one part; which one depends on the seed alone.
///
/// Errors: kInvalidArgument when a part would have no picture; those of LoadDigits.
absl::StatusOr<DigitsSplit> SplitDigits(const SplitDigitsOptions& options = {});

}  // namespace lamina

#endif  // LESSONS_DATA_DIGITS_SPLIT_DIGITS_H_
