#include "checks/check_context.h"

#include "absl/strings/str_cat.h"
#include "checks/random_streams.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina::checks {
namespace {

// Between the seeds of calls that draw other random numbers.
constexpr uint64_t kOtherSeed = 0x9E3779B97F4A7C15;

}  // namespace

std::string_view ToString(Function function) {
  constexpr std::string_view kNames[] = {"Predict", "Forward", "Backward", "Initialize",
                                         "ResetState"};
  return kNames[static_cast<int>(function)];
}

std::string ToString(const Variant& variant, bool with_type) {
  std::string out = variant.observations == Observations::kOne       ? "1 observation"
                    : variant.observations == Observations::kSeveral ? "several observations"
                                                                     : "";
  if (with_type) absl::StrAppend(&out, out.empty() ? "" : ", ", std::string(Name(variant.type)));
  return out;
}

LayerResult CheckContext::Call(const AnyLayer& layer, Arrays inputs, Function function,
                               uint64_t random) const {
  RandomSource source{options_.seed + random * kOtherSeed, kCallStream, 0};
  const ScopedRandomSource scope(source);
  return Guarded(function, [&] {
    return function == Function::kForward ? layer.Forward(inputs) : layer.Predict(inputs);
  });
}

bool CheckContext::IsRepeatable(const Subject& subject, Function function) const {
  const LayerResult first = Call(subject, function);
  DlArrays others = MakeInputs(subject.layouts, DataType::kDouble, 9);
  for (size_t i = 0; i < others.size(); ++i) others[i] = Cast(others[i], subject.inputs[i].type());
  Call(subject.layer, others, function);
  return Same(first, Call(subject, function));
}

internal::CallResult CheckContext::CallRaw(const AnyLayer& layer, Arrays raw_inputs,
                                           Function function) const {
  RandomSource source{options_.seed, kCallStream, 0};
  const ScopedRandomSource scope(source);
  return Guarded(function, [&] {
    return function == Function::kForward ? layer.CallForward(raw_inputs)
                                          : layer.CallPredict(raw_inputs);
  });
}

DlArrays CheckContext::Raw(Arrays arrays) const {
  DlArrays out;
  for (const DlArray& x : arrays) out.push_back(traits().is_formattable ? x : StripDims(x));
  return out;
}

bool CheckContext::backward_takes_states() const {
  const int outputs = layer_->NumOutputs(), states = layer_.NumStateArrays();
  const int arguments = traits().backward_arguments;
  return traits().has_backward && states > 0 &&
         (arguments < 0 || arguments == layer_->NumInputs() + 2 * outputs + states);
}

int CheckContext::NumBackwardDerivatives() const {
  return layer_->NumOutputs() + (backward_takes_states() ? layer_.NumStateArrays() : 0);
}

DlArrays CheckContext::CallBackward(const Subject& subject, const internal::CallResult& forward,
                                    Arrays derivatives) const {
  DlArrays arguments = Raw(subject.inputs);
  arguments.insert(arguments.end(), forward.values.begin(),
                   forward.values.begin() + layer_->NumOutputs());
  arguments.insert(arguments.end(), derivatives.begin(), derivatives.end());
  return Guarded(Function::kBackward,
                 [&] { return subject.layer.CallBackward(arguments, forward.memory); });
}

DlArrays CheckContext::MakeDerivatives(const internal::CallResult& forward) const {
  DlArrays derivatives;
  for (int i = 0; i < NumBackwardDerivatives(); ++i) {
    derivatives.push_back(MakeArray(forward.values.at(i).spec(), -1, 1, 100 + i));
  }
  return derivatives;
}

std::vector<BackwardTarget> CheckContext::BackwardTargets(const Subject& subject) const {
  std::vector<BackwardTarget> targets;
  const DlArrays inputs = Raw(subject.inputs), parameters = ParametersOf(subject.layer);
  for (size_t i = 0; i < inputs.size(); ++i) {
    targets.push_back({subject.layer->InputNames()[i], inputs[i], true});
  }
  const std::vector<ParameterName> names = ParameterNames(subject.layer);
  for (const PropertyKind kind : {PropertyKind::kLearnable, PropertyKind::kState}) {
    for (size_t i = 0; i < names.size(); ++i) {
      if (names[i].kind == kind) targets.push_back({names[i].name, parameters[i], false});
    }
  }
  return targets;
}

std::vector<ParameterName> CheckContext::ParameterNames(const AnyLayer& layer) {
  std::vector<ParameterName> names;
  AnyLayer copy = layer;
  copy->VisitParameters("", [&](const ParameterRef& p) {
    names.push_back(
        {p.layer.empty() ? p.parameter : absl::StrCat(p.layer, "/", p.parameter), p.kind});
  });
  return names;
}

DlArrays ParametersOf(const AnyLayer& layer) {
  DlArrays values;
  AnyLayer copy = layer;
  copy->VisitParameters("", [&](const ParameterRef& p) { values.push_back(*p.value); });
  return values;
}

void SetParameters(AnyLayer& layer, Arrays values) {
  size_t i = 0;
  layer->VisitParameters("", [&](const ParameterRef& p) { *p.value = values[i++]; });
  LAMINA_CHECK(i == values.size());
}

bool Same(Arrays a, Arrays b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (!IsEqual(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

}  // namespace lamina::checks
