// The functions of CUDA that the room calls, found in the machine's libraries when they are first
// needed: so everything builds without a toolkit, and a program runs on machines without a device.
//
// The declarations are those of CUDA's driver, NVRTC, cuBLASLt and cuFFT, version 12 and later, of
// cuDNN 9 and of NCCL 2, with handles as opaque pointers, enumerations and results as int (result
// 0: all is well).
//
// Threads: pure functions; what they return stays for the life of the process.
#ifndef FRAMEWORK_GPU_CUDA_LIBRARY_H_
#define FRAMEWORK_GPU_CUDA_LIBRARY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lamina::gpu {

using CudaAddress = unsigned long long;  // NOLINT(runtime/int): CUdeviceptr

/// X(member, symbol, arguments): the driver, libcuda.
#define LAMINA_CUDA_DRIVER(X)                                                                    \
  X(Init, "cuInit", (unsigned))                                                                  \
  X(GetErrorName, "cuGetErrorName", (int, const char**))                                         \
  X(GetErrorString, "cuGetErrorString", (int, const char**))                                     \
  X(DriverGetVersion, "cuDriverGetVersion", (int*))                                              \
  X(DeviceGetCount, "cuDeviceGetCount", (int*))                                                  \
  X(DeviceGet, "cuDeviceGet", (int*, int))                                                       \
  X(DeviceGetName, "cuDeviceGetName", (char*, int, int))                                         \
  X(DeviceTotalMem, "cuDeviceTotalMem_v2", (size_t*, int))                                       \
  X(DeviceGetAttribute, "cuDeviceGetAttribute", (int*, int, int))                                \
  X(DevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain", (void**, int))                           \
  X(DevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2", (int))                              \
  X(CtxSetCurrent, "cuCtxSetCurrent", (void*))                                                   \
  X(DeviceGetDefaultMemPool, "cuDeviceGetDefaultMemPool", (void**, int))                         \
  X(MemPoolSetAttribute, "cuMemPoolSetAttribute", (void*, int, void*))                           \
  X(MemPoolTrimTo, "cuMemPoolTrimTo", (void*, size_t))                                           \
  X(MemAllocAsync, "cuMemAllocAsync", (CudaAddress*, size_t, void*))                             \
  X(MemFreeAsync, "cuMemFreeAsync", (CudaAddress, void*))                                        \
  X(MemsetD8Async, "cuMemsetD8Async", (CudaAddress, unsigned char, size_t, void*))               \
  X(MemcpyHtoDAsync, "cuMemcpyHtoDAsync_v2", (CudaAddress, const void*, size_t, void*))          \
  X(MemcpyDtoHAsync, "cuMemcpyDtoHAsync_v2", (void*, CudaAddress, size_t, void*))                \
  X(MemHostAlloc, "cuMemHostAlloc", (void**, size_t, unsigned))                                  \
  X(MemFreeHost, "cuMemFreeHost", (void*))                                                       \
  X(EventCreate, "cuEventCreate", (void**, unsigned))                                            \
  X(EventDestroy, "cuEventDestroy_v2", (void*))                                                  \
  X(EventRecord, "cuEventRecord", (void*, void*))                                                \
  X(EventSynchronize, "cuEventSynchronize", (void*))                                             \
  X(StreamCreate, "cuStreamCreate", (void**, unsigned))                                          \
  X(StreamDestroy, "cuStreamDestroy_v2", (void*))                                                \
  X(StreamSynchronize, "cuStreamSynchronize", (void*))                                           \
  X(StreamQuery, "cuStreamQuery", (void*))                                                       \
  X(ModuleLoadData, "cuModuleLoadData", (void**, const void*))                                   \
  X(ModuleUnload, "cuModuleUnload", (void*))                                                     \
  X(ModuleGetFunction, "cuModuleGetFunction", (void**, void*, const char*))                      \
  X(FuncSetAttribute, "cuFuncSetAttribute", (void*, int, int))                                   \
  X(LaunchKernel, "cuLaunchKernel",                                                              \
    (void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void*, void**, \
     void**))                                                                                    \
  X(StreamBeginCapture, "cuStreamBeginCapture_v2", (void*, int))                                 \
  X(StreamEndCapture, "cuStreamEndCapture", (void*, void**))                                     \
  X(GraphInstantiate, "cuGraphInstantiateWithFlags",                                             \
    (void**, void*, unsigned long long)) /*NOLINT*/                                              \
  X(GraphDestroy, "cuGraphDestroy", (void*))                                                     \
  X(GraphExecDestroy, "cuGraphExecDestroy", (void*))                                             \
  X(GraphLaunch, "cuGraphLaunch", (void*, void*))

/// X(member, symbol, arguments): the compiler of kernels, libnvrtc.
#define LAMINA_CUDA_COMPILER(X)                                                      \
  X(Version, "nvrtcVersion", (int*, int*))                                           \
  X(CreateProgram, "nvrtcCreateProgram",                                             \
    (void**, const char*, const char*, int, const char* const*, const char* const*)) \
  X(DestroyProgram, "nvrtcDestroyProgram", (void**))                                 \
  X(AddNameExpression, "nvrtcAddNameExpression", (void*, const char*))               \
  X(CompileProgram, "nvrtcCompileProgram", (void*, int, const char* const*))         \
  X(GetLoweredName, "nvrtcGetLoweredName", (void*, const char*, const char**))       \
  X(GetProgramLogSize, "nvrtcGetProgramLogSize", (void*, size_t*))                   \
  X(GetProgramLog, "nvrtcGetProgramLog", (void*, char*))                             \
  X(GetCubinSize, "nvrtcGetCUBINSize", (void*, size_t*))                             \
  X(GetCubin, "nvrtcGetCUBIN", (void*, char*))

/// What cublasLtMatmulAlgoGetHeuristic and cublasLtMatmulAlgoCheck tell of an algorithm.
struct CublasAlgorithm {
  uint64_t algorithm[8];
  size_t workspace_bytes;
  int status;
  float waves;
  int reserved[4];
};

/// X(member, symbol, arguments): products of matrices, libcublasLt.
#define LAMINA_CUDA_BLAS(X)                                                                       \
  X(GetVersion, "cublasLtGetVersion", ()) /* size_t, of six digits */                             \
  X(Create, "cublasLtCreate", (void**))                                                           \
  X(MatmulDescCreate, "cublasLtMatmulDescCreate", (void**, int, int))                             \
  X(MatmulDescDestroy, "cublasLtMatmulDescDestroy", (void*))                                      \
  X(MatmulDescSetAttribute, "cublasLtMatmulDescSetAttribute", (void*, int, const void*, size_t))  \
  X(MatrixLayoutCreate, "cublasLtMatrixLayoutCreate", (void**, int, uint64_t, uint64_t, int64_t)) \
  X(MatrixLayoutDestroy, "cublasLtMatrixLayoutDestroy", (void*))                                  \
  X(MatrixLayoutSetAttribute, "cublasLtMatrixLayoutSetAttribute",                                 \
    (void*, int, const void*, size_t))                                                            \
  X(PreferenceCreate, "cublasLtMatmulPreferenceCreate", (void**))                                 \
  X(PreferenceDestroy, "cublasLtMatmulPreferenceDestroy", (void*))                                \
  X(PreferenceSetAttribute, "cublasLtMatmulPreferenceSetAttribute",                               \
    (void*, int, const void*, size_t))                                                            \
  X(AlgoGetHeuristic, "cublasLtMatmulAlgoGetHeuristic",                                           \
    (void*, void*, void*, void*, void*, void*, void*, int, CublasAlgorithm*, int*))               \
  X(AlgoCheck, "cublasLtMatmulAlgoCheck",                                                         \
    (void*, void*, void*, void*, void*, void*, const void*, CublasAlgorithm*))                    \
  X(Matmul, "cublasLtMatmul",                                                                     \
    (void*, void*, const void*, const void*, void*, const void*, void*, const void*, const void*, \
     void*, void*, void*, const void*, void*, size_t, void*))

/// X(member, symbol, arguments): the backend interface of libcudnn.
#define LAMINA_CUDNN(X)                                                                    \
  X(GetProperty, "cudnnGetProperty", (int, int*))                                          \
  X(GetCudartVersion, "cudnnGetCudartVersion", ()) /* size_t, of five digits */            \
  X(Create, "cudnnCreate", (void**))                                                       \
  X(SetStream, "cudnnSetStream", (void*, void*))                                           \
  X(CreateDescriptor, "cudnnBackendCreateDescriptor", (int, void**))                       \
  X(DestroyDescriptor, "cudnnBackendDestroyDescriptor", (void*))                           \
  X(SetAttribute, "cudnnBackendSetAttribute", (void*, int, int, int64_t, const void*))     \
  X(GetAttribute, "cudnnBackendGetAttribute", (void*, int, int, int64_t, int64_t*, void*)) \
  X(Finalize, "cudnnBackendFinalize", (void*))                                             \
  X(Execute, "cudnnBackendExecute", (void*, void*, void*))

/// X(member, symbol, arguments): Fourier transforms, libcufft. Plans are numbers.
#define LAMINA_CUFFT(X)                                                             \
  X(Create, "cufftCreate", (int*))                                                  \
  X(Destroy, "cufftDestroy", (int))                                                 \
  X(SetAutoAllocation, "cufftSetAutoAllocation", (int, int))                        \
  X(MakePlanMany64, "cufftMakePlanMany64",                                          \
    (int, int, long long*, long long*, long long, long long, long long*, /*NOLINT*/ \
     long long, long long, int, long long, size_t*))                     /*NOLINT*/ \
  X(SetStream, "cufftSetStream", (int, void*))                                      \
  X(SetWorkArea, "cufftSetWorkArea", (int, void*))                                  \
  X(ExecC2C, "cufftExecC2C", (int, void*, void*, int))                              \
  X(ExecZ2Z, "cufftExecZ2Z", (int, void*, void*, int))

/// ncclUniqueId: what ranks find each other by.
struct NcclId {
  char bytes[128];
};

/// X(member, symbol, arguments): sums over devices, libnccl.
#define LAMINA_NCCL(X)                                                                \
  X(GetUniqueId, "ncclGetUniqueId", (NcclId*))                                        \
  X(CommInitRank, "ncclCommInitRank", (void**, int, NcclId, int))                     \
  X(CommAbort, "ncclCommAbort", (void*))                                              \
  X(CommGetAsyncError, "ncclCommGetAsyncError", (void*, int*))                        \
  X(GroupStart, "ncclGroupStart", ())                                                 \
  X(GroupEnd, "ncclGroupEnd", ())                                                     \
  X(AllReduce, "ncclAllReduce", (const void*, void*, size_t, int, int, void*, void*)) \
  X(GetVersion, "ncclGetVersion", (int*))

#define LAMINA_MEMBER(member, symbol, arguments) int(*member) arguments = nullptr;
struct CudaDriver {
  LAMINA_CUDA_DRIVER(LAMINA_MEMBER)
};
struct CudaCompiler {
  LAMINA_CUDA_COMPILER(LAMINA_MEMBER)
};
struct CudaBlas {
  LAMINA_CUDA_BLAS(LAMINA_MEMBER)
};
struct Cudnn {
  LAMINA_CUDNN(LAMINA_MEMBER)
};
struct Cufft {
  LAMINA_CUFFT(LAMINA_MEMBER)
};
struct Nccl {
  LAMINA_NCCL(LAMINA_MEMBER)
};
#undef LAMINA_MEMBER

/// Errors: kNotFound, with where was searched; kFailedPrecondition for a library that lacks one of
/// the functions: it is too old.
const absl::StatusOr<CudaDriver>& FindCudaDriver();
/// Searched by the loader, then in $CUDA_HOME and /usr/local/cuda.
const absl::StatusOr<CudaCompiler>& FindCudaCompiler();

const absl::StatusOr<CudaBlas>& FindCudaBlas();
const absl::StatusOr<Cufft>& FindCufft();
/// Searched by the loader alone: it is no part of the toolkit.
const absl::StatusOr<Cudnn>& FindCudnn();
const absl::StatusOr<Nccl>& FindNccl();

/// The names of the driver's functions.
std::vector<std::string> CudaDriverSymbols();

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_LIBRARY_H_
