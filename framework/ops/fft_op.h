// The op of the Fourier transform, shared by spectral.cc (what users call) and those who look into
// graphs.
#ifndef FRAMEWORK_OPS_FFT_OP_H_
#define FRAMEWORK_OPS_FFT_OP_H_

#include <string>

#include "framework/cpu/fft.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/op.h"

namespace lamina::internal {

/// The sum with one sign of the exponent, along one dim of a complex array. The matrix of the sum
/// is symmetric, so its conjugate transpose is the sum with the other sign: that is the gradient.
class FftOp : public Op, public ComposedOp {
 public:
  FftOp(cpu::FftSign sign, int dim) : sign_(sign), dim_(dim) {}
  cpu::FftSign sign() const { return sign_; }
  int dim() const { return dim_; }

  std::string_view Name() const override {
    return sign_ == cpu::FftSign::kMinus ? "fft" : "n_ifft";
  }
  std::string Attributes() const override;
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override;
  void Run(Arrays in, Results out) const override;
  DlArrays Compose(Arrays in) const override;
  DlArrays Gradient(const GradientCall& call) const override;

 private:
  cpu::FftSign sign_;
  int dim_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_FFT_OP_H_
