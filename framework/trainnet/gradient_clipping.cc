#include "framework/trainnet/gradient_clipping.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

// In double: squares of single values may be too large for single.
double SquaredNorm(const DlArray& g) {
  if (g.empty()) return 0;
  return Sum(Square(Double(Abs(g)))).Scalar();
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
      for (DlArray& g : gradients) {
        const double norm = std::sqrt(SquaredNorm(g));
        if (norm > threshold) g = g * (threshold / norm);
      }
      return;
    case GradientThresholdMethod::kGlobalL2Norm: {
      double sum = 0;
      for (const DlArray& g : gradients) sum += SquaredNorm(g);
      const double norm = std::sqrt(sum);
      if (!(norm > threshold)) return;
      for (DlArray& g : gradients) g = g * (threshold / norm);
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
