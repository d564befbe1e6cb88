// The functions of cuDNN 9 for whole layers, inside of direct_layers.cc. Declarations as in
// framework/gpu/cuda_library.h. The framework calls none of them.
#ifndef TOOLS_BENCH_CUDNN_LAYERS_H_
#define TOOLS_BENCH_CUDNN_LAYERS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"

namespace lamina::bench {

/// X(member, symbol, arguments)
#define LAMINA_CUDNN_LAYERS(X)                                                                     \
  X(CreateTensor, "cudnnCreateTensorDescriptor", (void**))                                         \
  X(SetTensor4d, "cudnnSetTensor4dDescriptor", (void*, int, int, int, int, int, int))              \
  X(SetTensorNd, "cudnnSetTensorNdDescriptor", (void*, int, int, const int*, const int*))          \
  X(NormForward, "cudnnBatchNormalizationForwardTraining",                                         \
    (void*, int, const void*, const void*, void*, const void*, void*, void*, void*, const void*,   \
     const void*, double, void*, void*, double, void*, void*))                                     \
  X(NormBackward, "cudnnBatchNormalizationBackward",                                               \
    (void*, int, const void*, const void*, const void*, const void*, void*, const void*, void*,    \
     const void*, void*, void*, void*, const void*, void*, void*, double, const void*,             \
     const void*))                                                                                 \
  X(CreatePooling, "cudnnCreatePoolingDescriptor", (void**))                                       \
  X(SetPooling2d, "cudnnSetPooling2dDescriptor", (void*, int, int, int, int, int, int, int, int))  \
  X(PoolForward, "cudnnPoolingForward",                                                            \
    (void*, void*, const void*, void*, const void*, const void*, void*, void*))                    \
  X(PoolBackward, "cudnnPoolingBackward",                                                          \
    (void*, void*, const void*, void*, const void*, void*, const void*, void*, const void*,        \
     const void*, void*, void*))                                                                   \
  X(CreateDropout, "cudnnCreateDropoutDescriptor", (void**))                                       \
  X(SetDropout, "cudnnSetDropoutDescriptor", (void*, void*, float, void*, size_t, uint64_t))       \
  X(CreateRnn, "cudnnCreateRNNDescriptor", (void**))                                               \
  X(SetRnn, "cudnnSetRNNDescriptor_v8",                                                            \
    (void*, int, int, int, int, int, int, int, int, int32_t, int32_t, int32_t, int32_t, void*,     \
     uint32_t))                                                                                    \
  X(BuildDynamic, "cudnnBuildRNNDynamic", (void*, void*, int))                                     \
  X(CreateRnnData, "cudnnCreateRNNDataDescriptor", (void**))                                       \
  X(SetRnnData, "cudnnSetRNNDataDescriptor", (void*, int, int, int, int, int, const int*, void*))  \
  X(RnnWeightBytes, "cudnnGetRNNWeightSpaceSize", (void*, void*, size_t*))                         \
  X(RnnTempBytes, "cudnnGetRNNTempSpaceSizes", (void*, void*, int, void*, size_t*, size_t*))       \
  X(RnnWeights, "cudnnGetRNNWeightParams",                                                         \
    (void*, void*, int32_t, size_t, const void*, int32_t, void*, void**, void*, void**))           \
  X(RnnForward, "cudnnRNNForward",                                                                 \
    (void*, void*, int, const int32_t*, void*, const void*, void*, void*, void*, const void*,      \
     void*, void*, const void*, void*, size_t, const void*, size_t, void*, size_t, void*))         \
  X(RnnBackwardData, "cudnnRNNBackwardData_v8",                                                    \
    (void*, void*, const int32_t*, void*, const void*, const void*, void*, void*, void*,           \
     const void*, const void*, void*, void*, const void*, const void*, void*, size_t, const void*, \
     size_t, void*, size_t, void*))                                                                \
  X(RnnBackwardWeights, "cudnnRNNBackwardWeights_v8",                                              \
    (void*, void*, int, const int32_t*, void*, const void*, void*, const void*, void*,             \
     const void*, size_t, void*, size_t, void*, size_t, void*))

#define LAMINA_MEMBER(member, symbol, arguments) int(*member) arguments = nullptr;
struct CudnnLayers {
  LAMINA_CUDNN_LAYERS(LAMINA_MEMBER)
};
#undef LAMINA_MEMBER

/// Errors: those of FindCudnn; kFailedPrecondition names the functions that it lacks.
const absl::StatusOr<CudnnLayers>& FindCudnnLayers();

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_CUDNN_LAYERS_H_
