// For tests: is the gradient that DlGradient takes the slope that the function has?
//
// The function is made a real number by random weights, L(x) = sum Re(conj(w) f(x)), and L is
// differentiated numerically in double by the four-point central stencil
//   (L(x - 2h) - 8 L(x - h) + 8 L(x + h) - L(x + 2h)) / 12h,    error O(h^4),
// for each element of small inputs (for complex ones along the real and the imaginary axis) and
// along random directions through all inputs together. The second derivatives are checked the same
// way: those of <gradient, v> for random v. At last the inputs are taken in single: the gradient
// must stay near the one in double, and have the type of its input.
//
//   EXPECT_TRUE(GradientsAgree([](const DlArrays& x) { return x[0] * Sin(x[1]); },
//                              {RandomInput({3, 4}, "CB"), RandomInput({3}, "C")}));
//
// Inputs stand well away from kinks: several steps h. Threads: any one.
#ifndef FRAMEWORK_AUTODIFF_TESTING_GRADIENT_CHECK_H_
#define FRAMEWORK_AUTODIFF_TESTING_GRADIENT_CHECK_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "framework/dlarray/dlarray.h"
#include "gtest/gtest.h"

namespace lamina {

struct GradientCheckOptions {
  double step = 1e-3;  ///< h, near the fifth root of the rounding error.
  /// Largest difference allowed, in parts of the largest slope of that input (but at least of 1).
  double tolerance = 1e-8;
  /// The same for the gradient in single against the one in double; 0 leaves it out.
  double single_tolerance = 1e-4;
  bool second_derivatives = true;
  int directions = 3;
  int64_t max_elements = 64;  ///< Larger inputs are checked along directions only.
};

/// Success, or the worst element with what it should be. Inputs are double or complex double; those
/// of other types are constants (indices, masks). At least one is double.
testing::AssertionResult GradientsAgree(const std::function<DlArray(const DlArrays&)>& f,
                                        const DlArrays& inputs,
                                        const GradientCheckOptions& options = {});

/// Values spread evenly over [low, high), the same for the same seed; complex ones in both parts.
DlArray RandomInput(const Sizes& sizes, std::string_view format = "", double low = -1,
                    double high = 1, uint64_t seed = 1, DataType type = DataType::kDouble);

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_TESTING_GRADIENT_CHECK_H_
