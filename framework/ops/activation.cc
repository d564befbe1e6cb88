#include "framework/ops/activation.h"

#include <cmath>
#include <numbers>

#include "absl/strings/str_cat.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"

namespace lamina {

using internal::RequireReal;
using internal::ToFloating;

// Where a branch is not taken its argument is replaced by 0: an infinite value there would give NaN
// in the derivative, as 0 * infinity.

DlArray LeakyRelu(const DlArray& x, double scale) {
  RequireReal("LeakyRelu", x);
  const DlArray v = ToFloating(x);
  return Where(v > 0, v, scale * v);
}

DlArray ClippedRelu(const DlArray& x, double ceiling) {
  RequireReal("ClippedRelu", x);
  if (!(ceiling > 0)) {
    throw Error("ops:InvalidCeiling", "ClippedRelu expects a positive ceiling.",
                absl::StrCat(ceiling, " came."), "");
  }
  const DlArray v = ToFloating(x);
  return Where(v > ceiling, ceiling, Relu(v));
}

DlArray Elu(const DlArray& x, double alpha) {
  RequireReal("Elu", x);
  const DlArray v = ToFloating(x);
  const DlArray positive = v > 0;
  return Where(positive, v, alpha * Expm1(Where(positive, 0, v)));
}

DlArray Gelu(const DlArray& x, GeluForm form) {
  RequireReal("Gelu", x);
  const DlArray v = ToFloating(x);
  if (form == GeluForm::kErf) return 0.5 * v * (1 + Erf(v * (1 / std::numbers::sqrt2)));
  // Beyond 30 the hyperbolic tangent is 1, and x^3 must not overflow.
  const DlArray c = Max(Min(v, 30), -30);
  return 0.5 * v * (1 + Tanh(std::sqrt(2 / std::numbers::pi) * (c + 0.044715 * (c * Square(c)))));
}

DlArray Softplus(const DlArray& x) {
  RequireReal("Softplus", x);
  const DlArray v = ToFloating(x);
  // max(x, 0) + log(1 + exp(-|x|)), written so that the derivative at 0 is right too.
  const DlArray positive = v > 0;
  return Where(positive, v, 0) + Log1p(Exp(Where(positive, -v, v)));
}

DlArray Swish(const DlArray& x) {
  RequireReal("Swish", x);
  const DlArray v = ToFloating(x);
  return v * Sigmoid(v);
}

}  // namespace lamina
