// The solver that options choose, as one object with its state: what TrainNet steps with.
#ifndef FRAMEWORK_TRAINNET_SOLVER_H_
#define FRAMEWORK_TRAINNET_SOLVER_H_

#include <variant>

#include "framework/trainnet/training_options.h"
#include "framework/trainnet/updates.h"

namespace lamina {

class Solver {
 public:
  /// Of checked options.
  explicit Solver(const TrainingOptions& options);
  double initial_learn_rate() const { return initial_learn_rate_; }
  /// One step: L2 regularization, clipping, update.
  void Step(const ParameterList& parameters, DlArrays gradients, double learn_rate);

 private:
  struct Sgdm {
    SgdmOptions options;
    SgdmState state;
  };
  struct Rmsprop {
    RmspropOptions options;
    RmspropState state;
  };
  struct Adam {
    AdamOptions options;
    AdamState state;
  };

  std::variant<Sgdm, Rmsprop, Adam> solver_;
  double initial_learn_rate_, l2_, threshold_;
  GradientThresholdMethod method_;
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_SOLVER_H_
