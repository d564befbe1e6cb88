// Arrays moved by a little: how much does a function make of a last digit of its arguments?
//
//   const DlArrays up = f(Moved(x, kLastDigits)), down = f(Moved(x, -kLastDigits));
//
// Threads: a pure function; the thread's random numbers stay as they are.
#ifndef FRAMEWORK_OPS_MOVED_H_
#define FRAMEWORK_OPS_MOVED_H_

#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"

namespace lamina {

/// A few units in the last place of an array in single.
inline constexpr double kLastDigits = 0x1p-22;

/// Each floating element moved by `by` of itself: by chance up or down, and for -by the other way
/// than for by. So sums whose terms cancel move too. Unset arrays and those of other types are
/// returned as they came.
DlArrays Moved(Arrays arrays, double by);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_MOVED_H_
