// The digits read as one reads: column by column from the left, the empty margins cut off.
//
//   absl::StatusOr<DigitColumns> digits = ReadDigitColumns(/*seed=*/1);
//   digits->train.x[0];                   // 8(C) x 6(T): six columns of eight pixels
//
// Threads: pure functions and plain values.
#ifndef LESSONS_RECURRENT_STATE_DIGIT_COLUMNS_H_
#define LESSONS_RECURRENT_STATE_DIGIT_COLUMNS_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "framework/trainnet/data.h"

namespace lamina {

struct ColumnSequences {
  DlArrays x;  ///< 8(C) x 2 to 8(T) each; 0 is white and 1 is black.
  DlArray t;   ///< 10(C) x N(B), one-hot.
  Dataset Data() const { return Dataset(Sequences(x), t); }
};

struct DigitColumns {
  ColumnSequences train, validation, test;
};

/// Split as SplitDigits does. Errors: those of SplitDigits.
absl::StatusOr<DigitColumns> ReadDigitColumns(uint64_t seed);

}  // namespace lamina

#endif  // LESSONS_RECURRENT_STATE_DIGIT_COLUMNS_H_
