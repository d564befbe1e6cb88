#include "framework/trainnet/updates.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "framework/ops/creation.h"
#include "framework/trainnet/option_check.h"
#include "framework/trainnet/update_kernels.h"

namespace lamina {
namespace {

using internal::AdamKernel;
using internal::AdamRates;
using internal::RealOf;
using internal::RmspropKernel;
using internal::RmspropRates;
using internal::SgdmKernel;
using internal::SgdmRates;

// The rates are an input, a vector of doubles, and no attributes of the op: they change from step
// to step, and a recorded step must be usable for the next one.
template <class Rates>
DlArray RatesArray(const Rates& rates) {
  constexpr int64_t kCount = sizeof(Rates) / sizeof(double);
  return DlArray::FromBytes(DataType::kDouble, &rates, kCount, {kCount});
}
template <class Rates>
const Rates& RatesOf(const DlArray& array) {
  return *reinterpret_cast<const Rates*>(array.Data<double>());
}

template <class F>
void WithType(DataType type, F&& f) {
  switch (type) {
    case DataType::kSingle:
      return f(float());
    case DataType::kDouble:
      return f(double());
    case DataType::kComplexSingle:
      return f(std::complex<float>());
    case DataType::kComplexDouble:
      return f(std::complex<double>());
    default:
      LAMINA_CHECK(IsFloating(type));
  }
}

// Inputs: parameter, gradient, averages.., rates. Outputs: parameter, averages..
class UpdateOp : public Op {
 public:
  void Infer(const Specs& in, SpecList* out) const override {
    for (size_t i = 0; i + 1 < in.size(); ++i) {
      if (i != 1) out->push_back(in[i]);
    }
  }
};

class SgdmOp : public UpdateOp {
 public:
  std::string_view Name() const override { return "sgdm_update"; }
  void Run(Arrays in, Results out) const override {
    WithType(in[0].type(), [&]<class T>(T) {
      SgdmKernel(in[0].numel(), RatesOf<SgdmRates>(in[3]), in[0].Data<T>(), in[1].Data<T>(),
                 in[2].Data<T>(), out.Data<T>(0), out.Data<T>(1));
    });
  }
};

class RmspropOp : public UpdateOp {
 public:
  std::string_view Name() const override { return "rmsprop_update"; }
  void Run(Arrays in, Results out) const override {
    WithType(in[0].type(), [&]<class T>(T) {
      using R = typename RealOf<T>::Type;
      RmspropKernel(in[0].numel(), RatesOf<RmspropRates>(in[3]), in[0].Data<T>(), in[1].Data<T>(),
                    in[2].Data<R>(), out.Data<T>(0), out.Data<R>(1));
    });
  }
};

class AdamOp : public UpdateOp {
 public:
  std::string_view Name() const override { return "adam_update"; }
  void Run(Arrays in, Results out) const override {
    WithType(in[0].type(), [&]<class T>(T) {
      using R = typename RealOf<T>::Type;
      AdamKernel(in[0].numel(), RatesOf<AdamRates>(in[4]), in[0].Data<T>(), in[1].Data<T>(),
                 in[2].Data<T>(), in[3].Data<R>(), out.Data<T>(0), out.Data<T>(1), out.Data<R>(2));
    });
  }
};

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

// Runs the op for each array but frozen ones; `rates` makes them from the array's factors.
template <class Rates>
void ForEachParameter(const UpdateOp& op, const ParameterList& parameters,
                      const DlArrays& gradients, std::initializer_list<DlArrays*> states,
                      Rates&& rates) {
  const OpPtr shared = StaticOp(op);
  DlArray plain;  // The rates of arrays whose factors are 1: most of them.
  for (size_t i = 0; i < parameters.size(); ++i) {
    const ParameterList::Item& item = parameters[i];
    if (item.learn_rate_factor == 0) continue;
    const bool is_plain = item.learn_rate_factor == 1 && item.l2_factor == 1;
    DlArray r = is_plain ? plain : DlArray();
    if (r.empty()) r = RatesArray(rates(item.learn_rate_factor, item.l2_factor));
    if (is_plain) plain = r;
    absl::InlinedVector<DlArray, 5> inputs{*item.value, gradients[i]};
    for (DlArrays* s : states) inputs.push_back((*s)[i]);
    inputs.push_back(std::move(r));
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

void SgdmUpdate(const ParameterList& parameters, const DlArrays& gradients, SgdmState& state,
                const SgdmOptions& options) {
  internal::CheckNonNegative("learn_rate", options.learn_rate);
  internal::CheckDecay("momentum", options.momentum);
  internal::CheckNonNegative("l2_regularization", options.l2_regularization);
  CheckGradients(parameters, gradients);
  PrepareState(parameters, "velocity", false, state.velocity);
  static const SgdmOp* const op = new SgdmOp;
  ForEachParameter(*op, parameters, gradients, {&state.velocity}, [&](double rate, double l2) {
    return SgdmRates{options.learn_rate * rate, options.l2_regularization * l2, options.momentum};
  });
}

void RmspropUpdate(const ParameterList& parameters, const DlArrays& gradients, RmspropState& state,
                   const RmspropOptions& options) {
  internal::CheckNonNegative("learn_rate", options.learn_rate);
  internal::CheckDecay("squared_gradient_decay_factor", options.squared_gradient_decay_factor);
  internal::CheckPositive("epsilon", options.epsilon);
  internal::CheckNonNegative("l2_regularization", options.l2_regularization);
  CheckGradients(parameters, gradients);
  PrepareState(parameters, "average_squared_gradient", true, state.average_squared_gradient);
  static const RmspropOp* const op = new RmspropOp;
  ForEachParameter(*op, parameters, gradients, {&state.average_squared_gradient},
                   [&](double rate, double l2) {
                     return RmspropRates{options.learn_rate * rate, options.l2_regularization * l2,
                                         options.squared_gradient_decay_factor, options.epsilon};
                   });
}

void AdamUpdate(const ParameterList& parameters, const DlArrays& gradients, AdamState& state,
                const AdamOptions& options) {
  internal::CheckNonNegative("learn_rate", options.learn_rate);
  internal::CheckDecay("gradient_decay_factor", options.gradient_decay_factor);
  internal::CheckDecay("squared_gradient_decay_factor", options.squared_gradient_decay_factor);
  internal::CheckPositive("epsilon", options.epsilon);
  internal::CheckNonNegative("l2_regularization", options.l2_regularization);
  internal::CheckNonNegative("weight_decay", options.weight_decay);
  CheckGradients(parameters, gradients);
  if (state.iteration < 1) {
    throw Error("trainnet:Iteration", "Updates are counted from 1.",
                absl::StrCat("iteration = ", state.iteration, " came."),
                "Begin with a new AdamState, or set iteration to the number of the next update.");
  }
  PrepareState(parameters, "average_gradient", false, state.average_gradient);
  PrepareState(parameters, "average_squared_gradient", true, state.average_squared_gradient);
  const double t = static_cast<double>(state.iteration);
  const double beta1 = options.gradient_decay_factor, beta2 = options.squared_gradient_decay_factor;
  const double correction1 = 1 - std::pow(beta1, t), correction2 = 1 - std::pow(beta2, t);
  static const AdamOp* const op = new AdamOp;
  ForEachParameter(*op, parameters, gradients,
                   {&state.average_gradient, &state.average_squared_gradient},
                   [&](double rate_factor, double l2_factor) {
                     const double rate = options.learn_rate * rate_factor;
                     return AdamRates{rate / correction1,
                                      1 / correction2,
                                      1 - rate * options.weight_decay * l2_factor,
                                      options.l2_regularization * l2_factor,
                                      beta1,
                                      beta2,
                                      options.epsilon};
                   });
  ++state.iteration;
}

}  // namespace lamina
