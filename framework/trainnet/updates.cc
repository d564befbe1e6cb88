#include "framework/trainnet/updates.h"

#include <cmath>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/trainnet/option_check.h"
#include "framework/trainnet/update_kernels.h"
#include "framework/trainnet/update_ops.h"

namespace lamina {
namespace {

using internal::AdamStepRates;
using internal::RatesArray;
using internal::RmspropStepRates;
using internal::SgdmStepRates;
using internal::UpdateOp;

std::string NumberOf(size_t i, size_t n) { return absl::StrCat("number ", i + 1, " of ", n); }

bool Fits(const DlArray& x, const DlArray& w) {
  return x.type() == w.type() && SameSizes(x.sizes(), w.sizes()) &&
         (x.format().empty() || w.format().empty() || x.format() == w.format());
}

void CheckGradients(const ParameterList& parameters, const DlArrays& gradients) {
  internal::CheckLists(parameters, {&gradients});
  for (size_t i = 0; i < gradients.size(); ++i) {
    const DlArray& w = *parameters[i].value;
    if (w.empty()) {
      throw Error("trainnet:UnsetParameter", "An array has values before it is updated.",
                  absl::StrCat("Array ", NumberOf(i, gradients.size()), " is unset."),
                  "Initialize the network first.");
    }
    if (IsFloating(w.type()) && Fits(gradients[i], w)) continue;
    throw Error(
        "trainnet:GradientSize",
        absl::StrCat("Array ", NumberOf(i, gradients.size()), " is a ", ToString(w.spec()),
                     IsFloating(w.type()) ? ", and so is its gradient." : ", without a gradient."),
        absl::StrCat("A ", ToString(gradients[i].spec()), " came."),
        "Give the gradients in the order of the arrays.");
  }
}

// Makes `list`, if it is empty, zeros as the parameters; otherwise checks that it fits them.
void PrepareState(const ParameterList& parameters, std::string_view name, bool real,
                  DlArrays& list) {
  const auto type = [&](size_t i) {
    const DataType t = parameters[i].value->type();
    return real ? ToReal(t) : t;
  };
  if (list.empty()) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      const DlArray& w = *parameters[i].value;
      list.push_back(Zeros(w.sizes(), type(i), w.format().str()));
    }
  }
  bool fits = list.size() == parameters.size();
  for (size_t i = 0; fits && i < list.size(); ++i) {
    fits = list[i].type() == type(i) && SameSizes(list[i].sizes(), parameters[i].value->sizes());
  }
  if (fits) return;
  throw Error("trainnet:StateMismatch",
              absl::StrCat("A state is used with the arrays with which it began, ",
                           parameters.size(), " here."),
              absl::StrCat("Its ", std::string(name), " has ", list.size(),
                           " arrays, or some of another size or type."),
              "Use one state for each list of arrays, and a new one for a new list.");
}

// The rates for an array with these factors. Weight decay is given as 1 - what is taken off.
DlArray WithFactors(const UpdateOp& op, const DlArray& rates, const ParameterList::Item& item) {
  if (item.learn_rate_factor == 1 && item.l2_factor == 1) return rates;
  std::vector<double> scale, shift;
  for (const UpdateOp::Factors& f : op.RateFactors()) {
    scale.push_back((f.learn_rate ? item.learn_rate_factor : 1) * (f.l2 ? item.l2_factor : 1));
    shift.push_back(f.learn_rate && f.l2 ? 1 - scale.back() : 0);
  }
  const auto n = static_cast<int64_t>(scale.size());
  return rates * DlArray::FromVector<double>(scale, {n}) + DlArray::FromVector<double>(shift, {n});
}

// Runs the op for each array but frozen ones.
void ForEachParameter(const UpdateOp& op, const ParameterList& parameters,
                      const DlArrays& gradients, std::initializer_list<DlArrays*> states,
                      const DlArray& rates) {
  const auto count = static_cast<int64_t>(op.RateFactors().size());
  if (rates.type() != DataType::kDouble || rates.sizes() != Sizes{count}) {
    throw Error("trainnet:Rates",
                absl::StrCat("The rates of ", std::string(op.Name()), " are ", count,
                             " numbers in double."),
                absl::StrCat("A ", ToString(rates.spec()), " came."),
                "Take those of SgdmRates, RmspropRates or AdamRates, as the update is.");
  }
  const OpPtr shared = StaticOp(op);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterList::Item& item = parameters[i];
    if (item.learn_rate_factor == 0) continue;
    absl::InlinedVector<DlArray, 5> inputs{*item.value, gradients[i]};
    for (DlArrays* s : states) inputs.push_back((*s)[i]);
    inputs.push_back(WithFactors(op, rates, item));
    DlArrays outputs = ApplyAll(shared, Arrays(inputs.data(), inputs.size()));
    *item.value = std::move(outputs[0]);
    size_t k = 1;
    for (DlArrays* s : states) (*s)[i] = std::move(outputs[k++]);
  }
}

}  // namespace

ParameterList::ParameterList(DlArrays& list) {
  for (DlArray& x : list) items_.push_back({&x});
}

ParameterList::ParameterList(DlNetwork& network) {
  network.VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind == PropertyKind::kLearnable) {
      items_.push_back({p.value, *p.learn_rate_factor, *p.l2_factor});
    }
  });
}

ParameterList ParameterList::Trained(DlNetwork& network) {
  const ParameterList all(network);
  ParameterList trained;
  for (const Item& item : all.items_) {
    if (item.learn_rate_factor != 0) trained.items_.push_back(item);
  }
  return trained;
}

namespace internal {

void CheckLists(const ParameterList& parameters, std::initializer_list<const DlArrays*> lists) {
  for (const DlArrays* list : lists) {
    if (list->size() == parameters.size()) continue;
    throw Error("trainnet:GradientCount",
                absl::StrCat("There is one gradient for each array, ", parameters.size(), " here."),
                absl::StrCat(list->size(), " came."), "");
  }
}

void SetUpdated(const ParameterList& parameters, size_t i, DlArray value) {
  DlArray& w = *parameters[i].value;
  if (!Fits(value, w)) {
    throw Error("trainnet:GradientSize",
                absl::StrCat("The function of DlUpdate returns an array like the one it gets, ",
                             ToString(w.spec()), "."),
                absl::StrCat("A ", ToString(value.spec()), " came for array ",
                             NumberOf(i, parameters.size()), "."),
                "");
  }
  w = std::move(value);
}

}  // namespace internal

DlArray SgdmRates(const SgdmOptions& options) {
  internal::CheckNonNegative("learn_rate", options.learn_rate);
  internal::CheckDecay("momentum", options.momentum);
  internal::CheckNonNegative("l2_regularization", options.l2_regularization);
  return RatesArray(SgdmStepRates{options.learn_rate, options.l2_regularization, options.momentum});
}

void SgdmUpdate(const ParameterList& parameters, const DlArrays& gradients, SgdmState& state,
                const SgdmOptions& options) {
  SgdmUpdate(parameters, gradients, state, SgdmRates(options));
}

void SgdmUpdate(const ParameterList& parameters, const DlArrays& gradients, SgdmState& state,
                const DlArray& rates) {
  CheckGradients(parameters, gradients);
  PrepareState(parameters, "velocity", false, state.velocity);
  ForEachParameter(internal::SgdmOp(), parameters, gradients, {&state.velocity}, rates);
}

DlArray RmspropRates(const RmspropOptions& options) {
  internal::CheckNonNegative("learn_rate", options.learn_rate);
  internal::CheckDecay("squared_gradient_decay_factor", options.squared_gradient_decay_factor);
  internal::CheckPositive("epsilon", options.epsilon);
  internal::CheckNonNegative("l2_regularization", options.l2_regularization);
  return RatesArray(RmspropStepRates{options.learn_rate, options.l2_regularization,
                                     options.squared_gradient_decay_factor, options.epsilon});
}

void RmspropUpdate(const ParameterList& parameters, const DlArrays& gradients, RmspropState& state,
                   const RmspropOptions& options) {
  RmspropUpdate(parameters, gradients, state, RmspropRates(options));
}

void RmspropUpdate(const ParameterList& parameters, const DlArrays& gradients, RmspropState& state,
                   const DlArray& rates) {
  CheckGradients(parameters, gradients);
  PrepareState(parameters, "average_squared_gradient", true, state.average_squared_gradient);
  ForEachParameter(internal::RmspropOp(), parameters, gradients, {&state.average_squared_gradient},
                   rates);
}

DlArray AdamRates(const AdamOptions& options, int64_t iteration) {
  internal::CheckNonNegative("learn_rate", options.learn_rate);
  internal::CheckDecay("gradient_decay_factor", options.gradient_decay_factor);
  internal::CheckDecay("squared_gradient_decay_factor", options.squared_gradient_decay_factor);
  internal::CheckPositive("epsilon", options.epsilon);
  internal::CheckNonNegative("l2_regularization", options.l2_regularization);
  internal::CheckNonNegative("weight_decay", options.weight_decay);
  if (iteration < 1) {
    throw Error("trainnet:Iteration", "Updates are counted from 1.",
                absl::StrCat("iteration = ", iteration, " came."),
                "Begin with a new AdamState, or set iteration to the number of the next update.");
  }
  const double t = static_cast<double>(iteration);
  const double beta1 = options.gradient_decay_factor, beta2 = options.squared_gradient_decay_factor;
  const double correction1 = 1 - std::pow(beta1, t), correction2 = 1 - std::pow(beta2, t);
  return RatesArray(AdamStepRates{options.learn_rate / correction1, 1 / correction2,
                                  1 - options.learn_rate * options.weight_decay,
                                  options.l2_regularization, beta1, beta2, options.epsilon});
}

void AdamUpdate(const ParameterList& parameters, const DlArrays& gradients, AdamState& state,
                const AdamOptions& options) {
  AdamUpdate(parameters, gradients, state, AdamRates(options, state.iteration));
}

void AdamUpdate(const ParameterList& parameters, const DlArrays& gradients, AdamState& state,
                const DlArray& rates) {
  CheckGradients(parameters, gradients);
  PrepareState(parameters, "average_gradient", false, state.average_gradient);
  PrepareState(parameters, "average_squared_gradient", true, state.average_squared_gradient);
  ForEachParameter(internal::AdamOp(), parameters, gradients,
                   {&state.average_gradient, &state.average_squared_gradient}, rates);
  ++state.iteration;
}

}  // namespace lamina
