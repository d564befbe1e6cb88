#include "framework/gpu/cudnn_plans.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/gpu/disk_store.h"

namespace lamina::gpu {
namespace {

// More than this is rather left to other arrays.
constexpr int64_t kMostWorkspace = int64_t{1} << 30;

bool IsWanted(const Cudnn& cudnn, const CudnnDescriptor& config, bool is_rounded) {
  constexpr int kMostNotes = 16;
  const CudnnDescriptor engine(cudnn, cudnn::kEngine);
  void* place = engine.get();
  if (config.Get(cudnn::kEngineOfConfig, cudnn::kDescriptor, 1, &place) != 1) return false;
  int notes[kMostNotes] = {};
  const int64_t count = engine.Get(cudnn::kNotesOfEngine, cudnn::kNote, kMostNotes, notes);
  return std::none_of(notes, notes + count, [&](int note) {
    return (note == cudnn::kTensorCore && !is_rounded) || note == cudnn::kDownConvert ||
           note == cudnn::kReducedSum || note == cudnn::kFourier ||
           note == cudnn::kNondeterministic;
  });
}

// The version of the library, and that of CUDA that it was built for.
std::string VersionOf(const Cudnn& cudnn) {
  std::string text = absl::StrCat("cuDNN for CUDA ", cudnn.GetCudartVersion());
  for (const int property : {cudnn::kMajorVersion, cudnn::kMinorVersion, cudnn::kPatchLevel}) {
    int value = 0;
    cudnn.GetProperty(property, &value);
    absl::StrAppend(&text, " ", value);
  }
  return text;
}

}  // namespace

CudnnPlans::CudnnPlans(const Cudnn& cudnn, void* handle, const std::string& device)
    : CudnnPlans(cudnn, handle, std::nullopt, device) {}

// The number counts changes to what is chosen here.
CudnnPlans::CudnnPlans(const Cudnn& cudnn, void* handle, std::optional<CudnnDescriptor> properties,
                       const std::string& device)
    : cudnn_(cudnn),
      handle_(handle),
      properties_(std::move(properties)),
      made_from_(absl::StrCat("plan 1\n", VersionOf(cudnn), "\n", device, "\n")) {}

absl::StatusOr<std::unique_ptr<const CudnnPlans>> CudnnPlans::ForDescribedDevice(
    const Cudnn& cudnn, const std::string& properties) {
  CudnnDescriptor descriptor(cudnn, cudnn::kDeviceProperties);
  descriptor.SetText(cudnn::kTextOfProperties, properties).Finalize();
  if (!descriptor.ok()) {
    return absl::UnimplementedError(
        absl::StrCat(VersionOf(cudnn), " does not take this description of a device."));
  }
  return std::unique_ptr<const CudnnPlans>(
      new CudnnPlans(cudnn, nullptr, std::move(descriptor), properties));
}

std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::For(const ConvolutionCall& call) const {
  return For(
      ToText(call), [&] { return OperationOf(cudnn_, call); }, call.is_rounded);
}

std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::For(const PoolingCall& call) const {
  return For(
      ToText(call), [&] { return OperationOf(cudnn_, call); }, /*is_rounded=*/false);
}

std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::For(
    const std::string& text, const std::function<CudnnDescriptor()>& operation,
    bool is_rounded) const {
  const DiskStore store;
  const std::string made_from = made_from_ + text;
  if (const std::optional<std::string> kept = store.Find(made_from)) {
    if (auto plan = Load(*kept)) return plan;
  }
  auto plan = Make(operation(), is_rounded);
  if (plan == nullptr) return nullptr;
  // One that the library does not write down is made again each time.
  if (const std::string made = plan->descriptor.GetText(cudnn::kTextOfPlan); !made.empty()) {
    store.Insert(made_from, made);
  }
  return plan;
}

CudnnDescriptor CudnnPlans::Unfinished() const {
  CudnnDescriptor plan(cudnn_, cudnn::kPlan);
  if (properties_) {
    plan.Set(cudnn::kPropertiesOfPlan, *properties_);
  } else {
    plan.Set(cudnn::kHandleOfPlan, cudnn::kHandle, 1, &handle_);
  }
  return plan;
}

std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::Finished(CudnnDescriptor plan,
                                                             bool was_kept) const {
  plan.Finalize();
  int64_t workspace = 0;
  if (plan.Get(cudnn::kWorkspaceOfPlan, cudnn::kInt64, 1, &workspace) != 1) return nullptr;
  if (workspace > kMostWorkspace) return nullptr;
  return std::unique_ptr<const Plan>(new Plan{std::move(plan), workspace, was_kept});
}

std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::Load(const std::string& text) const {
  CudnnDescriptor plan = Unfinished();
  plan.SetText(cudnn::kTextOfPlan, text);
  return Finished(std::move(plan), /*was_kept=*/true);
}

std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::FromConfig(
    const CudnnDescriptor& config) const {
  CudnnDescriptor plan = Unfinished();
  plan.Set(cudnn::kConfigOfPlan, config);
  return Finished(std::move(plan), /*was_kept=*/false);
}

// The first engine that does what is wanted, of those that the heuristics name.
std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::Make(const CudnnDescriptor& operation,
                                                         bool is_rounded) const {
  constexpr int kMostConfigs = 32;
  CudnnDescriptor graph(cudnn_, cudnn::kOperationGraph);
  if (!properties_) graph.Set(cudnn::kHandleOfGraph, cudnn::kHandle, 1, &handle_);
  graph.Set(cudnn::kOperationsOfGraph, operation).Finalize();
  for (const int mode : {cudnn::kByModel, cudnn::kFallback}) {
    CudnnDescriptor heuristics(cudnn_, cudnn::kHeuristics);
    heuristics.Set(cudnn::kHeuristicsGraph, graph)
        .SetEnum(cudnn::kHeuristicsModeOf, cudnn::kHeuristicsMode, mode);
    if (properties_) heuristics.Set(cudnn::kPropertiesOfHeuristics, *properties_);
    heuristics.Finalize();
    std::vector<CudnnDescriptor> configs;
    std::vector<void*> places;
    for (int i = 0; i < kMostConfigs; ++i) {
      configs.emplace_back(cudnn_, cudnn::kEngineConfig);
      places.push_back(configs.back().get());
    }
    const int64_t count =
        heuristics.Get(cudnn::kHeuristicsConfigs, cudnn::kDescriptor, kMostConfigs, places.data());
    for (int64_t i = 0; i < count; ++i) {
      const CudnnDescriptor& config = configs[static_cast<size_t>(i)];
      if (!IsWanted(cudnn_, config, is_rounded)) continue;
      if (auto plan = FromConfig(config)) return plan;
    }
  }
  return nullptr;
}

}  // namespace lamina::gpu
