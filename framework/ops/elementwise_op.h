// The op of a scalar function, shared by elementwise.cc (what users call) and those who look into
// graphs. The function's values are written once, in framework/cpu/scalar_functions.h; its
// derivative once, in elementwise_gradient.cc.
#ifndef FRAMEWORK_OPS_ELEMENTWISE_OP_H_
#define FRAMEWORK_OPS_ELEMENTWISE_OP_H_

#include "framework/cpu/scalar_function.h"
#include "framework/ops/op.h"
#include "framework/ops/written_op.h"

namespace lamina {

class ElementwiseOp : public Op, public WrittenOp {
 public:
  explicit ElementwiseOp(cpu::ScalarFunction function) : function_(function) {}
  cpu::ScalarFunction function() const { return function_; }

  std::string_view Name() const override { return cpu::Describe(function_).name; }
  void Infer(const Specs& inputs, SpecList* outputs) const override;
  void Run(Arrays inputs, Results outputs) const override;
  void Write(OpWriter& w) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override;
  SaveMask SavedOutputs() const override;
  bool IsDifferentiable() const override;

 private:
  cpu::ScalarFunction function_;
};

/// The one op of `function`.
const OpPtr& ElementwiseOpOf(cpu::ScalarFunction function);

/// How the derivative of a scalar function is taken.
struct ElementwiseDerivative {
  /// dL/d(input), in sizes and type of the output (the caller sums and converts it to the input's).
  /// x: inputs, y: output, dy: dL/dy. Null for functions that are constant almost everywhere.
  DlArray (*of_input)(int input, Arrays x, const DlArray& y, const DlArray& dy) = nullptr;
  SaveMask saved_inputs = kSaveNone;
  bool saves_output = false;
};
const ElementwiseDerivative& DerivativeOf(cpu::ScalarFunction function);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_ELEMENTWISE_OP_H_
