// Operations as cuDNN's backend interface is told of them: convolutions, pooling and their
// gradients, of arrays that lie one number after another, the batch slowest.
//
//   CudnnDescriptor operation = OperationOf(cudnn, {.kind = ConvolutionCall::kForward, ...});
//
// Threads: pure functions.
#ifndef FRAMEWORK_GPU_CUDNN_OPERATIONS_H_
#define FRAMEWORK_GPU_CUDNN_OPERATIONS_H_

#include <cstdint>
#include <string>

#include "framework/cpu/pooling.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/cudnn_descriptor.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

/// The numbers by which an operation knows its arrays. Gradients of a convolution have the number
/// of the array that they are of.
inline constexpr int64_t kCudnnData = 1, kCudnnFilters = 2, kCudnnResult = 3,
                         kCudnnDataGradient = 4, kCudnnResultGradient = 5;

/// Pooling (cpu/pooling.h) or its gradient. Arrays: x, y; x and y of the largest elements, dy, dx.
/// The framework computes it by kernels of its own; this is for measurements (docs/gpu.md).
struct PoolingCall {
  enum Kind : uint8_t { kForward, kGradient };
  enum Of : uint8_t {
    kLargest,
    kMean,
    kMeanOfInside
  };  ///< A mean counts padding as zeros, or not.
  Kind kind = kForward;
  Of of = kLargest;
  DataType type = DataType::kSingle;
  cpu::PoolingShape shape;
};

/// Not ok() when the library does not take it.
CudnnDescriptor OperationOf(const Cudnn& cudnn, const ConvolutionCall& call);
CudnnDescriptor OperationOf(const Cudnn& cudnn, const PoolingCall& call);

/// All that the operation is made from.
std::string ToText(const ConvolutionCall& call);
std::string ToText(const PoolingCall& call);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDNN_OPERATIONS_H_
