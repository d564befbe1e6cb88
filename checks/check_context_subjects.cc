// The layer made ready, and data for it.
#include <algorithm>
#include <cmath>

#include "checks/check_context.h"
#include "checks/random_streams.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina::checks {
namespace {

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

}  // namespace lamina::checks
