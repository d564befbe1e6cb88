// The derivative of a function of a real number with many values, by differences.
//
// Four values around the point give two central estimates, of steps h and 2h, for every element of
// the result, and from both one that is far better. Their difference tells how good it is, and
// together with the second differences whether the element has a kink (or a jump) near the point:
// there no difference quotient is worth anything, and the element is left out. docs/checking.md
// derives the formulas.
//
//   LineDerivative d = DeriveAlongLine([&](double t) { return Values(x + t * direction); }, noise);
//   d.slope[i], d.error[i], d.smooth[i]
//
// Threads: pure functions.
#ifndef CHECKS_LINE_DERIVATIVE_H_
#define CHECKS_LINE_DERIVATIVE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "checks/numbers.h"

namespace lamina::checks {

using LineFunction = std::function<Numbers(double)>;

struct LineDerivative {
  Numbers slope;                ///< The derivative at 0 of each element.
  Numbers error;                ///< A bound for its error; meaningless at kinks.
  std::vector<uint8_t> smooth;  ///< 0: a kink or a jump lies within the steps.
  int64_t kinks = 0;
  int64_t moving = 0;  ///< Elements that change at all.
  double step = 0;
  /// A value near the point is NaN or infinite; nothing else is set then.
  bool finite = true;
};

/// `noise` is the relative rounding error of the values, see RelativeNoise. Starts with a step of
/// 2^-16 (larger for noisy values) and goes down to 2^-24 while more than a quarter of the elements
/// that change have a kink.
LineDerivative DeriveAlongLine(const LineFunction& f, double noise);

/// None is NaN or infinite.
bool AllFinite(const Numbers& values);

/// How far apart values lie that should lie on a straight line, since the steps between them are
/// tiny: the root mean square of the second difference, relative to the values. At least the
/// rounding unit of double.
double RelativeNoise(const LineFunction& f);

}  // namespace lamina::checks

#endif  // CHECKS_LINE_DERIVATIVE_H_
