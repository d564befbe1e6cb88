// Ops that work along dims, whatever these are called: reductions and normalizations. For those who
// bring arrays into another layout.
#ifndef FRAMEWORK_OPS_DIMS_OP_H_
#define FRAMEWORK_OPS_DIMS_OP_H_

#include <cstdint>

#include "framework/ops/op.h"

namespace lamina {

/// Each input and output has the sizes of input 0, or those with size 1 in all of `dims`.
class DimsOp {
 public:
  virtual ~DimsOp() = default;
  /// Bit d for dim d.
  virtual uint32_t dims() const = 0;
  /// The same along other dims; null when the result depends on where the dims stand.
  virtual OpPtr Along(uint32_t dims) const = 0;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_DIMS_OP_H_
