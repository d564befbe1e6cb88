#include "framework/trainnet/solver.h"

#include <utility>

#include "framework/ops/elementwise.h"

namespace lamina {

Solver::Solver(const TrainingOptions& o)
    : l2_(o.l2_regularization),
      threshold_(o.gradient_threshold),
      method_(o.gradient_threshold_method) {
  if (o.solver == "sgdm") {
    SgdmOptions s;
    if (o.momentum.has_value()) s.momentum = *o.momentum;
    initial_learn_rate_ = s.learn_rate;
    options_ = s;
  } else if (o.solver == "rmsprop") {
    RmspropOptions s;
    if (o.squared_gradient_decay_factor.has_value()) {
      s.squared_gradient_decay_factor = *o.squared_gradient_decay_factor;
    }
    if (o.epsilon.has_value()) s.epsilon = *o.epsilon;
    initial_learn_rate_ = s.learn_rate;
    options_ = s;
  } else {
    AdamOptions s;
    if (o.gradient_decay_factor.has_value()) {
      s.gradient_decay_factor = *o.gradient_decay_factor;
    }
    if (o.squared_gradient_decay_factor.has_value()) {
      s.squared_gradient_decay_factor = *o.squared_gradient_decay_factor;
    }
    if (o.epsilon.has_value()) s.epsilon = *o.epsilon;
    if (o.weight_decay.has_value()) s.weight_decay = *o.weight_decay;
    initial_learn_rate_ = s.learn_rate;
    options_ = s;
  }
  if (o.initial_learn_rate.has_value()) initial_learn_rate_ = *o.initial_learn_rate;
}

DlArray Solver::Rates(double learn_rate, int64_t iteration) const {
  // With a threshold the regularization is a part of the gradients that are clipped, see Step.
  const auto set = [&](auto options) {
    options.learn_rate = learn_rate;
    options.l2_regularization = clips() ? 0 : l2_;
    return options;
  };
  if (const auto* o = std::get_if<SgdmOptions>(&options_)) return SgdmRates(set(*o));
  if (const auto* o = std::get_if<RmspropOptions>(&options_)) return RmspropRates(set(*o));
  return AdamRates(set(std::get<AdamOptions>(options_)), iteration);
}

void Solver::Step(const ParameterList& parameters, DlArrays gradients, const DlArray& rates,
                  DlArrays& state) const {
  if (clips()) {
    // The threshold holds for what the solver gets, so regularization comes first; otherwise the
    // update adds it on its way.
    for (size_t i = 0; i < gradients.size() && l2_ > 0; ++i) {
      gradients[i] = gradients[i] + (l2_ * parameters[i].l2_factor) * *parameters[i].value;
    }
    ClipGradients(gradients, threshold_, method_);
  }
  if (std::holds_alternative<SgdmOptions>(options_)) {
    SgdmState s{std::move(state)};
    SgdmUpdate(parameters, gradients, s, rates);
    state = std::move(s.velocity);
  } else if (std::holds_alternative<RmspropOptions>(options_)) {
    RmspropState s{std::move(state)};
    RmspropUpdate(parameters, gradients, s, rates);
    state = std::move(s.average_squared_gradient);
  } else {
    // Both averages, one after the other.
    const auto half = state.begin() + static_cast<int64_t>(state.size() / 2);
    AdamState s{.average_gradient{state.begin(), half},
                .average_squared_gradient{half, state.end()}};
    AdamUpdate(parameters, gradients, s, rates);
    state = std::move(s.average_gradient);
    state.insert(state.end(), s.average_squared_gradient.begin(), s.average_squared_gradient.end());
  }
}

}  // namespace lamina
