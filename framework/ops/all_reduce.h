// Sums over ranks: processes that compute one thing together (parallel/communicator.h).
//
//   DlArrays sums = AllReduceSum({w * dx, w * dy}, parallel::RanksOfProcess());
//
// It is one op, so it can be recorded, and all of its arrays go on one way: what is to be summed in
// a step of a training stands in one call, and nothing has to keep several calls in order. On a
// device a library of the vendor's does it, between devices.
//
// Threads: all ranks call in the same order, so one thread of each.
#ifndef FRAMEWORK_OPS_ALL_REDUCE_H_
#define FRAMEWORK_OPS_ALL_REDUCE_H_

#include <memory>
#include <string>
#include <vector>

#include "framework/ops/op.h"
#include "framework/parallel/communicator.h"

namespace lamina {

/// For each array of a floating type the sum of the arrays that the ranks give at this place, which
/// have its spec; the same in all ranks, to the last bit, added as Communicator::AllReduceSum says,
/// on a device in the library's order. With L the sum of what the ranks derive from it, the
/// derivative of an input is the sum over ranks of those of the output; so all ranks differentiate.
/// Errors: "ops:UnsupportedType"; those of the communicator.
DlArrays AllReduceSum(Arrays x, const std::shared_ptr<parallel::Communicator>& ranks);

namespace internal {

class AllReduceOp : public Op {
 public:
  explicit AllReduceOp(std::shared_ptr<parallel::Communicator> ranks) : ranks_(std::move(ranks)) {}
  std::string_view Name() const override { return "all_reduce_sum"; }
  std::string Attributes() const override;
  void Infer(const Specs& inputs, SpecList* outputs) const override;
  void Run(Arrays inputs, Results outputs) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  /// What it gives depends on other processes, and these count on each call: none may be left out,
  /// shared, or computed before its time.
  bool IsRandom() const override { return true; }
  const std::shared_ptr<parallel::Communicator>& ranks() const { return ranks_; }

 private:
  const std::shared_ptr<parallel::Communicator> ranks_;
};

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_OPS_ALL_REDUCE_H_
