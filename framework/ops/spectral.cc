#include "framework/ops/spectral.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/fft_composed.h"
#include "framework/ops/fft_op.h"

namespace lamina {
namespace {

using cpu::FftSign;
using internal::FftOp;

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

namespace internal {

void FftOp::Infer(const Specs& in, SpecList* out) const {
  LAMINA_CHECK(IsComplex(in[0].type));
  if (in[0].sizes[dim_] > cpu::kMaxFftLength) {
    throw Error("ops:TransformLength",
                absl::StrCat("A Fourier transform is at most ", cpu::kMaxFftLength, " long."),
                absl::StrCat("Dim ", dim_, " of a ", ToString(in[0]), " came."),
                "Transform shorter pieces.");
  }
  out->push_back(in[0]);
}

void FftOp::Run(Arrays in, Results out) const {
  const DlArray& x = in[0];
  if (x.numel() == 0) return out.Share(0, x);
  const AlongDim along(x.sizes(), dim_);
  cpu::Fft(x.type(), sign_, along.inner, along.n, along.outer, x.data()->bytes(), out.bytes(0));
}

DlArrays FftOp::Compose(Arrays in) const { return {ComposedFft(in[0], sign_, dim_)}; }

DlArrays FftOp::Gradient(const GradientCall& call) const {
  const FftSign other = sign_ == FftSign::kMinus ? FftSign::kPlus : FftSign::kMinus;
  return {Apply(std::make_shared<FftOp>(other, dim_), {call.output_gradients[0]})};
}

std::string FftOp::Attributes() const { return absl::StrCat("dim=", dim_); }

}  // namespace internal

DlArray Fft(const DlArray& x, const DimSet& dims) {
  return Transform("Fft", FftSign::kMinus, x, dims);
}
DlArray Ifft(const DlArray& y, const DimSet& dims) {
  return Transform("Ifft", FftSign::kPlus, y, dims);
}

}  // namespace lamina
