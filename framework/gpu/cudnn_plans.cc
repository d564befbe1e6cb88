#include "framework/gpu/cudnn_plans.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/gpu/disk_store.h"

namespace lamina::gpu {
namespace {

// More than this is rather left to other arrays.
constexpr int64_t kMostWorkspace = int64_t{1} << 30;

// Sizes slowest first, with two dims of space at least.
std::vector<int64_t> Sizes(int64_t slow, int64_t channels, const std::array<int64_t, 3>& space,
                           int rank) {
  std::vector<int64_t> sizes = {slow, channels};
  if (rank == 1) sizes.push_back(1);
  for (int d = rank - 1; d >= 0; --d) sizes.push_back(space[static_cast<size_t>(d)]);
  return sizes;
}

std::vector<int64_t> Spatial(const std::array<int64_t, 3>& of, int rank, int64_t alone) {
  std::vector<int64_t> values;
  if (rank == 1) values.push_back(alone);
  for (int d = rank - 1; d >= 0; --d) values.push_back(of[static_cast<size_t>(d)]);
  return values;
}

CudnnDescriptor TensorOf(const Cudnn& cudnn, int type, int64_t number,
                         const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * sizes[d + 1];
  CudnnDescriptor tensor(cudnn, cudnn::kTensor);
  const auto rank = static_cast<int64_t>(sizes.size());
  tensor.SetEnum(cudnn::kElement, cudnn::kDataType, type)
      .Set(cudnn::kDimensions, cudnn::kInt64, rank, sizes.data())
      .Set(cudnn::kTensorStrides, cudnn::kInt64, rank, strides.data())
      .SetInt(cudnn::kNumber, number)
      .SetInt(cudnn::kAlignment, 16)
      .Finalize();
  return tensor;
}

CudnnDescriptor ConvolutionOf(const Cudnn& cudnn, int type, const cpu::ConvolutionShape& s) {
  const int rank = s.spatial_rank;
  const auto spatial = static_cast<int64_t>(std::max(rank, 2));
  CudnnDescriptor convolution(cudnn, cudnn::kConvolution);
  convolution.SetInt(cudnn::kSpatialDims, spatial)
      .SetEnum(cudnn::kComputeType, cudnn::kDataType, type)
      .SetEnum(cudnn::kConvolutionMode, cudnn::kMode, cudnn::kCrossCorrelation)
      .Set(cudnn::kDilations, cudnn::kInt64, spatial, Spatial(s.dilation, rank, 1).data())
      .Set(cudnn::kStrides, cudnn::kInt64, spatial, Spatial(s.stride, rank, 1).data())
      .Set(cudnn::kPadEnd, cudnn::kInt64, spatial, Spatial(s.pad_end, rank, 0).data())
      .Set(cudnn::kPadBegin, cudnn::kInt64, spatial, Spatial(s.pad_begin, rank, 0).data())
      .Finalize();
  return convolution;
}

CudnnDescriptor OperationOf(const Cudnn& cudnn, const ConvolutionCall& call) {
  constexpr cudnn::Kind kKinds[] = {cudnn::kForwardOperation, cudnn::kDataOperation,
                                    cudnn::kWeightsOperation};
  constexpr cudnn::Attribute kFirst[] = {cudnn::kForwardAttributes, cudnn::kDataAttributes,
                                         cudnn::kWeightsAttributes};
  const auto attribute = [&](int n) {
    return static_cast<cudnn::Attribute>(kFirst[call.kind] + n);
  };
  const bool is_double = call.type == DataType::kDouble;
  const int type = is_double ? cudnn::kDoubleNumbers : cudnn::kSingleNumbers;
  const cpu::ConvolutionShape& s = call.shape;
  const int rank = s.spatial_rank;
  const CudnnDescriptor x =
      TensorOf(cudnn, type, kCudnnData, Sizes(s.batch, s.channels_in, s.input, rank));
  const CudnnDescriptor w = TensorOf(
      cudnn, type, kCudnnFilters, Sizes(s.channels_out, s.channels_in / s.groups, s.kernel, rank));
  const CudnnDescriptor y =
      TensorOf(cudnn, type, kCudnnResult, Sizes(s.batch, s.channels_out, s.output, rank));
  const CudnnDescriptor convolution = ConvolutionOf(cudnn, type, s);
  CudnnDescriptor operation(cudnn, kKinds[call.kind]);
  const float one = 1, zero = 0;
  const double one_double = 1, zero_double = 0;
  const cudnn::Type factor = is_double ? cudnn::kDouble : cudnn::kFloat;
  operation.Set(attribute(0), factor, 1, is_double ? static_cast<const void*>(&one_double) : &one)
      .Set(attribute(1), factor, 1, is_double ? static_cast<const void*>(&zero_double) : &zero)
      .Set(attribute(2), convolution)
      .Set(attribute(3), w)
      .Set(attribute(4), x)
      .Set(attribute(5), y)
      .Finalize();
  return operation;
}

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

// All of a description, as text.
std::string ToText(const ConvolutionCall& call) {
  const cpu::ConvolutionShape& s = call.shape;
  std::string text =
      absl::StrCat("kind ", call.kind, ", type ", static_cast<int>(call.type),
                   call.is_rounded ? " rounded" : "", ", batch ", s.batch, ", channels ",
                   s.channels_in, " ", s.channels_out, ", groups ", s.groups);
  for (const std::array<int64_t, 3>* of :
       {&s.input, &s.kernel, &s.output, &s.stride, &s.dilation, &s.pad_begin, &s.pad_end}) {
    absl::StrAppend(&text, "; ", absl::StrJoin(of->begin(), of->begin() + s.spatial_rank, " "));
  }
  return text;
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
  const DiskStore store;
  const std::string made_from = made_from_ + ToText(call);
  if (const std::optional<std::string> text = store.Find(made_from)) {
    if (auto plan = Load(*text)) return plan;
  }
  auto plan = Make(call);
  if (plan == nullptr) return nullptr;
  // One that the library does not write down is made again each time.
  if (const std::string text = plan->descriptor.GetText(cudnn::kTextOfPlan); !text.empty()) {
    store.Insert(made_from, text);
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
std::unique_ptr<const CudnnPlans::Plan> CudnnPlans::Make(const ConvolutionCall& call) const {
  constexpr int kMostConfigs = 32;
  const CudnnDescriptor operation = OperationOf(cudnn_, call);
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
      if (!IsWanted(cudnn_, config, call.is_rounded)) continue;
      if (auto plan = FromConfig(config)) return plan;
    }
  }
  return nullptr;
}

}  // namespace lamina::gpu
