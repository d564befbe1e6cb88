// The layer on a GPU: it runs there unchanged, and gives what it gives with the processor.
//
// They run where GpuArray has a device (framework/ops/gpu_array.h), which a check has when its
// target depends on //framework/gpu. Types are looked at where ops run one by one; values and
// derivatives come from the layer as one program, as an Acceleratable layer runs there.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/layer_test.h"
#include "checks/op_by_op.h"
#include "framework/graph/graph_device.h"
#include "framework/graph/optimize.h"
#include "framework/ops/device_kernel.h"
#include "framework/ops/gpu_array.h"

namespace lamina::checks {
namespace {

constexpr char kFix[] =
    "Write it with functions that have kernels (docs/gpu.md), or leave the layer to the processor.";

// What is found in a kernel of the user's own, by the launch itself (ops/device_kernel.h).
constexpr char kOwnKernelFix[] = "Mend the kernel where the message says.";
bool IsOfOwnKernel(const std::string& message) {
  return message.find("[kernel:") != std::string::npos;
}

// The kernels of the user's own in a recording: "Snake".
std::vector<std::string> OwnKernels(const Graph& graph) {
  std::vector<std::string> names;
  for (const GraphStep& step : graph.steps()) {
    const auto* const own = dynamic_cast<const DeviceKernelOp*>(step.op.get());
    if (own == nullptr) continue;
    const std::string& name = own->kernel().name;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

DlArrays OnGpu(const DlArrays& arrays) {
  DlArrays there;
  for (const DlArray& x : arrays) there.push_back(x.empty() ? x : GpuArray(x));
  return there;
}

// Inputs and parameters on the GPU.
Subject OnGpu(Subject subject) {
  subject.inputs = OnGpu(subject.inputs);
  SetParameters(subject.layer, OnGpu(ParametersOf(subject.layer)));
  return subject;
}

// What `run` returns, of a function of the layer on the GPU; nothing when it threw, and then the
// point has failed.
template <class Run>
auto RunThere(const std::string& what, TestPoint* point, Run run)
    -> std::optional<decltype(run())> {
  std::string message;
  try {
    return run();
  } catch (const FunctionThrew& e) {
    message = e.message;
  } catch (const Error& e) {
    message = e.what();
  }
  Diagnostic found = {.expected = absl::StrCat("On a GPU, ", what, " runs."),
                      .came = absl::StrCat("It threw:\n", message),
                      .where = what,
                      .causes = {},
                      .fix = kOwnKernelFix};
  if (!IsOfOwnKernel(message)) {
    found.causes = {"A function that it calls has no kernels.",
                    "It reads elements of an array (Data, At, Scalar)."};
    found.fix = kFix;
  }
  point->Fail(std::move(found));
  return std::nullopt;
}

void ExpectThere(const std::string& what, const DlArray& came, DataType type, TestPoint* point) {
  if (came.empty()) return;
  if (!came.on_device()) {
    point->Fail({.expected = absl::StrCat(what, " lies on the GPU, as the inputs do."),
                 .came = "It lies with the processor.",
                 .where = what,
                 .causes = {"It is made anew, from none of the inputs.",
                            "An input is gathered on the way."},
                 .fix = "Make arrays like those that came: ZerosLike(x), RandLike(x)."});
  } else if (ToReal(came.type()) != ToReal(type)) {
    point->Fail({.expected = absl::StrCat(what, " has the type of the inputs, ",
                                          std::string(Name(type)), "."),
                 .came = absl::StrCat("It is ", std::string(Name(came.type())), "."),
                 .where = what,
                 .causes = {},
                 .fix = "See predictIsConsistentInType."});
  }
}

void CheckType(const CheckContext& c, const Variant& v, Function function, TestPoint* point) {
  const auto result = RunThere(std::string(ToString(function)), point,
                               [&] { return c.Call(OnGpu(c.MakeSubject(v)), function); });
  if (!result.has_value()) return;
  for (size_t i = 0; i < result->outputs.size(); ++i) {
    ExpectThere(absl::StrCat("Output ", i + 1, " of ", std::string(ToString(function))),
                result->outputs[i], v.type, point);
  }
}

void PredictIsConsistentInType(const CheckContext& c, const Variant& v, TestPoint* point) {
  CheckType(c, v, Function::kPredict, point);
}
void ForwardIsConsistentInType(const CheckContext& c, const Variant& v, TestPoint* point) {
  CheckType(c, v, Function::kForward, point);
}

void BackwardIsConsistentInType(const CheckContext& c, const Variant& v, TestPoint* point) {
  const auto derivatives = RunThere("Backward", point, [&] {
    const Subject there = OnGpu(c.MakeSubject(v));
    const internal::CallResult forward = c.CallRaw(there, c.training_function());
    return c.CallBackward(there, forward, OnGpu(c.MakeDerivatives(forward)));
  });
  if (!derivatives.has_value()) return;
  for (size_t i = 0; i < derivatives->size(); ++i) {
    ExpectThere(absl::StrCat("Result ", i + 1, " of Backward"), (*derivatives)[i], v.type, point);
  }
}

// Values, states and derivatives of the layer as one program.
void GpuGivesTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject =
      c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), DataType::kSingle);
  const OpByOp op_by_op(c, subject);
  const std::optional<Graph> graph = op_by_op.RecordedRightly(point);
  if (!graph.has_value()) return;
  const DlArray there = GpuArray(DlArray(0.0F));
  std::string why_not;
  const std::unique_ptr<GraphRunner> runner =
      GraphDeviceOf(Arrays(&there, 1))->Prepare(Optimize(*graph, ImageLayouts::kPlain), &why_not);
  if (runner == nullptr) {
    return point->Fail({.expected = "On a GPU, the layer and its derivative have kernels.",
                        .came = why_not,
                        .where = absl::StrCat("For ", LayoutsOf(subject)),
                        .causes = {},
                        .fix = kFix});
  }
  std::optional<Diagnostic> found = op_by_op.Find(
      *graph,
      [&](Arrays arguments) {
        DlArrays results = runner->Run(arguments);
        for (DlArray& y : results) y = Gather(y);
        return results;
      },
      "On a GPU");
  if (!found.has_value()) return;
  const std::vector<std::string> own = OwnKernels(*graph);
  if (IsOfOwnKernel(found->came)) {
    found->fix = kOwnKernelFix;
  } else if (!own.empty()) {
    found->causes = {absl::StrCat("The kernel ", absl::StrJoin(own, ", "),
                                  " computes something else than its function."),
                     "Otherwise this is a fault of Lamina, not of the layer."};
    found->fix = "Let the kernel compute what the function says.";
  } else {
    found->causes = {"An operation of your own (a WrittenOp) writes something else than it runs.",
                     "Otherwise this is a fault of Lamina, not of the layer."};
    found->fix = "Let Write say what Run computes. Otherwise please report it, with the layer.";
  }
  point->Fail(*std::move(found));
}

constexpr LayerTest kTests[] = {
    {"predictIsConsistentInTypeOnGpu", Variants::kObservations, Always, PredictIsConsistentInType,
     Needs::kGpu},
    {"forwardIsConsistentInTypeOnGpu", Variants::kObservations, HasForward,
     ForwardIsConsistentInType, Needs::kGpu},
    {"backwardIsConsistentInTypeOnGpu", Variants::kObservations, HasBackward,
     BackwardIsConsistentInType, Needs::kGpu},
    // With those of the processor, which gradientsAreNumericallyCorrect compares with numeric ones.
    {"gradientsAreNumericallyCorrectOnGpu", Variants::kObservations, Always, GpuGivesTheSame,
     Needs::kGpu},
};

}  // namespace

std::span<const LayerTest> DeviceTests() { return kTests; }

}  // namespace lamina::checks
