// For tests of RoundToBfloat16: numbers all around those of bfloat16, and which is the nearest by
// the definition, in double.
#ifndef FRAMEWORK_OPS_TESTING_BFLOAT16_NUMBERS_H_
#define FRAMEWORK_OPS_TESTING_BFLOAT16_NUMBERS_H_

#include <gtest/gtest.h>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// Single, one dim: for each number of bfloat16, infinities and NaN too, itself and the numbers
/// whose lower bits are 1, just below, at and just above a half, some more, and all ones.
DlArray NumbersAroundBfloat16();

/// Does y have what is nearest to x, bit for bit (any NaN for NaN)?
::testing::AssertionResult IsNearestBfloat16(const DlArray& x, const DlArray& y);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_TESTING_BFLOAT16_NUMBERS_H_
