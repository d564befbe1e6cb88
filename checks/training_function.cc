#include "checks/training_function.h"

#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/coordinates.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"

namespace lamina::checks {
namespace {

double SumOfProducts(const Numbers& a, const Numbers& b) {
  return SumOfBlocks<double>(a.size(), [&](size_t begin, size_t end) {
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += a[i] * b[i];
    return sum;
  });
}

// 1 when all are zero, or there is none.
double RootMeanSquare(const Numbers& values) {
  const double sum = SumOfProducts(values, values);
  const double rms = values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
  return rms > 0 && std::isfinite(rms) ? rms : 1;
}

// value + t * step.
DlArray Moved(const DlArray& value, const DlArray& step, double t) {
  if (value.type() != DataType::kDouble) return value + t * step;
  // Large ones are moved often: in one pass.
  const double *x = value.Data<double>(), *d = step.Data<double>();
  const Numbers moved = MakeNumbers(value.numel(), [&](double* out) {
    cpu::ParallelFor(value.numel(), cpu::kElementwiseGrain, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) out[k] = x[k] + t * d[k];
    });
  });
  return FromNumbers(moved, 0, value.spec());
}

// To the tape, the sum of the inputs' elements times given numbers.
class WeightedSumRule : public GradientRule {
 public:
  explicit WeightedSumRule(DlArrays weights) : weights_(std::move(weights)) {}
  std::string_view Name() const override { return "weightedSum"; }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  DlArrays Gradient(const GradientCall& call) const override {
    DlArrays gradients;
    for (const DlArray& w : weights_) gradients.push_back(call.output_gradients[0] * w);
    return gradients;
  }

 private:
  DlArrays weights_;
};

}  // namespace

TrainingFunction::TrainingFunction(const CheckContext& context, Subject subject)
    : context_(context),
      subject_(std::move(subject)),
      with_states_(!context.traits().has_backward || context.backward_takes_states()) {
  const auto add = [&](const std::string& name, VariableKind kind, const DlArray& value) {
    if (IsFloating(value.type()))
      variables_.push_back({name, kind, value, RootMeanSquare(NumbersOf({&value, 1}))});
  };
  for (size_t i = 0; i < subject_.inputs.size(); ++i) {
    add(subject_.layer->InputNames()[i], VariableKind::kInput, subject_.inputs[i]);
  }
  const std::vector<ParameterName> names = CheckContext::ParameterNames(subject_.layer);
  const DlArrays parameters = ParametersOf(subject_.layer);
  for (const PropertyKind kind : {PropertyKind::kLearnable, PropertyKind::kState}) {
    if (kind == PropertyKind::kState && !with_states_) continue;
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].kind != kind || parameters[i].empty()) continue;
      add(names[i].name,
          kind == PropertyKind::kState ? VariableKind::kState : VariableKind::kLearnable,
          parameters[i]);
    }
  }
}

void TrainingFunction::Place(Arrays values, AnyLayer* layer, DlArrays* inputs) const {
  // Variables stand in the order inputs, learnables, states; those of other types are passed over.
  size_t next = 0;
  const auto take = [&](DlArray& x) {
    if (IsFloating(x.type()) && !x.empty()) x = values[next++];
  };
  for (DlArray& x : *inputs) take(x);
  (*layer)->ForEachLearnable(take);
  if (with_states_) (*layer)->ForEachState(take);
  LAMINA_CHECK(next == values.size());
}

DlArrays TrainingFunction::At(const Direction& direction, double t) const {
  DlArrays values;
  for (size_t i = 0; i < variables_.size(); ++i) {
    const bool stays = t == 0 || i >= direction.size() || direction[i].empty();
    values.push_back(stays ? variables_[i].value : Moved(variables_[i].value, direction[i], t));
  }
  return values;
}

DlArrays TrainingFunction::Differentiated(const LayerResult& result) const {
  DlArrays out;
  for (const DlArray& y : result.outputs) {
    if (IsFloating(y.type())) out.push_back(y);
  }
  if (!with_states_) return out;
  for (const DlArray& s : result.states) {
    if (IsFloating(s.type())) out.push_back(s);
  }
  return out;
}

Numbers TrainingFunction::Values(const Direction& direction, double t) const {
  if (t == 0 && !center_.empty()) return center_;
  AnyLayer layer = subject_.layer;
  DlArrays inputs = subject_.inputs;
  Place(At(direction, t), &layer, &inputs);
  Numbers out = NumbersOf(Differentiated(context_.Call(layer, inputs, Function::kForward)));
  if (t == 0) center_ = out;
  return out;
}

std::string TrainingFunction::Where(int64_t index) const {
  const LayerResult result = context_.Call(subject_, Function::kForward);
  const auto in = [&](const DlArray& y, const std::string& name, std::string* out) {
    if (!IsFloating(y.type())) return false;
    const int64_t parts = IsComplex(y.type()) ? 2 : 1, n = y.numel() * parts;
    if (index < n) {
      *out = absl::StrCat(Quoted(name), " at ", Coordinates(y.spec(), index / parts));
      return true;
    }
    index -= n;
    return false;
  };
  std::string out;
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    if (in(result.outputs[i], subject_.layer->OutputNames()[i], &out)) return out;
  }
  for (size_t i = 0; i < result.states.size(); ++i) {
    if (in(result.states[i], absl::StrCat("state ", i + 1), &out)) return out;
  }
  return out;
}

bool TrainingFunction::KeepsType() const {
  for (const DlArray& y : Differentiated(context_.Call(subject_, Function::kForward))) {
    if (ToReal(y.type()) != DataType::kDouble) return false;
  }
  return true;
}

DlArrays TrainingFunction::ValuesOf(const DlArrays& watched) const {
  AnyLayer layer = subject_.layer;
  DlArrays inputs = subject_.inputs;
  Place(watched, &layer, &inputs);
  return Differentiated(context_.Call(layer, inputs, Function::kForward));
}

DlArrays TrainingFunction::Gradient(const Numbers& weights) const {
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays watched;
  for (const Variable& v : variables_) watched.push_back(tape.Watch(v.value));
  const DlArrays results = ValuesOf(watched);
  return Guarded(Function::kBackward,
                 [&] { return tape.Gradient(WeightedElements(results, weights), watched, {}); });
}

DlArray TrainingFunction::BentSum(const DlArrays& watched, const Numbers& weights) const {
  const Numbers center = Values({}, 0);
  DlArrays bent;
  size_t at = 0;
  for (const DlArray& y : ValuesOf(watched)) {
    const size_t n = y.numel() * (IsComplex(y.type()) ? 2 : 1);
    const Numbers mine = MakeNumbers(
        n, [&](double* out) { std::copy(center.begin() + at, center.begin() + at + n, out); });
    bent.push_back(y + Cast(0.5 / RootMeanSquare(mine), y.type()) * Square(y));
    at += n;
  }
  return Guarded(Function::kBackward, [&] { return WeightedElements(bent, weights); });
}

DlArrays TrainingFunction::BentGradientAt(const Direction& direction, double t,
                                          const Numbers& weights) const {
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays watched;
  for (const DlArray& x : At(direction, t)) watched.push_back(tape.Watch(x));
  const DlArray sum = BentSum(watched, weights);
  return Guarded(Function::kBackward, [&] { return tape.Gradient(sum, watched, {}); });
}

DlArrays TrainingFunction::SecondGradient(const Numbers& weights, const Numbers& factors) const {
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays watched;
  for (const Variable& v : variables_) watched.push_back(tape.Watch(v.value));
  const DlArray sum = BentSum(watched, weights);
  return Guarded(Function::kBackward, [&] {
    const DlArrays g = tape.Gradient(sum, watched, {.enable_higher_derivatives = true});
    return tape.Gradient(WeightedElements(g, factors), watched, {});
  });
}

DlArray WeightedElements(const DlArrays& arrays, const Numbers& factors) {
  DlArrays weights;
  size_t at = 0;
  for (const DlArray& y : arrays) {
    if (factors.empty()) {
      weights.push_back(IsComplex(y.type()) ? Complex(OnesLike(Real(y)), OnesLike(Real(y)))
                                            : OnesLike(y));
      continue;
    }
    weights.push_back(FromNumbers(factors, at, y.spec()));
    at += y.numel() * (IsComplex(y.type()) ? 2 : 1);
  }
  return WithGradientRule(std::make_shared<WeightedSumRule>(std::move(weights)), arrays,
                          [] { return DlArrays{Zeros({}, DataType::kDouble)}; })[0];
}

Direction TrainingFunction::AlongComponent(int i, int64_t component) const {
  std::vector<double> step(variables_[i].num_components(), 0);
  step[component] = variables_[i].scale;
  Direction direction(variables_.size());
  direction[i] = FromComponents(step, variables_[i].value.spec());
  return direction;
}

Direction TrainingFunction::Dense(int i, uint64_t stream, int64_t begin, int64_t end) const {
  const Variable& v = variables_[i];
  Direction direction(variables_.size());
  const Numbers step = MakeNumbers(v.num_components(), [&](double* out) {
    const RandomFactors factors(context_.options().seed * 1000003 + stream * 101 + i);
    cpu::ParallelFor(v.num_components(), cpu::kElementwiseGrain, [&](int64_t first, int64_t last) {
      for (int64_t k = first; k < last; ++k) {
        out[k] = k >= begin && k < end ? factors[k] * v.scale : 0;
      }
    });
  });
  direction[i] = FromNumbers(step, 0, v.value.spec());
  return direction;
}

Direction TrainingFunction::DenseInAll(uint64_t stream) const {
  Direction direction(variables_.size());
  for (size_t i = 0; i < variables_.size(); ++i) {
    direction[i] = Dense(static_cast<int>(i), stream)[i];
  }
  return direction;
}

double InnerProduct(Arrays a, Arrays b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].empty() || b[i].empty()) continue;
    sum += SumOfProducts(NumbersOf({&a[i], 1}), NumbersOf({&b[i], 1}));
  }
  return sum;
}

}  // namespace lamina::checks
