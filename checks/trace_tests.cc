// What acceleration does to a layer, before it is accelerated: the computation is recorded once
// without values, as a graph (framework/graph), and run from there. It must give the same.
#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "checks/whole_layer.h"

namespace lamina::checks {
namespace {

constexpr Function kFunctions[] = {Function::kPredict, Function::kForward};

void TracesReadNoValues(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  for (const Function function : kFunctions) {
    const WholeLayer whole(subject, function);
    Plain(c, whole, whole.Arguments(), 0);
    const Recorded recorded = Record(c, whole, whole.Arguments());
    if (recorded.graph.has_value()) continue;
    const bool read = recorded.why.find("[dlarray:NoValues]") != std::string::npos;
    return point->Fail(
        {.expected = absl::StrCat("An Acceleratable layer computes without looking at values: ",
                                  NameOf(c, function), " can be recorded once and run again."),
         .came = absl::StrCat("Recording threw:\n", recorded.why),
         .where = absl::StrCat("After ", recorded.last_op),
         .causes = {read ? "An array's value is asked for, by a branch, a loop or a detour: "
                           "if (x.At(0) > 0), Scalar, Data, ExtractData."
                         : "An operation of your own needs values to know its sizes."},
         .fix = "Choose with Where instead of if, count loops by sizes instead of values; or leave "
                "Acceleratable out."});
  }
}

// The first array in which the two differ.
size_t FirstDifference(const DlArrays& a, const DlArrays& b) {
  size_t i = 0;
  while (i < a.size() && i < b.size() && IsEqual(a[i], b[i])) ++i;
  return i;
}

void TracesGiveTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  for (const Subject& subject : SubjectsOfSeveralSizes(c, v)) {
    for (const Function function : kFunctions) {
      if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
      const WholeLayer whole(subject, function);
      const DlArrays arguments = whole.Arguments(), plain = Plain(c, whole, arguments, 0);
      const Recorded recorded = Record(c, whole, arguments);
      if (!recorded.graph.has_value()) return CannotRecord(c, point);
      const DlArrays traced = Plain(c, Evaluation(*recorded.graph), arguments, 0);
      if (Same(plain, traced)) continue;
      return point->Fail(
          {.expected = absl::StrCat("Recorded once and run again, ", NameOf(c, function),
                                    " gives the same results, bit for bit."),
           .came = "The results differ.",
           .where = absl::StrCat(whole.ResultName(FirstDifference(plain, traced)), " for ",
                                 LayoutsOf(subject)),
           .causes = {"What was computed outside of array functions while recording is a constant "
                      "of the graph: random numbers of one's own, a cached array, a clock."},
           .fix = "Compute with array functions alone, draw with Rand and Randn; or leave "
                  "Acceleratable out."});
    }
  }
}

void TracesDrawAfresh(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  for (const Function function : kFunctions) {
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
    const WholeLayer whole(subject, function);
    const DlArrays arguments = whole.Arguments();
    const Recorded recorded = Record(c, whole, arguments);
    if (!recorded.graph.has_value()) return CannotRecord(c, point);
    for (const uint64_t seed : {1, 2}) {
      const DlArrays traced = Plain(c, Evaluation(*recorded.graph), arguments, seed);
      if (Same(traced, Plain(c, whole, arguments, seed))) continue;
      return point->Fail(
          {.expected = absl::StrCat("Each run of a recorded ", NameOf(c, function),
                                    " draws afresh, what the plain call would have drawn."),
           .came = "With another seed the two differ.",
           .where = NameOf(c, function),
           .causes = {"Random numbers are made outside of array functions: while recording they "
                      "become constants, and every run has the same."},
           .fix = "Draw with Rand, Randn, RandLike or RandnLike."});
    }
  }
}

constexpr LayerTest kTests[] = {
    {"tracesReadNoValues", Variants::kOnce, IsAcceleratable, TracesReadNoValues},
    {"tracesGiveTheSame", Variants::kOnce, IsAcceleratable, TracesGiveTheSame},
    {"tracesDrawAfresh", Variants::kOnce,
     [](const CheckContext& c) { return IsAcceleratable(c) && c.traits().draws_random_numbers; },
     TracesDrawAfresh},
};

}  // namespace

std::span<const LayerTest> TraceTests() { return kTests; }

}  // namespace lamina::checks
