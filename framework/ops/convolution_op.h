// The three ops of convolution. Each one's gradient is written in the other two, so derivatives of
// any order are convolutions again: with T(x, w, d) the sum over all elements of d * conv(x, w),
// conv, data and weights are the derivatives of T with respect to d, x and w.
//
// For those who write functions, traces and backends. Threads: ops are immutable.
#ifndef FRAMEWORK_OPS_CONVOLUTION_OP_H_
#define FRAMEWORK_OPS_CONVOLUTION_OP_H_

#include <string>

#include "framework/cpu/convolution.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/op.h"
#include "framework/ops/window.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {

struct ConvParameters {
  WindowGeometry window;
  int64_t groups = 1;

  std::string ToString() const;
};

/// The kernel's view of x (labelled S.. C B T, some missing) and w (filter, channels of a group,
/// filters in one dim or two). Errors: "dlarray:SizeMismatch", "ops:InvalidGroups".
cpu::ConvolutionShape ConvShape(const ConvParameters& parameters, const ArraySpec& x,
                                const ArraySpec& w);

/// y of x, w and (optional) a bias of as many elements as filters. Composed: without the bias,
/// which is added after it, so that one more rounding is made.
class ConvOp : public Op, public WrittenOp, public ComposedOp {
 public:
  explicit ConvOp(ConvParameters p) : parameters_(std::move(p)) {}
  const ConvParameters& parameters() const { return parameters_; }
  std::string_view Name() const override { return "conv"; }
  std::string Attributes() const override { return parameters_.ToString(); }
  void Infer(const Specs& inputs, SpecList* outputs) const override;
  void Run(Arrays inputs, Results outputs) const override;
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override;
  DlArrays Compose(Arrays inputs) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return 0b011; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  ConvParameters parameters_;
};

/// Something like x, of something like y, and w.
class ConvBackwardDataOp : public Op, public WrittenOp {
 public:
  ConvBackwardDataOp(ConvParameters p, ArraySpec x) : parameters_(std::move(p)), x_(std::move(x)) {}
  const ConvParameters& parameters() const { return parameters_; }
  std::string_view Name() const override { return "conv_backward_data"; }
  std::string Attributes() const override;
  void Infer(const Specs& inputs, SpecList* outputs) const override;
  void Run(Arrays inputs, Results outputs) const override;
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  ConvParameters parameters_;
  ArraySpec x_;
};

/// Something like w, of x and something like y.
class ConvBackwardWeightsOp : public Op, public WrittenOp {
 public:
  ConvBackwardWeightsOp(ConvParameters p, ArraySpec w)
      : parameters_(std::move(p)), w_(std::move(w)) {}
  const ConvParameters& parameters() const { return parameters_; }
  std::string_view Name() const override { return "conv_backward_weights"; }
  std::string Attributes() const override;
  void Infer(const Specs& inputs, SpecList* outputs) const override;
  void Run(Arrays inputs, Results outputs) const override;
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  ConvParameters parameters_;
  ArraySpec w_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_CONVOLUTION_OP_H_
