// The layer accelerated gives what it gives op by op: its recording after it was simplified, and
// compiled to kernels.
//
// The kernels of all that is compared (op_by_op.h) are compiled at once, with little optimisation:
// that more of it keeps the meaning of C is the compiler's matter.
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "checks/op_by_op.h"
#include "framework/acceleration/executable.h"
#include "framework/emit/c_compiler.h"
#include "framework/graph/optimize.h"

namespace lamina::checks {
namespace {

constexpr char kQuickly[] = " -O1";
constexpr char kNotOfTheLayer[] = "Otherwise this is a fault of Lamina, not of the layer.";
constexpr char kReport[] =
    "Otherwise please report it, with the layer; until it is mended, leave Acceleratable out.";

void AcceleratedGivesTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  for (const Subject& subject : SubjectsOfSeveralSizes(c, v)) {
    const OpByOp op_by_op(c, subject);
    const std::optional<Graph> graph = op_by_op.RecordedRightly(point);
    if (!graph.has_value()) return;
    std::optional<Graph> simplified;
    std::optional<Diagnostic> found = op_by_op.Simplify(*graph, &simplified);
    if (!found.has_value()) continue;
    found->causes = {
        "An operation of your own (an Op) does not tell all: two that have the same "
        "Name and Attributes are taken for one.",
        kNotOfTheLayer};
    found->fix = absl::StrCat("Let Attributes say all in which two operations differ. ", kReport);
    return point->Fail(*std::move(found));
  }
}

void KernelsGiveTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  const auto skip = [&](absl::string_view why) {
    point->Skip(absl::StrCat("Skipping ", point->name, ". ", why));
  };
  if (FindCompiler().empty()) {
    return skip(
        "There is no C compiler: install one (cc), or name it in the environment variable CC.");
  }
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  const OpByOp op_by_op(c, subject);
  const std::optional<Graph> graph = op_by_op.RecordedRightly(point);
  if (!graph.has_value()) return;
  std::optional<Graph> simplified;
  if (op_by_op.Simplify(*graph, &simplified).has_value()) {
    return SeeOtherTest(c, "acceleratedGivesTheSame",
                        "The simplified recording does not give what the layer gives",
                        "The layer's simplified recording gives other results.", point);
  }
  Executable executable(*std::move(simplified), WriteKernels);
  CompilerSettings settings = CompilerSettings::FromEnvironment();
  settings.flags += kQuickly;
  executable.Compile(settings);
  const absl::Status status = executable.Wait();
  if (absl::IsUnavailable(status))
    return skip(absl::StrCat("Kernels cannot be kept: ", status.message(), "."));
  if (!status.ok()) {
    return point->Fail(
        {.expected = "The layer compiles to kernels.",
         .came = std::string(status.message()),
         .where = absl::StrCat("For ", LayoutsOf(subject)),
         .causes = {"The compiler that CC names does not take GNU C: kernels are written for gcc "
                    "and clang.",
                    kNotOfTheLayer},
         .fix = "Name another compiler in CC. Otherwise please report it, with the layer; without "
                "kernels it runs op by op."});
  }
  std::optional<Diagnostic> found = op_by_op.Find(
      *graph, [&](Arrays arguments) { return executable.Run(arguments); }, "As compiled kernels");
  if (!found.has_value()) return;
  found->causes = {"An operation of your own (a WrittenOp) writes something else than it runs.",
                   kNotOfTheLayer};
  found->fix = absl::StrCat("Let Write say what Run computes. ", kReport);
  point->Fail(*std::move(found));
}

constexpr LayerTest kTests[] = {
    {"acceleratedGivesTheSame", Variants::kOnce, IsAcceleratable, AcceleratedGivesTheSame},
    {"kernelsGiveTheSame", Variants::kOnce, IsAcceleratable, KernelsGiveTheSame},
};

}  // namespace

std::span<const LayerTest> AcceleratedTests() { return kTests; }

}  // namespace lamina::checks
