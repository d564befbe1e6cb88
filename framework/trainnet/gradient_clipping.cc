#include "framework/trainnet/gradient_clipping.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

// In double: squares of single values may be too large for single.
DlArray SquaredNorm(const DlArray& g) {
  if (g.empty()) return DlArray(0.0);
  return Reshape(StripDims(Sum(Square(Double(Abs(g))))), {1});
}

// What a gradient with this norm is multiplied by. A norm that is NaN is not above the threshold.
DlArray FactorFor(const DlArray& squared_norm, double threshold) {
  const DlArray norm = Sqrt(squared_norm);
  return Where(norm > threshold, threshold / norm, DlArray(1.0));
}

}  // namespace

void ClipGradients(DlArrays& gradients, double threshold, GradientThresholdMethod method) {
  if (!(threshold > 0)) {
    internal::ThrowInvalidOption("gradient_threshold", "a number above 0, or infinity",
                                 absl::StrCat(threshold));
  }
  if (std::isinf(threshold)) return;
  switch (method) {
    case GradientThresholdMethod::kL2Norm:
      for (DlArray& g : gradients) g = g * FactorFor(SquaredNorm(g), threshold);
      return;
    case GradientThresholdMethod::kGlobalL2Norm: {
      DlArray sum(0.0);
      for (const DlArray& g : gradients) sum = sum + SquaredNorm(g);
      const DlArray factor = FactorFor(sum, threshold);
      for (DlArray& g : gradients) g = g * factor;
      return;
    }
    case GradientThresholdMethod::kAbsoluteValue:
      for (DlArray& g : gradients) {
        if (!g.empty()) g = Where(Abs(g) > threshold, threshold * Sign(g), g);
      }
      return;
  }
}

}  // namespace lamina
