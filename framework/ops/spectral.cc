#include "framework/ops/spectral.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/cpu/fft.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/fft_composed.h"
#include "framework/ops/op.h"

namespace lamina {
namespace {

using cpu::FftSign;

// The sum with one sign of the exponent, along one dim of a complex array. The matrix of the sum is
// symmetric, so its conjugate transpose is the sum with the other sign: that is the gradient.
class FftOp : public Op, public ComposedOp {
 public:
  FftOp(FftSign sign, int dim) : sign_(sign), dim_(dim) {}
  std::string_view Name() const override { return sign_ == FftSign::kMinus ? "fft" : "n_ifft"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_); }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

  void Infer(const Specs& in, SpecList* out) const override {
    LAMINA_CHECK(IsComplex(in[0].type));
    if (in[0].sizes[dim_] > cpu::kMaxFftLength) {
      throw Error("ops:TransformLength",
                  absl::StrCat("A Fourier transform is at most ", cpu::kMaxFftLength, " long."),
                  absl::StrCat("Dim ", dim_, " of a ", ToString(in[0]), " came."),
                  "Transform shorter pieces.");
    }
    out->push_back(in[0]);
  }
  void Run(Arrays in, Results out) const override {
    const DlArray& x = in[0];
    if (x.numel() == 0) return out.Share(0, x);
    const internal::AlongDim along(x.sizes(), dim_);
    cpu::Fft(x.type(), sign_, along.inner, along.n, along.outer, x.data()->bytes(), out.bytes(0));
  }
  DlArrays Compose(Arrays in) const override { return {internal::ComposedFft(in[0], sign_, dim_)}; }
  DlArrays Gradient(const GradientCall& call) const override {
    const FftSign other = sign_ == FftSign::kMinus ? FftSign::kPlus : FftSign::kMinus;
    return {Apply(std::make_shared<FftOp>(other, dim_), {call.output_gradients[0]})};
  }

 private:
  FftSign sign_;
  int dim_;
};

DlArray Transform(std::string_view function, FftSign sign, const DlArray& x, const DimSet& dims) {
  const uint32_t mask = dims.Mask(function, x.spec());
  const DlArray floating = internal::ToFloating(x);
  DlArray y = Cast(floating, ToComplex(floating.type()));
  int64_t count = 1;
  for (int d = 0; d < x.rank(); ++d) {
    if (!(mask >> d & 1)) continue;
    y = Apply(std::make_shared<FftOp>(sign, d), {y});
    count *= x.size(d);
  }
  if (sign == FftSign::kMinus || count <= 1) return y;
  return y / static_cast<double>(count);
}

}  // namespace

DlArray Fft(const DlArray& x, const DimSet& dims) {
  return Transform("Fft", FftSign::kMinus, x, dims);
}
DlArray Ifft(const DlArray& y, const DimSet& dims) {
  return Transform("Ifft", FftSign::kPlus, y, dims);
}

}  // namespace lamina
