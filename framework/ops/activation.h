// Activations beyond those of elementwise.h (Relu, Sigmoid, Tanh).
//
// All are composed of elementwise functions, so types, errors, labels and gradients of any order
// are theirs; NaN gives NaN. Complex arrays: "ops:UnsupportedType". Where a derivative jumps, at 0
// it is the one from the left, as in PyTorch.
//
//   DlArray y = LeakyRelu(x, 0.2);
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_ACTIVATION_H_
#define FRAMEWORK_OPS_ACTIVATION_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// x where positive, else scale * x.
DlArray LeakyRelu(const DlArray& x, double scale = 0.01);
/// x between 0 and `ceiling`, else the nearer of the two. Errors: "ops:InvalidCeiling" unless the
/// ceiling is positive.
DlArray ClippedRelu(const DlArray& x, double ceiling);
/// x where positive, else alpha * (exp(x) - 1). Source: Clevert et al., arXiv:1511.07289.
DlArray Elu(const DlArray& x, double alpha = 1.0);

enum class GeluForm : uint8_t {
  kErf,   ///< x / 2 * (1 + erf(x / sqrt 2)).
  kTanh,  ///< x / 2 * (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): differs by up to 5e-4.
};
/// x times the probability that a standard normal number is below x. The relative error grows where
/// the result nears 0 (x below about -3); the absolute error stays near 2 u |x|. At -infinity NaN.
/// Source: Hendrycks, Gimpel, arXiv:1606.08415.
DlArray Gelu(const DlArray& x, GeluForm form = GeluForm::kErf);

/// log(1 + exp(x)), without overflow for large x and without rounding to 0 for negative x.
DlArray Softplus(const DlArray& x);
/// x * Sigmoid(x). At -infinity NaN. Source: Ramachandran et al., arXiv:1710.05941.
DlArray Swish(const DlArray& x);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_ACTIVATION_H_
