// The ops of a solver's step for one array: what it computes, and how it is written in a recorded
// step.
//
// Threads: ops are immutable.
#ifndef FRAMEWORK_TRAINNET_UPDATE_OPS_H_
#define FRAMEWORK_TRAINNET_UPDATE_OPS_H_

#include <cstdint>
#include <span>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {

/// Inputs: parameter, gradient, averages.., rates. Outputs: parameter, averages..
class UpdateOp : public Op, public WrittenOp {
 public:
  /// What of the rates is multiplied by an array's learn rate factor, and by its L2 factor.
  struct Factors {
    bool learn_rate, l2;
  };
  virtual std::span<const Factors> RateFactors() const = 0;
  void Infer(const Specs& inputs, SpecList* outputs) const override;
};

/// Live as long as the program.
const UpdateOp& SgdmOp();
const UpdateOp& RmspropOp();
const UpdateOp& AdamOp();

/// SgdmStepRates, RmspropStepRates or AdamStepRates as the last input: a vector of doubles, and no
/// attributes of the op, since they change from step to step, and a recorded step must be usable
/// for the next one.
template <class Rates>
DlArray RatesArray(const Rates& rates) {
  constexpr int64_t kCount = sizeof(Rates) / sizeof(double);
  return DlArray::FromBytes(DataType::kDouble, &rates, kCount, {kCount});
}

}  // namespace lamina::internal

#endif  // FRAMEWORK_TRAINNET_UPDATE_OPS_H_
