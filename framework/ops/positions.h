// Ops that take positions from the values of an array: which input, what range, and what is said of
// a position that is outside of it.
//
// The processor looks at them when such an op runs. A kernel cannot refuse one, so a device checks
// them beside it and tells it afterwards (framework/gpu/position_checks.h).
//
// Threads: plain values and pure functions.
#ifndef FRAMEWORK_OPS_POSITIONS_H_
#define FRAMEWORK_OPS_POSITIONS_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"
#include "framework/dlarray/error.h"
#include "framework/ops/op.h"

namespace lamina::internal {

/// Who takes them.
enum class PositionsOf : uint8_t { kGather, kScatterAdd, kOneHot, kGatherAlong, kScatterAddAlong };

struct Positions {
  PositionsOf of;
  int input;     ///< The one that has them, as int32 or int64.
  int64_t size;  ///< Each is from 0 to size - 1.
  bool Has(int64_t position) const { return position >= 0 && position < size; }
};

/// An op that takes positions derives from it beside Op.
class TakesPositions {
 public:
  virtual ~TakesPositions() = default;
  virtual Positions PositionsIn(const Specs& inputs) const = 0;
};

/// "dlarray:IndexOutOfRange": element `number` of the array of positions is `position`.
Error PositionError(PositionsOf of, int64_t size, int64_t number, int64_t position);

/// Throws it for the first of these that is out of range.
void CheckPositions(const Positions& positions, const DlArray& values);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_POSITIONS_H_
