// The gradient rule of what has a forward and a backward of its own: a layer with Backward, a
// DifferentiableFunction.
//
// Forward runs while the tape does not listen. Of its arguments and results the tape keeps what
// Backward reads; its memory lives in the rule, which the tape drops with the rest. For a second
// derivative Forward runs once more, this time on the tape, so that derivatives pass through the
// memory; outputs carry theirs by the rule itself.
//
//   RunWithOwnBackward(std::make_shared<SomeRule>(...), inputs)    // what Forward returned
//
// Threads: one rule belongs to one call.
#ifndef FRAMEWORK_AUTODIFF_OWN_BACKWARD_H_
#define FRAMEWORK_AUTODIFF_OWN_BACKWARD_H_

#include <memory>
#include <string>
#include <utility>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/member_function.h"

namespace lamina::internal {

/// As many as Forward returns.
inline constexpr int kAllOutputs = -1;

/// How the rule's inputs and outputs become arguments of Backward.
struct BackwardShape {
  int inputs = 1;       ///< The first inputs of the rule: those that Forward takes.
  int outputs = 1;      ///< The first outputs of the rule: those that Backward may take.
  int derivatives = 1;  ///< Of how many outputs of the rule Backward takes the derivative.
  int may_lack = 0;     ///< So many inputs at the end Backward may leave without a derivative.
  uint64_t used = ~uint64_t{0};  ///< Bit i: Backward reads argument i.
};

class OwnBackwardRule : public GradientRule {
 public:
  std::string_view Name() const override { return name_; }
  SaveMask SavedInputs() const override;
  SaveMask SavedOutputs() const override;
  /// Errors: "autodiff:NoSecondDerivative" where the memory depends on an input that was not kept;
  /// "autodiff:BackwardArity"; those of Backward.
  DlArrays Gradient(const GradientCall& call) const override;

  /// Forward with the arrays that it takes.
  virtual CallResult CallForward(Arrays inputs) const = 0;

 protected:
  /// `name` is that of the backward, "Backward of SReluLayer".
  OwnBackwardRule(std::string name, BackwardShape shape) : name_(std::move(name)), shape_(shape) {}
  /// What Backward returns.
  virtual DlArrays CallBackward(Arrays arguments, const Memory& memory,
                                const GradientCall& call) const = 0;

 private:
  friend DlArrays RunWithOwnBackward(std::shared_ptr<OwnBackwardRule> rule, Arrays inputs);
  Memory MemoryFor(const GradientCall& call) const;

  std::string name_;
  BackwardShape shape_;
  Memory memory_;
};

/// What the rule's Forward returns for `inputs`, with this rule for its gradient.
DlArrays RunWithOwnBackward(std::shared_ptr<OwnBackwardRule> rule, Arrays inputs);

}  // namespace lamina::internal

#endif  // FRAMEWORK_AUTODIFF_OWN_BACKWARD_H_
