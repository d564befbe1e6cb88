#include "framework/trainnet/solver.h"

#include <cmath>

#include "framework/ops/elementwise.h"

namespace lamina {

Solver::Solver(const TrainingOptions& o)
    : l2_(o.l2_regularization),
      threshold_(o.gradient_threshold),
      method_(o.gradient_threshold_method) {
  if (o.solver == "sgdm") {
    Sgdm s;
    if (o.momentum.has_value()) s.options.momentum = *o.momentum;
    initial_learn_rate_ = s.options.learn_rate;
    solver_ = s;
  } else if (o.solver == "rmsprop") {
    Rmsprop s;
    if (o.squared_gradient_decay_factor.has_value()) {
      s.options.squared_gradient_decay_factor = *o.squared_gradient_decay_factor;
    }
    if (o.epsilon.has_value()) s.options.epsilon = *o.epsilon;
    initial_learn_rate_ = s.options.learn_rate;
    solver_ = s;
  } else {
    Adam s;
    if (o.gradient_decay_factor.has_value()) {
      s.options.gradient_decay_factor = *o.gradient_decay_factor;
    }
    if (o.squared_gradient_decay_factor.has_value()) {
      s.options.squared_gradient_decay_factor = *o.squared_gradient_decay_factor;
    }
    if (o.epsilon.has_value()) s.options.epsilon = *o.epsilon;
    if (o.weight_decay.has_value()) s.options.weight_decay = *o.weight_decay;
    initial_learn_rate_ = s.options.learn_rate;
    solver_ = s;
  }
  if (o.initial_learn_rate.has_value()) initial_learn_rate_ = *o.initial_learn_rate;
}

void Solver::Step(const ParameterList& parameters, DlArrays gradients, double learn_rate) {
  double l2 = l2_;
  if (!std::isinf(threshold_)) {
    // The threshold holds for what the solver gets, so regularization comes first; otherwise the
    // update adds it on its way.
    for (size_t i = 0; i < gradients.size() && l2 > 0; ++i) {
      gradients[i] = gradients[i] + (l2 * parameters[i].l2_factor) * *parameters[i].value;
    }
    ClipGradients(gradients, threshold_, method_);
    l2 = 0;
  }
  if (Sgdm* s = std::get_if<Sgdm>(&solver_)) {
    s->options.learn_rate = learn_rate;
    s->options.l2_regularization = l2;
    SgdmUpdate(parameters, gradients, s->state, s->options);
  } else if (Rmsprop* s = std::get_if<Rmsprop>(&solver_)) {
    s->options.learn_rate = learn_rate;
    s->options.l2_regularization = l2;
    RmspropUpdate(parameters, gradients, s->state, s->options);
  } else {
    Adam& adam = std::get<Adam>(solver_);
    adam.options.learn_rate = learn_rate;
    adam.options.l2_regularization = l2;
    AdamUpdate(parameters, gradients, adam.state, adam.options);
  }
}

}  // namespace lamina
