#include "framework/trainnet/updates.h"

#include <cmath>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/written_op.h"
#include "framework/trainnet/option_check.h"
#include "framework/trainnet/update_kernels.h"

namespace lamina {
namespace {

using internal::AdamKernel;
using internal::AdamStepRates;
using internal::RealOf;
using internal::RmspropKernel;
using internal::RmspropStepRates;
using internal::SgdmKernel;
using internal::SgdmStepRates;
using loops::Expression;

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
class UpdateOp : public Op, public WrittenOp {
 public:
  /// What of the rates is multiplied by an array's learn rate factor, and by its L2 factor.
  struct Factors {
    bool learn_rate, l2;
  };
  virtual std::span<const Factors> RateFactors() const = 0;
  void Infer(const Specs& in, SpecList* out) const override {
    for (size_t i = 0; i + 1 < in.size(); ++i) {
      if (i != 1) out->push_back(in[i]);
    }
  }

 protected:
  // Elements of the inputs at these indices, and the rates in the type of the array.
  struct Elements {
    OpWriter& w;
    const Indices& at;
    Expression operator[](int input) const { return w.Load(input, at); }
    Expression Rate(int i) const { return Convert(Exactly(i), w.input(0).type); }
    // 1 - rate, taken in double.
    Expression Rest(int i) const {
      return Convert(Expression::Number(1, DataType::kDouble) - Exactly(i), w.input(0).type);
    }
    // As the function of this name in update_kernels.cc.
    Expression WithoutSubnormal(std::string_view hint, const Expression& x) const {
      const DataType type = w.input(0).type;
      const double least = type == DataType::kSingle ? std::numeric_limits<float>::min()
                                                     : std::numeric_limits<double>::min();
      const Expression named = w.code().Let(hint, x);
      return Select(Abs(named) < Expression::Number(least, type), Expression::Number(0, type),
                    named);
    }

   private:
    Expression Exactly(int i) const {
      return w.Load(w.num_inputs() - 1, {Expression(static_cast<double>(i))});
    }
  };
  static void CheckIsReal(const OpWriter& w) {
    if (IsRealFloating(w.input(0).type)) return;
    throw Error("emit:CannotPrint", "The update of an array is printed for real arrays.",
                absl::StrCat("A ", ToString(w.input(0)), " came."), "");
  }
};

class SgdmOp : public UpdateOp {
 public:
  std::string_view Name() const override { return "sgdm_update"; }
  std::span<const Factors> RateFactors() const override {
    static constexpr Factors kFactors[] = {{true, false}, {false, true}, {false, false}};
    return kFactors;
  }
  void Write(OpWriter& w) const override {
    CheckIsReal(w);
    const auto velocity = [](const Elements& in) {
      return in.WithoutSubnormal("velocity",
                                 in.Rate(2) * in[2] - in.Rate(0) * (in[1] + in.Rate(1) * in[0]));
    };
    w.Define(0, [&w, velocity](const Indices& i) {
      const Elements in{w, i};
      return in[0] + velocity(in);
    });
    w.Define(1, [&w, velocity](const Indices& i) { return velocity({w, i}); });
  }
  void Run(Arrays in, Results out) const override {
    WithType(in[0].type(), [&]<class T>(T) {
      SgdmKernel(in[0].numel(), RatesOf<SgdmStepRates>(in[3]), in[0].Data<T>(), in[1].Data<T>(),
                 in[2].Data<T>(), out.Data<T>(0), out.Data<T>(1));
    });
  }
};

class RmspropOp : public UpdateOp {
 public:
  std::string_view Name() const override { return "rmsprop_update"; }
  std::span<const Factors> RateFactors() const override {
    static constexpr Factors kFactors[] = {
        {true, false}, {false, true}, {false, false}, {false, false}};
    return kFactors;
  }
  void Write(OpWriter& w) const override {
    CheckIsReal(w);
    const auto gradient = [](const Elements& in) { return in[1] + in.Rate(1) * in[0]; };
    const auto square = [gradient](const Elements& in) {
      const Expression g = gradient(in);
      return in.WithoutSubnormal("square", in.Rate(2) * in[2] + in.Rest(2) * (g * g));
    };
    w.Define(0, [&w, gradient, square](const Indices& i) {
      const Elements in{w, i};
      return in[0] - in.Rate(0) / (Sqrt(square(in)) + in.Rate(3)) * gradient(in);
    });
    w.Define(1, [&w, square](const Indices& i) { return square({w, i}); });
  }
  void Run(Arrays in, Results out) const override {
    WithType(in[0].type(), [&]<class T>(T) {
      using R = typename RealOf<T>::Type;
      RmspropKernel(in[0].numel(), RatesOf<RmspropStepRates>(in[3]), in[0].Data<T>(),
                    in[1].Data<T>(), in[2].Data<R>(), out.Data<T>(0), out.Data<R>(1));
    });
  }
};

class AdamOp : public UpdateOp {
 public:
  std::string_view Name() const override { return "adam_update"; }
  std::span<const Factors> RateFactors() const override {
    static constexpr Factors kFactors[] = {{true, false}, {false, false}, {true, true},
                                           {false, true}, {false, false}, {false, false},
                                           {false, false}};
    return kFactors;
  }
  void Write(OpWriter& w) const override {
    CheckIsReal(w);
    const auto gradient = [](const Elements& in) { return in[1] + in.Rate(3) * in[0]; };
    const auto average = [gradient](const Elements& in) {
      return in.WithoutSubnormal("average", in.Rate(4) * in[2] + in.Rest(4) * gradient(in));
    };
    const auto square = [gradient](const Elements& in) {
      const Expression g = gradient(in);
      return in.WithoutSubnormal("square", in.Rate(5) * in[3] + in.Rest(5) * (g * g));
    };
    w.Define(0, [&w, average, square](const Indices& i) {
      const Elements in{w, i};
      return in.Rate(2) * in[0] -
             in.Rate(0) / (Sqrt(in.Rate(1) * square(in)) + in.Rate(6)) * average(in);
    });
    w.Define(1, [&w, average](const Indices& i) { return average({w, i}); });
    w.Define(2, [&w, square](const Indices& i) { return square({w, i}); });
  }
  void Run(Arrays in, Results out) const override {
    WithType(in[0].type(), [&]<class T>(T) {
      using R = typename RealOf<T>::Type;
      AdamKernel(in[0].numel(), RatesOf<AdamStepRates>(in[4]), in[0].Data<T>(), in[1].Data<T>(),
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
  static const SgdmOp* const op = new SgdmOp;
  ForEachParameter(*op, parameters, gradients, {&state.velocity}, rates);
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
  static const RmspropOp* const op = new RmspropOp;
  ForEachParameter(*op, parameters, gradients, {&state.average_squared_gradient}, rates);
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
  static const AdamOp* const op = new AdamOp;
  ForEachParameter(*op, parameters, gradients,
                   {&state.average_gradient, &state.average_squared_gradient}, rates);
  ++state.iteration;
}

}  // namespace lamina
