// Initialize sets what is unset, leaves what is set, and follows from the sizes alone.
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

void InitializeDoesNotError(const CheckContext& c, const Variant& v, TestPoint* point) {
  try {
    c.Initialized(c.Layouts(v.observations));
  } catch (const FunctionThrew& e) {
    point->Fail(ThrewDiagnostic(Function::kInitialize, e.message));
  }
}

// The layouts' channels, where they have any.
void InitializeSetsParameters(const CheckContext& c, const Variant& v, TestPoint* point) {
  const AnyLayer ready = c.Initialized(c.Layouts(v.observations));
  const std::vector<ParameterName> names = CheckContext::ParameterNames(ready);
  const DlArrays values = ParametersOf(ready);
  for (size_t i = 0; i < values.size(); ++i) {
    std::string came;
    if (values[i].empty()) {
      came = "It is unset.";
    } else if (names[i].kind == PropertyKind::kLearnable && !IsFloating(values[i].type())) {
      came = absl::StrCat("It is ", std::string(Name(values[i].type())), ".");
    } else {
      for (double e : Components(values[i])) {
        if (!std::isfinite(e)) came = "It holds NaN or infinity.";
      }
    }
    if (came.empty()) continue;
    point->Fail(
        {.expected = absl::StrCat("After Initialize ", Quoted(names[i].name),
                                  " is set to finite numbers of a floating type."),
         .came = std::move(came),
         .where = absl::StrCat(std::string(ToString(names[i].kind)), " ", Quoted(names[i].name)),
         .causes = {"Initialize forgets it, or divides by a size that is zero."},
         .fix = "Set it: if (p.empty()) p = Rand(layout.Only('C'));"});
  }
}

void InitializeKeepsSetParameters(const CheckContext& c, const Variant& v, TestPoint* point) {
  const std::vector<NetworkDataLayout> layouts = c.Layouts(v.observations);
  AnyLayer layer = c.Initialized(layouts);
  const std::vector<ParameterName> names = CheckContext::ParameterNames(layer);
  DlArrays set = ParametersOf(layer);
  for (size_t i = 0; i < set.size(); ++i) {
    if (!IsFloating(set[i].type()) || set[i].empty()) continue;
    set[i] = c.MakeArray(set[i].spec(), 0.5, 1, 200 + i);
  }
  SetParameters(layer, set);
  RandomSource source{c.options().seed, 5, 0};
  const ScopedRandomSource scope(source);
  Guarded(Function::kInitialize, [&] { layer.Initialize(layouts); });
  const DlArrays after = ParametersOf(layer);
  for (size_t i = 0; i < set.size(); ++i) {
    // States may start anew.
    if (names[i].kind == PropertyKind::kState || set[i].empty() || IsEqual(set[i], after[i])) {
      continue;
    }
    point->Fail({.expected = absl::StrCat("Initialize leaves ", Quoted(names[i].name),
                                          ", which is set, as it is."),
                 .came = "It has other values afterwards.",
                 .where = absl::StrCat("Learnable ", Quoted(names[i].name)),
                 .causes = {"Initialize sets it without asking: trained weights would be lost."},
                 .fix = "Ask first: if (p.empty()) p = ..."});
  }
}

// Learnables that grow with the number of observations cannot be trained on mini-batches.
void InitializeIgnoresObservations(const CheckContext& c, const Variant&, TestPoint* point) {
  const AnyLayer one = c.Initialized(c.Layouts(Observations::kOne));
  const AnyLayer several = c.Initialized(c.Layouts(Observations::kSeveral));
  const std::vector<ParameterName> names = CheckContext::ParameterNames(one);
  const DlArrays a = ParametersOf(one), b = ParametersOf(several);
  for (size_t i = 0; i < a.size(); ++i) {
    if (names[i].kind == PropertyKind::kState || SameSizes(a[i].sizes(), b[i].sizes())) continue;
    point->Fail({.expected = absl::StrCat("The sizes of ", Quoted(names[i].name),
                                          " are the same for any number of observations."),
                 .came = absl::StrCat(lamina::ToString(a[i].sizes()), " for one, ",
                                      lamina::ToString(b[i].sizes()), " for several."),
                 .where = absl::StrCat("Learnable ", Quoted(names[i].name)),
                 .causes = {"Its sizes are taken from all dims of the layout."},
                 .fix = "Take the sizes by label: layout.Only('C'), layout.Size('C')."});
  }
}

constexpr LayerTest kTests[] = {
    {"initializeDoesNotError", Variants::kObservations, Always, InitializeDoesNotError,
     Needs::kInitialize},
    {"initializeSetsParameters", Variants::kObservations, Always, InitializeSetsParameters,
     Needs::kInitialize},
    {"initializeKeepsSetParameters", Variants::kOnce, Always, InitializeKeepsSetParameters,
     Needs::kInitialize},
    {"initializeIgnoresObservations", Variants::kOnceSeveral, Always, InitializeIgnoresObservations,
     Needs::kInitialize},
};

}  // namespace

std::span<const LayerTest> InitializationTests() { return kTests; }

}  // namespace lamina::checks
