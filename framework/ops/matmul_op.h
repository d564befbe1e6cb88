// The op of a product of matrices, shared by matmul.cc (what users call) and those who look into
// graphs.
#ifndef FRAMEWORK_OPS_MATMUL_OP_H_
#define FRAMEWORK_OPS_MATMUL_OP_H_

#include <string>

#include "framework/ops/op.h"
#include "framework/ops/written_op.h"

namespace lamina {

/// Of two unlabelled arrays of one floating type, of at least two dims; further dims are pages.
/// Of complex numbers the transpose is the conjugate one.
class MatMulOp : public Op, public WrittenOp {
 public:
  MatMulOp(bool transpose_x, bool transpose_y) : tx_(transpose_x), ty_(transpose_y) {}
  bool transpose_x() const { return tx_; }
  bool transpose_y() const { return ty_; }

  std::string_view Name() const override { return "matmul"; }
  std::string Attributes() const override;
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  bool tx_, ty_;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_MATMUL_OP_H_
