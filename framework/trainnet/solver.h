// The solver that options choose: what TrainNet steps with. It holds no arrays: its state is the
// caller's, so that a step is a function of arrays, which may be recorded.
//
//   const Solver solver(options);
//   DlArrays state;
//   solver.Step(parameters, gradients, solver.Rates(learn_rate, iteration), state);
//
// Threads: const functions may run in several threads at once.
#ifndef FRAMEWORK_TRAINNET_SOLVER_H_
#define FRAMEWORK_TRAINNET_SOLVER_H_

#include <cmath>
#include <cstdint>
#include <variant>

#include "framework/trainnet/training_options.h"
#include "framework/trainnet/updates.h"

namespace lamina {

class Solver {
 public:
  /// Of checked options.
  explicit Solver(const TrainingOptions& options);
  double initial_learn_rate() const { return initial_learn_rate_; }
  /// The numbers of a step; the first has iteration 1.
  DlArray Rates(double learn_rate, int64_t iteration) const;
  /// One step: L2 regularization, clipping, update. `state` is empty before the first one.
  void Step(const ParameterList& parameters, DlArrays gradients, const DlArray& rates,
            DlArrays& state) const;

 private:
  bool clips() const { return !std::isinf(threshold_); }

  std::variant<SgdmOptions, RmspropOptions, AdamOptions> options_;
  double initial_learn_rate_, l2_, threshold_;
  GradientThresholdMethod method_;
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_SOLVER_H_
