// What is not finite in an input shows in the outputs, those of its observation alone, and ends no
// loop too late.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/endless_call.h"
#include "checks/layer_test.h"
#include "checks/observation_split.h"
#include "framework/dlarray/coordinates.h"

namespace lamina::checks {
namespace {

// Counts array functions, and ends a call that applies more of them than it may.
class OpLimit : public Listener {
 public:
  explicit OpLimit(int64_t most) : most_(most) {}
  void Applied(const OpPtr&, Arrays, std::span<DlArray>) override {
    if (++count_ > most_) throw Error("checkLayer:NoEnd", "A call ends.", "It does not.", "");
  }
  int64_t count() const { return count_; }
  bool is_passed() const { return count_ > most_; }

 private:
  const int64_t most_;
  int64_t count_ = 0;
};

bool AllFinite(const std::vector<double>& v) {
  return std::all_of(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
}
bool HasNan(const DlArrays& arrays) {
  return std::any_of(arrays.begin(), arrays.end(), [](const DlArray& y) {
    const std::vector<double> values = Components(y);
    return std::any_of(values.begin(), values.end(), [](double x) { return std::isnan(x); });
  });
}

// The inputs with another value of one element (of its real part) of input `i`.
DlArrays WithElement(const Subject& subject, size_t i, size_t component, double value) {
  DlArrays inputs = subject.inputs;
  std::vector<double> values = Components(inputs[i]);
  values[component] = value;
  inputs[i] = FromComponents(values, inputs[i].spec());
  return inputs;
}

// The elements of the first observation of input `i`, as indices into its components.
std::vector<size_t> FirstObservation(const CheckContext& c, const Subject& subject, size_t i) {
  const DlArray& x = subject.inputs[i];
  const size_t parts = IsComplex(x.type()) ? 2 : 1, n = x.numel() * parts;
  const int dim = c.observation_dim(static_cast<int>(i));
  size_t stride = parts;
  for (int d = 0; d < dim; ++d) stride *= x.size(d);
  std::vector<size_t> out;
  for (size_t e = 0; e < n; e += parts) {
    if (dim < 0 || e / stride % x.size(dim) == 0) out.push_back(e);
  }
  return out;
}

// An element of the first observation on which results depend, whichever way it goes; one that
// another outdoes (in a maximum), or that is left out, may be NaN unseen.
std::optional<size_t> ElementThatMatters(const CheckContext& c, const Subject& subject, size_t i,
                                         Function function) {
  constexpr size_t kTrials = 8;
  const LayerResult before = c.Call(subject, function);
  const std::vector<size_t> first = FirstObservation(c, subject, i);
  const std::vector<double> values = Components(subject.inputs[i]);
  const size_t trials = std::min(kTrials, first.size());
  for (size_t k = 0; k < trials; ++k) {
    // Spread, from the middle on.
    const size_t e = first[(first.size() / 2 + k * first.size() / trials) % first.size()];
    bool matters = true;
    for (const double step : {-0.125, 0.125}) {
      const DlArrays moved = WithElement(subject, i, e, values[e] + step);
      matters = matters && !Same(before, c.Call(subject.layer, moved, function));
    }
    if (matters) return e;
  }
  return std::nullopt;
}

// The first output of another observation that is not finite, in words; "" when there is none.
std::string WhereElsewhere(const CheckContext& c, const Subject& subject,
                           const LayerResult& result) {
  const int64_t observations = NumObservations(c, subject.layouts);
  for (size_t i = 0; i < result.outputs.size() && observations > 1; ++i) {
    const DlArray& y = result.outputs[i];
    const int dim = ObservationDimOf(c, y, observations);
    if (dim >= 0 && !AllFinite(SplitObservations(y, dim).others)) {
      return absl::StrCat("Output ", Quoted(subject.layer->OutputNames()[i]));
    }
  }
  return "";
}

// What is said of a call without end.
std::string EndsInWords(const std::string& function) {
  return absl::StrCat(function, " comes to an end, whatever the values are.");
}
constexpr char kWaits[] =
    "A loop waits for values to become small: half of infinity is infinity, and comparisons with "
    "NaN are false.";
constexpr char kCount[] = "Count loops by sizes, or refuse such values with an Error.";

void NanIsPassedOn(const CheckContext& c, const Variant& v, TestPoint* point) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  // A layer may do more for such values, but not without end.
  constexpr int64_t kTimesMore = 100, kSomeMore = 1000;
  constexpr double kTimesLonger = 1000;
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 3, false), v.type);
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (function == Function::kForward && !c.traits().has_forward) continue;
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
    OpLimit ordinary(std::numeric_limits<int64_t>::max());
    LayerResult finite;
    const auto start = std::chrono::steady_clock::now();
    {
      const ScopedListener counting(&ordinary);
      finite = c.Call(subject, function);
    }
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const double longest = std::max(c.options().longest_call_s, kTimesLonger * seconds.count());
    for (const DlArray& y : finite.outputs) {
      if (AllFinite(Components(y))) continue;
      return point->Incomplete("The outputs are NaN or infinite: see predictReturnsFiniteValues.");
    }
    const bool apart = !c.traits().joins_observations && ObservationsAreApart(c, subject, function);
    const std::string name(ToString(function));
    for (size_t i = 0; i < subject.inputs.size(); ++i) {
      if (!IsFloating(subject.inputs[i].type())) continue;
      const std::optional<size_t> e = ElementThatMatters(c, subject, i, function);
      if (!e.has_value()) continue;
      const size_t parts = IsComplex(subject.inputs[i].type()) ? 2 : 1;
      const std::string input =
          absl::StrCat(Quoted(subject.layer->InputNames()[i]), " at ",
                       Coordinates(subject.inputs[i].spec(), static_cast<int64_t>(*e / parts)));
      for (const double value : {kNan, kInfinity}) {
        const std::string what = std::isnan(value) ? "NaN" : "Infinity";
        const DlArrays inputs = WithElement(subject, i, *e, value);
        OpLimit limit(kTimesMore * ordinary.count() + kSomeMore);
        LayerResult result;
        try {
          const ScopedListener counting(&limit);
          const EndlessCall watch(longest, [&] {
            std::cerr << "nanIsPassedOn of " << subject.layer->Type()
                      << " does not come to an end, and the check ends with it.\n"
                      << ToString(Diagnostic{
                             .expected = EndsInWords(name),
                             .came = absl::StrFormat("It was still running after %.3g seconds; for "
                                                     "finite values it takes %.3g.",
                                                     longest, seconds.count()),
                             .where = absl::StrCat(what, " in ", input),
                             .causes = {kWaits},
                             .fix = kCount});
          });
          result = c.Call(subject.layer, inputs, function);
        } catch (const FunctionThrew& threw) {
          if (limit.is_passed()) {
            point->Fail({.expected = EndsInWords(name),
                         .came = absl::StrCat("It was stopped after ", limit.count(),
                                              " array functions; for finite values it applies ",
                                              ordinary.count(), "."),
                         .where = absl::StrCat(what, " in ", input),
                         .causes = {kWaits},
                         .fix = kCount});
            continue;
          }
          if (threw.is_error) continue;  // It refuses such a value: nothing is hidden.
          throw;
        }
        if (std::isnan(value) && !HasNan(result.outputs) && !HasNan(result.states)) {
          point->Fail(
              {.expected = "A NaN in an input shows in the outputs or new states: whoever looks "
                           "for its cause sees that it came from before.",
               .came = absl::StrCat(name, " returned numbers alone."),
               .where = absl::StrCat("NaN in ", input),
               .causes = {"A comparison decides, and all comparisons with NaN are false: "
                          "Where(x > 0, x, 0) gives 0 for NaN.",
                          "Max, Min, MaxOver and MinOver pass over NaN."},
               .fix = "Let the branch that is taken for NaN contain x: Where(x <= 0, 0 * x, x), "
                      "Relu(x). If NaN is left out on purpose, switch this test off by its name."});
          continue;
        }
        // An input without observations of its own belongs to all of them.
        if (!apart || c.observation_dim(static_cast<int>(i)) < 0) continue;
        const std::string elsewhere = WhereElsewhere(c, subject, result);
        if (elsewhere.empty()) continue;
        point->Fail(
            {.expected = absl::StrCat(what, " stays in its own observation."),
             .came = absl::StrCat(name, " returned other observations that are not finite."),
             .where = absl::StrCat(elsewhere, "; ", what, " in ", input),
             .causes = {"Observations are added up with weights of zero, and 0 * NaN is NaN."},
             .fix = "Choose with Slice, Gather or Where instead of multiplying by a mask."});
      }
    }
  }
}

constexpr LayerTest kTests[] = {
    {"nanIsPassedOn", Variants::kOnce, Always, NanIsPassedOn},
};

}  // namespace

std::span<const LayerTest> NonFiniteTests() { return kTests; }

}  // namespace lamina::checks
