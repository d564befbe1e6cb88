// A layer in training as a function of numbers: its variables (inputs, learnables, states) in, its
// outputs and new states out, and the derivatives that training would get.
//
// Threads: used by one thread.
#ifndef CHECKS_TRAINING_FUNCTION_H_
#define CHECKS_TRAINING_FUNCTION_H_

#include <string>
#include <vector>

#include "checks/check_context.h"

namespace lamina::checks {

enum class VariableKind : uint8_t { kInput, kLearnable, kState };

struct Variable {
  std::string name;
  VariableKind kind;
  DlArray value;
  double scale;  ///< The root mean square of the elements; 1 when they are zero.
  int64_t num_components() const { return value.numel() * (IsComplex(value.type()) ? 2 : 1); }
};

/// A step for each variable; unset where the variable stays.
using Direction = DlArrays;

/// Numbers that depend on variables, and the derivatives that are to be tried.
class CheckedFunction {
 public:
  virtual ~CheckedFunction() = default;
  /// All values at variables + t * direction. Throws FunctionThrew.
  virtual Numbers Values(const Direction& direction, double t) const = 0;
  /// The derivatives of the sum of weights * Values(0) with respect to the variables; without
  /// weights, of the sum of Values(0). Throws FunctionThrew.
  virtual DlArrays Gradient(const Numbers& weights) const = 0;
};

class TrainingFunction : public CheckedFunction {
 public:
  TrainingFunction(const CheckContext& context, Subject subject);

  /// Those of a floating type, in the order inputs, learnables, states. Without states for a layer
  /// whose own Backward does not take the derivatives of states.
  const std::vector<Variable>& variables() const { return variables_; }
  const Subject& subject() const { return subject_; }

  /// All elements of the floating outputs and new states, at variables + t * direction. Throws
  /// FunctionThrew.
  Numbers Values(const Direction& direction, double t) const override;
  /// The name and coordinates of element `index` of Values.
  std::string Where(int64_t index) const;
  /// True when all floating outputs are double, real or complex: the subject's inputs are.
  bool KeepsType() const;

  /// As training takes them: automatically, or by the layer's own Backward.
  DlArrays Gradient(const Numbers& weights) const override;
  /// The derivatives, at variables + t * direction, of a loss that is not linear in the values: the
  /// sum of weights * (y + y^2 / 2 r), with r the root mean square of y's array at t = 0. So what a
  /// layer's Backward gets depends on the variables, as it does in training.
  DlArrays BentGradientAt(const Direction& direction, double t, const Numbers& weights) const;
  /// The derivatives of the sum of factors[j] * g[j], where g = BentGradientAt(.., 0, weights),
  /// element by element: second derivatives.
  DlArrays SecondGradient(const Numbers& weights, const Numbers& factors) const;

  /// Zero but for element `component` of variable `i`, where it is the variable's scale.
  Direction AlongComponent(int i, int64_t component) const;
  /// Random steps of half to one and a half times the scale in elements [begin, end) of `i`.
  Direction Dense(int i, uint64_t stream, int64_t begin, int64_t end) const;
  Direction Dense(int i, uint64_t stream) const {
    return Dense(i, stream, 0, variables_[i].num_components());
  }
  /// Random steps in all variables.
  Direction DenseInAll(uint64_t stream) const;

 private:
  DlArrays At(const Direction& direction, double t) const;
  // Puts the variables into `layer` and `inputs`.
  void Place(Arrays values, AnyLayer* layer, DlArrays* inputs) const;
  // The results that derivatives are taken of.
  DlArrays Differentiated(const LayerResult& result) const;
  // The values at the watched variables.
  DlArrays ValuesOf(const DlArrays& watched) const;
  // What BentGradientAt takes derivatives of.
  DlArray BentSum(const DlArrays& watched, const Numbers& weights) const;

  const CheckContext& context_;
  Subject subject_;
  std::vector<Variable> variables_;
  bool with_states_;
  mutable Numbers center_;  // Values(.., 0), once it was asked for.
};

/// An array function whose derivatives are those of the sum of factors * elements of `arrays`, real
/// and imaginary parts apart; without factors, of the elements. The sum itself is not computed.
DlArray WeightedElements(const DlArrays& arrays, const Numbers& factors);

/// Random numbers of size 0.5 to 1.5 and random sign. Number `k` depends on the seed and k only.
class RandomFactors {
 public:
  explicit RandomFactors(uint64_t seed) : start_(Mixed(seed)) {}
  double operator[](uint64_t k) const {
    const uint64_t bits = Mixed(start_ + k);
    const double size = 0.5 + static_cast<double>(bits >> 12) * 0x1p-52;
    // The sign is chance: a branch would be foreseen half of the time only.
    return size * (2 * static_cast<double>(bits & 1) - 1);
  }

 private:
  // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
  static uint64_t Mixed(uint64_t k) {
    uint64_t z = (k + 1) * 0x9E3779B97F4A7C15;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9;
    z = (z ^ z >> 27) * 0x94D049BB133111EB;
    return z ^ z >> 31;
  }

  uint64_t start_;
};

/// The sum of a[i] * b[i] over all components of both lists; unset arrays count as zero.
double InnerProduct(Arrays a, Arrays b);

}  // namespace lamina::checks

#endif  // CHECKS_TRAINING_FUNCTION_H_
