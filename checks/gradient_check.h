// Compares a layer's derivatives with numeric ones, along single elements and along random
// directions. docs/checking.md tells how and derives the tolerance.
//
// Threads: used by one thread.
#ifndef CHECKS_GRADIENT_CHECK_H_
#define CHECKS_GRADIENT_CHECK_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "checks/line_derivative.h"
#include "checks/training_function.h"

namespace lamina::checks {

/// The same derivative, found in two ways.
struct Comparison {
  double numeric = 0, analytic = 0;
  double tolerance = 0;
  double bound = 0;  ///< The part of the tolerance that the error of the numeric side takes.
  double terms = 0;  ///< The root of the sum of squares of what the numeric side adds up.
  double step = 0;
  int64_t kinks = 0;   ///< Values left out.
  int64_t moving = 0;  ///< Values that change at all.
  bool finite = true;  ///< False: values are NaN or infinite, nothing was compared.
  double error() const { return std::abs(numeric - analytic); }
  bool ok() const { return error() <= tolerance; }
  /// More than a quarter of the values were left out, however small the steps. What is left of a
  /// layer that declares NotDifferentiableAtPoints was then met by chance: nothing is compared.
  bool rough() const { return 4 * kinks > moving; }
  /// How far apart the two are beyond the numeric error, relative to `terms`.
  double deviation() const { return terms > 0 && error() > bound ? (error() - bound) / terms : 0; }
};

/// What derivatives may differ by relative to their terms, beyond the numeric error.
struct Allowance {
  double values = 4096;  ///< A sum of more values than these gets no more than they would.
  double deviation = 0;  ///< What was seen of this layer in smaller arrays.
};

/// Compares the derivative of the sum of weights * values, taken by differences, with `analytic`
/// (given the weights, with zeros for values that are left out).
Comparison CompareAlong(const LineFunction& values, const Numbers& weights, double noise,
                        const Allowance& allowance,
                        const std::function<double(const Numbers&)>& analytic);

/// Random factors of size 0.5 to 1.5 and random sign.
Numbers RandomWeights(size_t count, uint64_t seed);

/// What was found about one variable.
struct VariableFinding {
  std::vector<int64_t> components;     ///< Those that were compared one by one.
  std::vector<Comparison> each;        ///< For each of them.
  std::vector<Comparison> directions;  ///< Along random directions in this variable.
  /// The derivatives that training gets are exactly zero in every element.
  bool analytic_is_zero = false;
  /// Values change when the variable does, smoothly.
  bool numeric_is_zero = true;
};

/// The stream of the first of the random directions that CheckVariable takes.
inline constexpr uint64_t kDirectionStream = 40;

class GradientCheck {
 public:
  /// `noise` is the rounding of the values, measured when it is not given. Throws FunctionThrew.
  GradientCheck(const CheckContext& context, Subject subject, const Allowance& allowance = {},
                std::optional<double> noise = std::nullopt);

  const TrainingFunction& function() const { return function_; }
  /// Of the values, drawn when they are first asked for.
  const Numbers& weights() const;
  double noise() const { return noise_; }
  /// False when a value at the point itself is NaN or infinite.
  bool finite() const { return finite_; }

  /// Along one direction: values with a kink nearby are left out of both sides.
  Comparison Compare(const Direction& direction) const;
  /// Along a random direction in all variables.
  Comparison CompareInAll(uint64_t stream) const;
  /// Variable `i` along random directions and along at most `max_components` elements.
  VariableFinding CheckVariable(int i, int num_directions, int max_components) const;
  /// An element of variable `i` whose derivative is wrong, when one along `stream` in the whole
  /// variable is: by halves. None when it cannot be pinned down.
  std::optional<int64_t> FindWrongComponent(int i, uint64_t stream) const;

 private:
  const DlArrays& gradient() const;

  const CheckContext& context_;
  TrainingFunction function_;
  Allowance allowance_;
  mutable Numbers weights_;
  mutable std::optional<DlArrays> gradient_;  // Of all weights, taken when it is needed.
  double noise_;
  bool finite_;
};

}  // namespace lamina::checks

#endif  // CHECKS_GRADIENT_CHECK_H_
