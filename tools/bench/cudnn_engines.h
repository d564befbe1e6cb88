// The engines that cuDNN's heuristics name for an operation, inside of direct_convolutions.cc and
// direct_layers.cc.
#ifndef TOOLS_BENCH_CUDNN_ENGINES_H_
#define TOOLS_BENCH_CUDNN_ENGINES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/gpu/cudnn_operations.h"

namespace lamina::bench {

/// One that keeps the precision of single.
struct CudnnEngine {
  std::string name;
  std::shared_ptr<const gpu::CudnnDescriptor> plan;
  int64_t workspace_bytes = 0;
};

/// `handle`: of cuDNN; it stays.
std::vector<CudnnEngine> EnginesFor(const gpu::Cudnn& cudnn, void* handle,
                                    const gpu::CudnnDescriptor& operation);

/// Starts an engine with these arrays, `numbers` as the operation knows them. Returns 0 or what
/// cuDNN answers.
std::function<int()> Execution(const gpu::Cudnn& cudnn, void* handle, const CudnnEngine& engine,
                               const std::vector<int64_t>& numbers,
                               const std::vector<void*>& arrays, void* workspace);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_CUDNN_ENGINES_H_
