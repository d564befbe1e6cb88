// Convolutions by cuDNN, with each engine that its heuristics name for numbers of single.
#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cudnn_descriptor.h"
#include "tools/bench/direct_cuda.h"

namespace lamina::bench {
namespace {

using gpu::Cudnn;
using gpu::CudnnDescriptor;
namespace dnn = gpu::cudnn;

constexpr int64_t kMostWorkspace = int64_t{4} << 30;
constexpr int kSingle = 0, kCrossCorrelation = 1, kMostNotes = 16;

CudnnDescriptor Tensor(const Cudnn& cudnn, int64_t number, std::array<int64_t, 4> sizes) {
  const int64_t strides[] = {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1};
  CudnnDescriptor tensor(cudnn, dnn::kTensor);
  tensor.SetEnum(dnn::kElement, dnn::kDataType, kSingle)
      .Set(dnn::kDimensions, dnn::kInt64, 4, sizes.data())
      .Set(dnn::kTensorStrides, dnn::kInt64, 4, strides)
      .SetInt(dnn::kNumber, number)
      .SetInt(dnn::kAlignment, 16)
      .Finalize();
  return tensor;
}

}  // namespace

DirectCase DirectConvolution(const DirectDevice& device, const gpu::ConvolutionCall& call,
                             const std::vector<Floats>& inputs) {
  const Cudnn& cudnn = *gpu::FindCudnn();
  const cpu::ConvolutionShape& s = call.shape;
  LAMINA_CHECK(s.spatial_rank == 2 && s.groups == 1 && call.type == DataType::kSingle);
  void* handle = nullptr;
  LAMINA_CHECK(cudnn.Create(&handle) == 0 && cudnn.SetStream(handle, device.stream()) == 0);

  // Numbered 1 to 3. The last array of a call is its result.
  const CudnnDescriptor x = Tensor(cudnn, 1, {s.batch, s.channels_in, s.input[1], s.input[0]});
  const CudnnDescriptor w =
      Tensor(cudnn, 2, {s.channels_out, s.channels_in, s.kernel[1], s.kernel[0]});
  const CudnnDescriptor y = Tensor(cudnn, 3, {s.batch, s.channels_out, s.output[1], s.output[0]});
  const int64_t dilation[] = {s.dilation[1], s.dilation[0]}, stride[] = {s.stride[1], s.stride[0]},
                end[] = {s.pad_end[1], s.pad_end[0]}, begin[] = {s.pad_begin[1], s.pad_begin[0]};
  CudnnDescriptor convolution(cudnn, dnn::kConvolution);
  convolution.SetInt(dnn::kSpatialDims, 2)
      .SetEnum(dnn::kComputeType, dnn::kDataType, kSingle)
      .SetEnum(dnn::kConvolutionMode, dnn::kMode, kCrossCorrelation)
      .Set(dnn::kDilations, dnn::kInt64, 2, dilation)
      .Set(dnn::kStrides, dnn::kInt64, 2, stride)
      .Set(dnn::kPadEnd, dnn::kInt64, 2, end)
      .Set(dnn::kPadBegin, dnn::kInt64, 2, begin)
      .Finalize();
  constexpr dnn::Kind kOperations[] = {dnn::kForwardOperation, dnn::kDataOperation,
                                       dnn::kWeightsOperation};
  constexpr float kOne = 1, kZero = 0;
  CudnnDescriptor operation(cudnn, kOperations[call.kind]), graph(cudnn, dnn::kOperationGraph);
  constexpr dnn::Attribute kFirst[] = {dnn::kForwardAttributes, dnn::kDataAttributes,
                                       dnn::kWeightsAttributes};
  const auto attribute = [&](int n) { return static_cast<dnn::Attribute>(kFirst[call.kind] + n); };
  operation.Set(attribute(0), dnn::kFloat, 1, &kOne)
      .Set(attribute(1), dnn::kFloat, 1, &kZero)
      .Set(attribute(2), convolution)
      .Set(attribute(3), w)
      .Set(attribute(4), x)
      .Set(attribute(5), y)
      .Finalize();
  graph.Set(dnn::kHandleOfGraph, dnn::kHandle, 1, &handle)
      .Set(dnn::kOperationsOfGraph, operation)
      .Finalize();

  constexpr int64_t kNumbers[3][3] = {{1, 2, 3}, {3, 2, 1}, {1, 3, 2}};
  const int64_t sizes[] = {s.batch * s.channels_in * s.input[0] * s.input[1],
                           s.channels_out * s.channels_in * s.kernel[0] * s.kernel[1],
                           s.batch * s.channels_out * s.output[0] * s.output[1]};
  const int64_t* const numbers = kNumbers[call.kind];
  void* arrays[] = {device.Copy(inputs[0]), device.Copy(inputs[1]),
                    device.Room(static_cast<size_t>(sizes[numbers[2] - 1]) * sizeof(float))};
  DirectCase made{.variants = {}, .result = arrays[2]};
  std::vector<std::pair<std::string, std::shared_ptr<CudnnDescriptor>>> plans;
  int64_t most = 0;
  constexpr int kByModel = 3, kFallback = 2, kMostConfigs = 64;
  for (const auto& [name, mode] : {std::pair{"engine", kByModel}, {"fallback", kFallback}}) {
    CudnnDescriptor heuristics(cudnn, dnn::kHeuristics);
    heuristics.Set(dnn::kHeuristicsGraph, graph)
        .SetEnum(dnn::kHeuristicsModeOf, dnn::kHeuristicsMode, mode)
        .Finalize();
    std::vector<CudnnDescriptor> configs;
    std::vector<void*> places;
    for (int i = 0; i < kMostConfigs; ++i) {
      configs.emplace_back(cudnn, dnn::kEngineConfig);
      places.push_back(configs.back().get());
    }
    const int64_t count =
        heuristics.Get(dnn::kHeuristicsConfigs, dnn::kDescriptor, kMostConfigs, places.data());
    for (int64_t i = 0; i < count; ++i) {
      const CudnnDescriptor& config = configs[static_cast<size_t>(i)];
      const CudnnDescriptor engine(cudnn, dnn::kEngine);
      void* place = engine.get();
      int notes[kMostNotes] = {};
      if (config.Get(dnn::kEngineOfConfig, dnn::kDescriptor, 1, &place) != 1) continue;
      const int64_t noted = engine.Get(dnn::kNotesOfEngine, dnn::kNote, kMostNotes, notes);
      std::string text = absl::StrCat(name, " ", i + 1, " of ", count);
      bool keeps_precision = true;
      for (int64_t n = 0; n < noted; ++n) {
        keeps_precision = keeps_precision && notes[n] > dnn::kReducedSum;
        if (notes[n] == dnn::kFourier) text += ", by Fourier transforms";
        if (notes[n] == dnn::kNondeterministic) text += ", not the same each time";
      }
      if (!keeps_precision) continue;
      auto plan = std::make_shared<CudnnDescriptor>(cudnn, dnn::kPlan);
      int64_t bytes = 0;
      plan->Set(dnn::kHandleOfPlan, dnn::kHandle, 1, &handle)
          .Set(dnn::kConfigOfPlan, config)
          .Finalize();
      if (!plan->ok() || plan->Get(dnn::kWorkspaceOfPlan, dnn::kInt64, 1, &bytes) != 1 ||
          bytes > kMostWorkspace) {
        continue;
      }
      most = std::max(most, bytes);
      plans.emplace_back(text, std::move(plan));
    }
  }
  void* const workspace = device.Room(static_cast<size_t>(most));
  for (const auto& [name, plan] : plans) {
    auto pack = std::make_shared<CudnnDescriptor>(cudnn, dnn::kVariantPack);
    pack->Set(dnn::kPointersOfPack, dnn::kPointer, 3, arrays)
        .Set(dnn::kNumbersOfPack, dnn::kInt64, 3, numbers)
        .Set(dnn::kWorkspaceOfPack, dnn::kPointer, 1, &workspace)
        .Finalize();
    made.variants.push_back({name, [=, &cudnn, plan = plan] {
                               return pack->ok() ? cudnn.Execute(handle, plan->get(), pack->get())
                                                 : -1;
                             }});
  }
  return made;
}

}  // namespace lamina::bench
