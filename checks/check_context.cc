#include "checks/check_context.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina::checks {
namespace {

// More elements than this in all inputs, and fewer observations are taken.
constexpr int64_t kMaxElements = int64_t{1} << 21;

// Subsequences of the random numbers, apart from one another.
constexpr uint64_t kInitializeStream = 1, kCallStream = 2, kJitterStream = 3, kFirstFreeStream = 16;
constexpr uint64_t kStateStream = 1000, kRedrawnStream = 2000;
// Between the seeds of calls that draw other random numbers.
constexpr uint64_t kOtherSeed = 0x9E3779B97F4A7C15;

int64_t StandIn(char label) {
  switch (label) {
    case 'S':
      return 8;
    case 'C':
      return 3;
    case 'B':
      return 2;
    case 'T':
      return 5;
    default:
      return 4;
  }
}

char LabelOf(const NetworkDataLayout& layout, int dim) {
  return layout.format().empty() ? 'U' : layout.format()[dim];
}

NetworkDataLayout WithSizes(const NetworkDataLayout& layout, const Sizes& sizes) {
  return NetworkDataLayout(sizes, layout.format().str());
}

DlArray Scaled(const DlArray& unit, double low, double high) { return unit * (high - low) + low; }

DlArrays StatesOf(AnyLayer layer) {
  DlArrays states;
  layer->ForEachState([&](DlArray& s) { states.push_back(s); });
  return states;
}

// A new state is finite, may have more of what there was one of, and is else of the old one's
// sizes.
bool CanReplace(const DlArray& before, const DlArray& after) {
  for (int d = 0; d < std::max(before.rank(), after.rank()); ++d) {
    if (before.size(d) != after.size(d) && before.size(d) != 1 && !before.empty()) return false;
  }
  const std::vector<double> values = Components(after);
  return !after.empty() &&
         std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// The learnable moved by up to a tenth, element by element.
DlArray Jittered(const DlArray& w, const DlArray& unit) {
  const DlArray step = 0.1 * (2 * unit - 1);
  double sum = 0;
  const std::vector<double> values = Components(w);
  for (double v : values) sum += v * v;
  const double rms = values.empty() ? 0 : std::sqrt(sum / static_cast<double>(values.size()));
  return Where(NotEqual(w, 0), w * (1 + step), (rms > 0 ? rms : 1.0) * step);
}

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

CheckContext::CheckContext(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
                           const CheckOptions& options, const lamina::internal::LayerMaker& maker)
    : layer_(layer), options_(options), maker_(maker), layouts_(layouts.begin(), layouts.end()) {
  if (static_cast<int>(layouts.size()) != layer->NumInputs()) {
    throw Error(
        "checkLayer:LayoutCount",
        absl::StrCat("CheckLayer takes a layout for each input of ", layer->Type(), ": ",
                     layer->NumInputs(), " (", absl::StrJoin(layer->InputNames(), ", "), ")."),
        absl::StrCat(layouts.size(), " came."), "Give one NetworkDataLayout for each.");
  }
  CheckOptionsOfInputs();
  for (size_t i = 0; i < layouts_.size(); ++i) {
    if (!layouts_[i].has_unknown()) continue;
    const NetworkDataLayout came = layouts_[i];
    Sizes sizes = came.sizes();
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (sizes[d] == kUnknown) sizes[d] = StandIn(LabelOf(came, static_cast<int>(d)));
    }
    layouts_[i] = WithSizes(came, sizes);
    notes_.push_back(absl::StrCat("Input '", layer->InputNames()[i], "' came as ",
                                  lamina::ToString(came), ". CheckLayer took ",
                                  lamina::ToString(layouts_[i]), "."));
  }
  SetObservationDims();
  const std::vector<NetworkDataLayout> several = Layouts(Observations::kSeveral);
  for (size_t i = 0; i < several.size() && has_observations_; ++i) {
    const int dim = observation_dims_[i];
    if (dim < 0 || several[i].sizes()[dim] >= layouts_[i].sizes()[dim]) continue;
    notes_.push_back(absl::StrCat("Input '", layer->InputNames()[i], "' is large: tests with ",
                                  "several observations take ", several[i].sizes()[dim], " of ",
                                  layouts_[i].sizes()[dim], "."));
  }
  for (const ParameterName& p : ParameterNames(layer)) {
    (p.kind == PropertyKind::kState ? has_states_ : has_learnables_) = true;
  }
}

void CheckContext::CheckOptionsOfInputs() const {
  const double low = options_.input_low, high = options_.input_high;
  const std::string range = absl::StrCat("[", low, ", ", high, ") came.");
  if (!(low < high) || !std::isfinite(low) || !std::isfinite(high)) {
    throw Error("checkLayer:InputRange", "input_low is less than input_high, both finite.", range,
                "");
  }
  const std::vector<std::string>& names = layer_->InputNames();
  for (const std::string& name : options_.integer_inputs) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw Error("checkLayer:NoSuchInput", "integer_inputs names inputs of the layer.",
                  absl::StrCat("\"", name, "\" came."),
                  absl::StrCat("They are ", absl::StrJoin(names, ", "), "."));
    }
    if (std::ceil(low) >= std::ceil(high)) {
      throw Error("checkLayer:InputRange",
                  "A whole number is at least input_low and less than input_high.", range,
                  "Inputs of whole numbers are drawn from these: 0 and 10 give 0 to 9.");
    }
  }
}

void CheckContext::SetObservationDims() {
  const std::vector<int>& given = options_.observation_dimension;
  const size_t n = layouts_.size();
  if (!given.empty() && given.size() != 1 && given.size() != n) {
    throw Error("checkLayer:ObservationDimension",
                absl::StrCat("observation_dimension has one dim for each of the ", n,
                             " inputs, or one for all."),
                absl::StrCat(given.size(), " came."), "");
  }
  for (size_t i = 0; i < n; ++i) {
    const int labelled = layouts_[i].FindDim('B');
    int dim = labelled;
    if (!given.empty()) {
      dim = given[given.size() == 1 ? 0 : i];
      if (dim < 0 || dim >= layouts_[i].rank()) {
        throw Error("checkLayer:ObservationDimension",
                    "observation_dimension is a dim of the layout, counted from 0.",
                    absl::StrCat(dim, " came for ", lamina::ToString(layouts_[i]), "."), "");
      }
      if (labelled >= 0 && labelled != dim) {
        throw Error("checkLayer:ObservationDimension",
                    "observation_dimension is the dim labelled \"B\" where there is one.",
                    absl::StrCat(dim, " came for ", lamina::ToString(layouts_[i]), "."),
                    "Leave observation_dimension out.");
      }
    }
    observation_dims_.push_back(dim);
    has_observations_ = has_observations_ || dim >= 0;
  }
}

std::vector<NetworkDataLayout> CheckContext::WithObservations(int64_t count) const {
  std::vector<NetworkDataLayout> out = layouts_;
  for (size_t i = 0; i < out.size(); ++i) {
    if (observation_dims_[i] < 0) continue;
    Sizes sizes = out[i].sizes();
    sizes[observation_dims_[i]] = count;
    out[i] = WithSizes(out[i], sizes);
  }
  return out;
}

std::vector<NetworkDataLayout> CheckContext::Layouts(Observations observations) const {
  if (observations == Observations::kAsGiven || !has_observations_) return layouts_;
  std::vector<NetworkDataLayout> one = WithObservations(1);
  if (observations == Observations::kOne) return one;
  const int64_t most =
      std::max<int64_t>(2, kMaxElements / std::max<int64_t>(1, NumElementsOf(one)));
  std::vector<NetworkDataLayout> out = layouts_;
  for (size_t i = 0; i < out.size(); ++i) {
    if (observation_dims_[i] < 0) continue;
    Sizes sizes = out[i].sizes();
    int64_t& b = sizes[observation_dims_[i]];
    b = std::min(std::max<int64_t>(b, 2), most);
    out[i] = WithSizes(out[i], sizes);
  }
  return out;
}

std::vector<NetworkDataLayout> CheckContext::Reduced(std::vector<NetworkDataLayout> layouts,
                                                     int64_t size, bool shrink_all) const {
  for (size_t i = 0; i < layouts.size(); ++i) {
    Sizes sizes = layouts[i].sizes();
    for (int d = 0; d < layouts[i].rank(); ++d) {
      const bool observations = d == observation_dims_[i];
      const char label = LabelOf(layouts[i], d);
      const bool shrinks = observations || (shrink_all && (label == 'S' || label == 'T'));
      if (shrinks) sizes[d] = std::min<int64_t>(sizes[d], observations ? 3 : size);
    }
    layouts[i] = WithSizes(layouts[i], sizes);
  }
  return layouts;
}

AnyLayer CheckContext::Initialized(const std::vector<NetworkDataLayout>& layouts) const {
  RandomSource source{options_.seed, kInitializeStream, 0};
  const ScopedRandomSource scope(source);
  return Guarded(Function::kInitialize, [&] {
    AnyLayer ready = layer_;
    if (has_states_ && traits().has_initialize) {
      // States may have been sized for another number of observations. Where Initialize sets them
      // all, it sets them anew.
      ready->ForEachState([](DlArray& s) { s = DlArray(); });
      ready.Initialize(layouts);
      bool all = true;
      ready->ForEachState([&](DlArray& s) { all = all && !s.empty(); });
      if (all) return ready;
      ready = layer_;
    }
    ready.Initialize(layouts);
    return ready;
  });
}

Subject CheckContext::MakeSubject(const std::vector<NetworkDataLayout>& layouts, DataType type,
                                  uint64_t stream) const {
  for (const Made& m : made_) {
    if (m.type == type && m.stream == stream && m.subject.layouts == layouts) return m.subject;
  }
  made_.push_back({type, stream, MakeSubjectAnew(layouts, type, stream)});
  return made_.back().subject;
}

Subject CheckContext::MakeSmallSubject(Observations observations) const {
  // Layouts with fewer elements than this are not made smaller.
  constexpr int64_t kSmall = 512, kSmallSize = 5;
  const std::vector<NetworkDataLayout> given = Layouts(observations);
  if (NumElementsOf(given) > kSmall) {
    for (const bool shrink_all : {true, false}) {
      try {
        Subject subject = MakeSubject(Reduced(given, kSmallSize, shrink_all), DataType::kDouble);
        Call(subject, Function::kForward);
        return subject;
      } catch (const FunctionThrew&) {
        // Its sizes are fixed: larger ones, then.
      }
    }
  }
  return MakeSubject(given, DataType::kDouble);
}

Subject CheckContext::MakeSubjectAnew(const std::vector<NetworkDataLayout>& layouts, DataType type,
                                      uint64_t stream) const {
  Subject subject{Initialized(layouts), layouts, MakeInputs(layouts, type, stream)};
  RandomSource source{options_.seed, kJitterStream, 0};
  const ScopedRandomSource scope(source);
  const auto convert = [&](const DlArray& p) {
    return IsFloating(p.type()) ? Cast(p, IsComplex(p.type()) ? ToComplex(type) : type) : p;
  };
  subject.layer->VisitParameters("", [&](const ParameterRef& p) {
    if (p.value->empty()) return;
    *p.value = convert(*p.value);
    if (p.kind == PropertyKind::kLearnable && IsRealFloating(p.value->type())) {
      *p.value = Jittered(*p.value, RandLike(*p.value));
    }
  });
  if (!has_states_) return subject;
  // A copy is called: what a layer remembers in other ways than by states is none of the subject's.
  AnyLayer called = subject.layer;
  const DlArrays initial = StatesOf(called);
  try {
    for (const Function function : {Function::kForward, Function::kPredict}) {
      const DlArrays inputs = MakeInputs(layouts, type, kStateStream + static_cast<int>(function));
      DlArrays states = Call(called, inputs, function).states;
      for (size_t i = 0; i < states.size(); ++i) {
        states[i] = convert(states[i]);
        if (i >= initial.size() || !CanReplace(initial[i], states[i])) return subject;
      }
      called.SetStates(states);
    }
    Call(called, subject.inputs, Function::kPredict);
  } catch (const FunctionThrew&) {
    return subject;  // The tests of states will tell.
  }
  subject.layer.SetStates(StatesOf(called));
  return subject;
}

Subject CheckContext::Redrawn(const Subject& subject, DataType type, int draw) const {
  Subject other{subject.layer, subject.layouts,
                MakeInputs(subject.layouts, type, kRedrawnStream + static_cast<uint64_t>(draw))};
  RandomSource source{options_.seed, kRedrawnStream, static_cast<uint64_t>(draw)};
  const ScopedRandomSource scope(source);
  other.layer->VisitParameters("", [](const ParameterRef& p) {
    if (p.value->empty() || p.kind != PropertyKind::kLearnable) return;
    if (!IsRealFloating(p.value->type())) return;
    const DlArray& w = *p.value;
    *p.value = Where(RandLike(w) < 0.5, -w, w);
  });
  return other;
}

bool CheckContext::HasEffectInSomeDraw(
    const Subject& subject, DataType type,
    const std::function<bool(const Subject&)>& has_effect) const {
  constexpr int kDraws = 24;
  for (int draw = 1; draw <= kDraws; ++draw) {
    try {
      const Subject other = Redrawn(subject, type, draw);
      bool finite = true;
      for (const DlArray& y : Call(other, Function::kForward).outputs) {
        for (const double part : Components(y)) finite = finite && std::isfinite(part);
      }
      if (finite && has_effect(other)) return true;
    } catch (const FunctionThrew&) {
      // The layer refuses such values.
    }
  }
  return false;
}

DlArrays CheckContext::MakeInputs(const std::vector<NetworkDataLayout>& layouts, DataType type,
                                  uint64_t stream) const {
  DlArrays inputs;
  const double low = options_.input_low, high = options_.input_high;
  for (const NetworkDataLayout& l : layouts) {
    const uint64_t own = stream * 64 + inputs.size();
    if (options_.integer_inputs.count(layer_->InputNames()[inputs.size()]) > 0) {
      const DlArray x = MakeArray({DataType::kDouble, l.sizes(), l.format()}, std::ceil(low),
                                  std::ceil(high), own);
      inputs.push_back(Cast(Floor(x), DataType::kInt32));
    } else {
      const DataType mine = options_.complex_inputs ? ToComplex(type) : type;
      inputs.push_back(MakeArray({mine, l.sizes(), l.format()}, low, high, own));
    }
  }
  return inputs;
}

DlArray CheckContext::MakeArray(const ArraySpec& spec, double low, double high,
                                uint64_t stream) const {
  RandomSource source{options_.seed, kFirstFreeStream + stream, 0};
  const ScopedRandomSource scope(source);
  const auto real = [&] {
    return Scaled(Rand(spec.sizes, ToReal(spec.type), spec.format.str()), low, high);
  };
  if (!IsComplex(spec.type)) return real();
  const DlArray re = real();
  return Complex(re, real());
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

int64_t NumElementsOf(const std::vector<NetworkDataLayout>& layouts) {
  int64_t n = 0;
  for (const NetworkDataLayout& l : layouts) n += NumElements(l.sizes());
  return n;
}

int64_t NumObservations(const CheckContext& c, const std::vector<NetworkDataLayout>& layouts) {
  for (size_t i = 0; i < layouts.size(); ++i) {
    const int dim = c.observation_dim(static_cast<int>(i));
    if (dim >= 0) return layouts[i].sizes()[dim];
  }
  return 1;
}

bool Same(Arrays a, Arrays b) {
  for (size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (!IsEqual(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

}  // namespace lamina::checks
