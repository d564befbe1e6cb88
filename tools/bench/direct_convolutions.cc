// Convolutions by cuDNN, with each engine that its heuristics name for numbers of single.
#include <algorithm>

#include "framework/dlarray/error.h"
#include "tools/bench/cudnn_engines.h"
#include "tools/bench/direct_cuda.h"

namespace lamina::bench {

DirectCase DirectConvolution(const DirectDevice& device, const gpu::ConvolutionCall& call,
                             const std::vector<Floats>& inputs) {
  const gpu::Cudnn& cudnn = *gpu::FindCudnn();
  const cpu::ConvolutionShape& s = call.shape;
  LAMINA_CHECK(s.spatial_rank == 2 && s.groups == 1 && call.type == DataType::kSingle);
  void* handle = nullptr;
  CheckAnswer(cudnn.Create(&handle));
  CheckAnswer(cudnn.SetStream(handle, device.stream()));
  const std::vector<CudnnEngine> engines = EnginesFor(cudnn, handle, gpu::OperationOf(cudnn, call));
  int64_t most = 0;
  for (const CudnnEngine& engine : engines) most = std::max(most, engine.workspace_bytes);
  void* const workspace = device.Room(static_cast<size_t>(most));

  // The last array of a call is its result.
  constexpr int64_t kData = gpu::kCudnnData, kFilters = gpu::kCudnnFilters,
                    kResult = gpu::kCudnnResult;
  const std::vector<int64_t> numbers[] = {
      {kData, kFilters, kResult}, {kResult, kFilters, kData}, {kData, kResult, kFilters}};
  const int64_t sizes[] = {s.batch * s.channels_out * s.output[0] * s.output[1],
                           s.batch * s.channels_in * s.input[0] * s.input[1],
                           s.channels_out * s.channels_in * s.kernel[0] * s.kernel[1]};
  const std::vector<void*> arrays = {
      device.Copy(inputs[0]), device.Copy(inputs[1]),
      device.Room(static_cast<size_t>(sizes[call.kind]) * sizeof(float))};
  DirectCase made{.variants = {}, .result = arrays[2]};
  for (const CudnnEngine& engine : engines) {
    made.variants.push_back(
        {engine.name, Execution(cudnn, handle, engine, numbers[call.kind], arrays, workspace)});
  }
  return made;
}

}  // namespace lamina::bench
