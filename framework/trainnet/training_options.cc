#include "framework/trainnet/training_options.h"

#include "absl/strings/str_cat.h"
#include "framework/trainnet/option_check.h"

namespace lamina {
namespace {

// So many epochs of any data that memory holds can still be counted in iterations.
constexpr int64_t kMaxEpochsLimit = 1'000'000'000;

// Sets what only some solvers have.
void CheckBelongs(const TrainingOptions& o, std::string_view name, const std::optional<double>& v,
                  std::initializer_list<std::string_view> solvers) {
  if (!v.has_value()) return;
  std::string list;
  for (std::string_view s : solvers) {
    if (s == o.solver) return;
    absl::StrAppend(&list, list.empty() ? "" : " or ", std::string(s));
  }
  internal::ThrowInvalidOption(name, absl::StrCat("unset unless the solver is ", list),
                               absl::StrCat(*v, " with the solver \"", o.solver, "\""));
}

}  // namespace

void CheckTrainingOptions(const TrainingOptions& o) {
  internal::CheckChoice("solver", o.solver, {"sgdm", "adam", "rmsprop"});
  CheckBelongs(o, "momentum", o.momentum, {"sgdm"});
  CheckBelongs(o, "gradient_decay_factor", o.gradient_decay_factor, {"adam"});
  CheckBelongs(o, "squared_gradient_decay_factor", o.squared_gradient_decay_factor,
               {"adam", "rmsprop"});
  CheckBelongs(o, "epsilon", o.epsilon, {"adam", "rmsprop"});
  CheckBelongs(o, "weight_decay", o.weight_decay, {"adam"});
  internal::CheckPositive("initial_learn_rate", o.initial_learn_rate.value_or(1));
  internal::CheckDecay("momentum", o.momentum.value_or(0));
  internal::CheckDecay("gradient_decay_factor", o.gradient_decay_factor.value_or(0));
  internal::CheckDecay("squared_gradient_decay_factor",
                       o.squared_gradient_decay_factor.value_or(0));
  internal::CheckPositive("epsilon", o.epsilon.value_or(1));
  internal::CheckNonNegative("weight_decay", o.weight_decay.value_or(0));
  if (o.max_epochs < 1 || o.max_epochs > kMaxEpochsLimit) {
    internal::ThrowInvalidOption("max_epochs",
                                 absl::StrCat("a whole number from 1 to ", kMaxEpochsLimit),
                                 absl::StrCat(o.max_epochs));
  }
  internal::CheckAtLeastOne("mini_batch_size", o.mini_batch_size);
  internal::CheckNonNegative("l2_regularization", o.l2_regularization);
  if (!(o.gradient_threshold > 0)) {
    internal::ThrowInvalidOption("gradient_threshold", "a number above 0, or infinity",
                                 absl::StrCat(o.gradient_threshold));
  }
  internal::CheckAtLeastOne("validation_frequency", o.validation_frequency);
  internal::CheckAtLeastOne("validation_patience", o.validation_patience);
  internal::CheckAtLeastOne("verbose_frequency", o.verbose_frequency);
  std::vector<std::string> objectives{"loss"};
  for (const AnyMetric& m : o.metrics) {
    for (const std::string& name : objectives) {
      if (name != m.Name()) continue;
      internal::ThrowInvalidOption("metrics", "metrics with different names, none of them \"loss\"",
                                   absl::StrCat("\"", name, "\" a second time"));
    }
    objectives.push_back(m.Name());
  }
  internal::CheckChoice("objective_metric_name", o.objective_metric_name, objectives);
  if (o.output_network == OutputNetwork::kBestValidation && !o.validation_data.has_value()) {
    internal::ThrowInvalidOption("output_network",
                                 "kAuto or kLastIteration when there is no validation_data",
                                 "kBestValidation");
  }
}

}  // namespace lamina
