#include "framework/layers/complex_layers.h"

#include "framework/layers/settings.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {

DlArray ComplexToRealLayer::Predict(const DlArray& x) const { return Cat('C', {Real(x), Imag(x)}); }

DlArray RealToComplexLayer::Predict(const DlArray& x) const {
  const int dim = DimSet('C').Only("RealToComplexLayer", x.spec());
  const int64_t channels = x.size(dim);
  if (IsComplex(x.type()) || channels % 2 != 0) {
    internal::WrongFormat("RealToComplexLayer", "real data with an even number of channels",
                          x.spec());
  }
  const DlArrays parts = Split(x, dim, {channels / 2, channels / 2});
  return Complex(parts[0], parts[1]);
}

}  // namespace lamina
