// Values of the headers of CUDA's libraries, beside the names that they have there: everything
// builds without these headers. cuda_headers_test.cc compares all of them, where a toolkit is.
//
//   driver.DeviceGetAttribute(&major, cuda::kMajor, device);
//
// Threads: constants.
#ifndef FRAMEWORK_GPU_CUDA_VALUES_H_
#define FRAMEWORK_GPU_CUDA_VALUES_H_

namespace lamina::gpu {

/// X(our name, their name, value): cuda.h.
#define LAMINA_CUDA_VALUES(X)                                                              \
  X(kOutOfMemory, CUDA_ERROR_OUT_OF_MEMORY, 2)                                             \
  X(kNotReady, CUDA_ERROR_NOT_READY, 600)                                                  \
  X(kNonBlocking, CU_STREAM_NON_BLOCKING, 1)                                               \
  X(kWithoutTime, CU_EVENT_DISABLE_TIMING, 2)                                              \
  X(kCaptureThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL, 1)                           \
  X(kReleaseThreshold, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, 4)                               \
  X(kDynamicShared, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 8)                    \
  /* Attributes of a device. */                                                            \
  X(kClockRate, CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 13)                                        \
  X(kMultiprocessors, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16)                        \
  X(kMemoryClockRate, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 36)                           \
  X(kBusWidth, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 37)                            \
  X(kL2Bytes, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE, 38)                                       \
  X(kThreadsOfMultiprocessor, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR, 39)      \
  X(kMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)                              \
  X(kMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)                              \
  X(kSharedOfMultiprocessor, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR, 81) \
  X(kRegistersOfMultiprocessor, CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR, 82)  \
  X(kSharedOfBlock, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 97)

/// cublasLt.h, cublas_api.h and library_types.h.
#define LAMINA_CUBLAS_VALUES(X)                                  \
  X(kSingle, CUDA_R_32F, 0)                                      \
  X(kDouble, CUDA_R_64F, 1)                                      \
  X(kComplexSingle, CUDA_C_32F, 4)                               \
  X(kComplexDouble, CUDA_C_64F, 5)                               \
  X(kSingleCompute, CUBLAS_COMPUTE_32F, 68)                      \
  X(kDoubleCompute, CUBLAS_COMPUTE_64F, 70)                      \
  X(kBfloat16Compute, CUBLAS_COMPUTE_32F_FAST_16BF, 75)          \
  X(kNoTranspose, CUBLAS_OP_N, 0)                                \
  X(kTranspose, CUBLAS_OP_T, 1)                                  \
  X(kConjugateTranspose, CUBLAS_OP_C, 2)                         \
  /* Attributes of a product, a layout, a preference. */         \
  X(kTransposeX, CUBLASLT_MATMUL_DESC_TRANSA, 3)                 \
  X(kTransposeY, CUBLASLT_MATMUL_DESC_TRANSB, 4)                 \
  X(kEpilogue, CUBLASLT_MATMUL_DESC_EPILOGUE, 7)                 \
  X(kVector, CUBLASLT_MATMUL_DESC_BIAS_POINTER, 8)               \
  X(kPages, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, 5)               \
  X(kPageStride, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, 6) \
  X(kMostWorkspace, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, 1) \
  /* Epilogues. */                                               \
  X(kRelu, CUBLASLT_EPILOGUE_RELU, 2)                            \
  X(kBias, CUBLASLT_EPILOGUE_BIAS, 4)                            \
  X(kReluOfBias, CUBLASLT_EPILOGUE_RELU_BIAS, 6)                 \
  X(kSumsOfX, CUBLASLT_EPILOGUE_BGRADA, 256)                     \
  X(kSumsOfY, CUBLASLT_EPILOGUE_BGRADB, 512)

/// cufft.h.
#define LAMINA_CUFFT_VALUES(X) \
  X(kSingle, CUFFT_C2C, 0x29)  \
  X(kDouble, CUFFT_Z2Z, 0x69)  \
  X(kMinus, CUFFT_FORWARD, -1) \
  X(kPlus, CUFFT_INVERSE, 1)

/// nccl.h.
#define LAMINA_NCCL_VALUES(X)       \
  X(kInProgress, ncclInProgress, 7) \
  X(kSum, ncclSum, 0)               \
  X(kSingle, ncclFloat32, 7)        \
  X(kDouble, ncclFloat64, 8)

/// cudnn_graph.h: kinds of descriptors,
#define LAMINA_CUDNN_KINDS(X)                                                              \
  X(kConvolution, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, 1)                                 \
  X(kEngine, CUDNN_BACKEND_ENGINE_DESCRIPTOR, 2)                                           \
  X(kEngineConfig, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 3)                                  \
  X(kHeuristics, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, 4)                                   \
  X(kPlan, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, 5)                                     \
  X(kForwardOperation, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, 10)         \
  X(kWeightsOperation, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR, 11) \
  X(kDataOperation, CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR, 12)      \
  X(kOperationGraph, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, 15)                          \
  X(kVariantPack, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, 16)                               \
  X(kTensor, CUDNN_BACKEND_TENSOR_DESCRIPTOR, 17)                                          \
  X(kPooling, CUDNN_BACKEND_RESAMPLE_DESCRIPTOR, 24)                                       \
  X(kPoolingOperation, CUDNN_BACKEND_OPERATION_RESAMPLE_FWD_DESCRIPTOR, 25)                \
  X(kPoolingGradientOperation, CUDNN_BACKEND_OPERATION_RESAMPLE_BWD_DESCRIPTOR, 26)        \
  X(kDeviceProperties, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, 38)
/// attributes,
#define LAMINA_CUDNN_ATTRIBUTES(X)                                                \
  X(kComputeType, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, 100)                          \
  X(kConvolutionMode, CUDNN_ATTR_CONVOLUTION_CONV_MODE, 101)                      \
  X(kDilations, CUDNN_ATTR_CONVOLUTION_DILATIONS, 102)                            \
  X(kStrides, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, 103)                         \
  X(kPadEnd, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, 104)                           \
  X(kPadBegin, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, 105)                          \
  X(kSpatialDims, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 106)                       \
  X(kHeuristicsModeOf, CUDNN_ATTR_ENGINEHEUR_MODE, 200)                           \
  X(kHeuristicsGraph, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, 201)                 \
  X(kHeuristicsConfigs, CUDNN_ATTR_ENGINEHEUR_RESULTS, 202)                       \
  X(kPropertiesOfHeuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, 204)               \
  X(kEngineOfConfig, CUDNN_ATTR_ENGINECFG_ENGINE, 300)                            \
  X(kHandleOfPlan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, 400)                         \
  X(kConfigOfPlan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, 401)                  \
  X(kWorkspaceOfPlan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, 402)              \
  X(kTextOfPlan, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, 405)              \
  X(kPropertiesOfPlan, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, 407)                 \
  /* Those of an operation: the first of alpha, beta, convolution, w, x and y. */ \
  X(kForwardAttributes, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 700)      \
  X(kDataAttributes, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 706)        \
  X(kWeightsAttributes, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 712)   \
  X(kHandleOfGraph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, 800)                        \
  X(kOperationsOfGraph, CUDNN_ATTR_OPERATIONGRAPH_OPS, 801)                       \
  X(kAlignment, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, 900)                            \
  X(kElement, CUDNN_ATTR_TENSOR_DATA_TYPE, 901)                                   \
  X(kDimensions, CUDNN_ATTR_TENSOR_DIMENSIONS, 902)                               \
  X(kTensorStrides, CUDNN_ATTR_TENSOR_STRIDES, 903)                               \
  X(kNumber, CUDNN_ATTR_TENSOR_UNIQUE_ID, 906)                                    \
  X(kNumbersOfPack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, 1000)                     \
  X(kPointersOfPack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, 1001)                 \
  X(kWorkspaceOfPack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, 1003)                    \
  X(kNotesOfEngine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, 1303)                       \
  X(kPoolingMode, CUDNN_ATTR_RESAMPLE_MODE, 1700)                                 \
  X(kPoolingComputeType, CUDNN_ATTR_RESAMPLE_COMP_TYPE, 1701)                     \
  X(kPoolingSpatialDims, CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS, 1702)                  \
  X(kPoolingPadEnd, CUDNN_ATTR_RESAMPLE_POST_PADDINGS, 1703)                      \
  X(kPoolingPadBegin, CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, 1704)                     \
  X(kPoolingStrides, CUDNN_ATTR_RESAMPLE_STRIDES, 1705)                           \
  X(kPoolingWindow, CUDNN_ATTR_RESAMPLE_WINDOW_DIMS, 1706)                        \
  X(kPoolingNan, CUDNN_ATTR_RESAMPLE_NAN_PROPAGATION, 1707)                       \
  X(kPoolingPadding, CUDNN_ATTR_RESAMPLE_PADDING_MODE, 1708)                      \
  X(kForwardX, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_XDESC, 1710)                     \
  X(kForwardY, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_YDESC, 1711)                     \
  X(kPoolingOfForward, CUDNN_ATTR_OPERATION_RESAMPLE_FWD_DESC, 1716)              \
  X(kGradientDx, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DXDESC, 1720)                  \
  X(kGradientDy, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DYDESC, 1721)                  \
  X(kPoolingOfGradient, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_DESC, 1725)             \
  X(kGradientX, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_XDESC, 1726)                    \
  X(kGradientY, CUDNN_ATTR_OPERATION_RESAMPLE_BWD_YDESC, 1727)                    \
  X(kTextOfProperties, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, 2702)
/// types of attributes,
#define LAMINA_CUDNN_TYPES(X)                       \
  X(kHandle, CUDNN_TYPE_HANDLE, 0)                  \
  X(kDataType, CUDNN_TYPE_DATA_TYPE, 1)             \
  X(kInt64, CUDNN_TYPE_INT64, 3)                    \
  X(kFloat, CUDNN_TYPE_FLOAT, 4)                    \
  X(kDouble, CUDNN_TYPE_DOUBLE, 5)                  \
  X(kPointer, CUDNN_TYPE_VOID_PTR, 6)               \
  X(kMode, CUDNN_TYPE_CONVOLUTION_MODE, 7)          \
  X(kHeuristicsMode, CUDNN_TYPE_HEUR_MODE, 8)       \
  X(kNan, CUDNN_TYPE_NAN_PROPOGATION, 10)           \
  X(kNote, CUDNN_TYPE_NUMERICAL_NOTE, 11)           \
  X(kDescriptor, CUDNN_TYPE_BACKEND_DESCRIPTOR, 15) \
  X(kModeOfPooling, CUDNN_TYPE_RESAMPLE_MODE, 21)   \
  X(kPadding, CUDNN_TYPE_PADDING_MODE, 22)          \
  X(kChar, CUDNN_TYPE_CHAR, 24)
/// what an engine does to numbers,
#define LAMINA_CUDNN_NOTES(X)                                         \
  X(kTensorCore, CUDNN_NUMERICAL_NOTE_TENSOR_CORE, 0)                 \
  X(kDownConvert, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS, 1)        \
  X(kReducedSum, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION, 2) \
  X(kFourier, CUDNN_NUMERICAL_NOTE_FFT, 3)                            \
  X(kNondeterministic, CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, 4)
/// and values of attributes and properties.
#define LAMINA_CUDNN_VALUES(X)                                \
  X(kSingleNumbers, CUDNN_DATA_FLOAT, 0)                      \
  X(kDoubleNumbers, CUDNN_DATA_DOUBLE, 1)                     \
  X(kCrossCorrelation, CUDNN_CROSS_CORRELATION, 1)            \
  X(kMean, CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING, 2)         \
  X(kLargest, CUDNN_RESAMPLE_MAXPOOL, 3)                      \
  X(kMeanOfInside, CUDNN_RESAMPLE_AVGPOOL_EXCLUDE_PADDING, 4) \
  X(kNanGoesOn, CUDNN_PROPAGATE_NAN, 1)                       \
  X(kZeros, CUDNN_ZERO_PAD, 0)                                \
  X(kLowest, CUDNN_NEG_INF_PAD, 1)                            \
  X(kByModel, CUDNN_HEUR_MODE_A, 3)                           \
  X(kFallback, CUDNN_HEUR_MODE_FALLBACK, 2)                   \
  X(kMajorVersion, MAJOR_VERSION, 0)                          \
  X(kMinorVersion, MINOR_VERSION, 1)                          \
  X(kPatchLevel, PATCH_LEVEL, 2)

#define LAMINA_CONSTANT(name, theirs, value) inline constexpr int name = value;
#define LAMINA_ENUMERATOR(name, theirs, value) name = value,
namespace cuda {
LAMINA_CUDA_VALUES(LAMINA_CONSTANT)
}  // namespace cuda
namespace cublas {
LAMINA_CUBLAS_VALUES(LAMINA_CONSTANT)
}  // namespace cublas
namespace cufft {
LAMINA_CUFFT_VALUES(LAMINA_CONSTANT)
}  // namespace cufft
namespace nccl {
LAMINA_NCCL_VALUES(LAMINA_CONSTANT)
}  // namespace nccl
namespace cudnn {
enum Kind : int { LAMINA_CUDNN_KINDS(LAMINA_ENUMERATOR) };
enum Attribute : int { LAMINA_CUDNN_ATTRIBUTES(LAMINA_ENUMERATOR) };
enum Type : int { LAMINA_CUDNN_TYPES(LAMINA_ENUMERATOR) };
enum Note : int { LAMINA_CUDNN_NOTES(LAMINA_ENUMERATOR) };
LAMINA_CUDNN_VALUES(LAMINA_CONSTANT)
}  // namespace cudnn
#undef LAMINA_CONSTANT
#undef LAMINA_ENUMERATOR

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_VALUES_H_
