// An op that other array functions can compute too: where it has no kernel of its own, in printed
// code and on a device, these take its place (graph/expand_composed.h).
//
// Such an op derives from ComposedOp beside Op, and from WrittenOp too where it is written out in
// loops as well. What it is composed of has a printed form.
#ifndef FRAMEWORK_OPS_COMPOSED_OP_H_
#define FRAMEWORK_OPS_COMPOSED_OP_H_

#include "framework/ops/op.h"

namespace lamina {

class ComposedOp {
 public:
  virtual ~ComposedOp() = default;
  /// The op's outputs from its inputs, with the specs that Infer gives. For inputs that are finite
  /// they are those of Run within the error that the op states; NaN and infinity may spread
  /// further.
  virtual DlArrays Compose(Arrays inputs) const = 0;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_COMPOSED_OP_H_
