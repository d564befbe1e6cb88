#include "framework/acceleration/trace_part.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/dlarray/counted.h"
#include "framework/graph/expand_composed.h"
#include "framework/graph/optimize.h"
#include "framework/ops/device_kernel.h"

namespace lamina::internal {
namespace {

bool HasKernelForDevices(const Graph&, const GraphStep& step) {
  return dynamic_cast<const DeviceKernelOp*>(step.op.get()) != nullptr;
}

Graph Optimized(const Graph& graph, bool is_on_device) {
  if (is_on_device) return Optimize(graph, ImageLayouts::kPlain);
  return Optimize(ExpandComposed(graph, HasKernelForDevices));
}

}  // namespace

TracePart::TracePart(const Graph& graph, std::shared_ptr<GraphDevice> device)
    : executable_(Optimized(graph, device != nullptr), WriteKernels), device_(std::move(device)) {}

const GraphRunner* TracePart::Runner() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!is_prepared_) {
    runner_ = device_->Prepare(executable_.graph(), &why_not_);
    is_prepared_ = true;
  }
  return runner_.get();
}

DlArrays TracePart::Run(Arrays inputs, bool wait_for_compiler) {
  const int64_t earlier = runs_.fetch_add(1, std::memory_order_relaxed);
  if (device_ != nullptr) {
    const GraphRunner* const runner = Runner();
    return runner != nullptr ? runner->Run(inputs) : executable_.graph().Evaluate(inputs);
  }
  if (earlier == 1) {
    executable_.Compile();
    if (wait_for_compiler) executable_.Wait().IgnoreError();
  }
  return executable_.Run(inputs);
}

bool TracePart::UsesKernels() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return runner_ != nullptr || executable_.plan() != nullptr;
}

int64_t TracePart::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return executable_.bytes() + (runner_ == nullptr ? 0 : runner_->bytes());
}

std::string TracePart::Describe(const char* name) const {
  const int64_t runs = runs_.load(std::memory_order_relaxed);
  std::string text = absl::StrCat(name, ": ", Counted(runs, "run"), "; ");
  const std::string by_op =
      absl::StrCat(Counted(executable_.graph().steps().size(), "step"), ", op by op");
  if (device_ != nullptr) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (runner_ != nullptr) return absl::StrCat(text, runner_->Describe(), ", on a device");
    return absl::StrCat(text, by_op, " on a device", why_not_.empty() ? "" : ": ", why_not_);
  }
  if (const KernelPlan* plan = executable_.plan()) {
    absl::StrAppend(&text, Counted(plan->num_kernels(), "kernel"), " and ",
                    Counted(plan->num_op_calls(), "call of an op", "calls of ops"));
    if (plan->num_kernels() == 0) return text;
    return absl::StrCat(text, plan->library().from_cache() ? ", loaded in " : ", compiled in ",
                        absl::StrFormat("%.3f s", plan->library().seconds()));
  }
  text += by_op;
  if (!executable_.IsCompiling()) return absl::StrCat(text, ": it is compiled at its second run");
  if (!executable_.IsSettled()) return absl::StrCat(text, ": it is being compiled");
  return absl::StrCat(text, ": ", std::string(executable_.Wait().message()));
}

void TracePart::AddCompilation(CompilationCount* count) const {
  const KernelPlan* const plan = executable_.plan();
  if (plan == nullptr || plan->num_kernels() == 0) return;
  count->seconds += plan->library().seconds();
  ++(plan->library().from_cache() ? count->loaded : count->compiled);
}

}  // namespace lamina::internal
