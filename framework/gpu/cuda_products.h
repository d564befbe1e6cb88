// Products of matrices by cuBLASLt, for cuda_device.cc.
//
//   const auto products = CudaProducts::Open(FindCudaBlas(), driver, stream, device);
//   if (auto call = products->Prepare({.type = type, .m = 8, .n = 8, .k = 8})) ...
//
// The algorithm is the first that the library's heuristics name. Numbers keep their precision: no
// products of TF32, but for factors that are rounded to bfloat16 and so lose nothing. Algorithms
// are kept on the disk (disk_store.h), as the library allows for its own version, here for the same
// device; it looks at what comes from there, and what it refuses is chosen anew.
//
// What the library does not tell of a ReLU is what becomes of NaN. So an algorithm with one is
// tried once, and is not taken unless NaN stays NaN.
//
// Threads: as the device, which lets one thread at a time in, with its context current.
#ifndef FRAMEWORK_GPU_CUDA_PRODUCTS_H_
#define FRAMEWORK_GPU_CUDA_PRODUCTS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

class CudaProducts {
 public:
  /// `blas` and `driver` live as long as the program. `device`: all of the device that an algorithm
  /// depends on. Errors: those of `blas`; kUnavailable when the library cannot begin.
  static absl::StatusOr<std::unique_ptr<CudaProducts>> Open(const absl::StatusOr<CudaBlas>& blas,
                                                            const CudaDriver& driver, void* stream,
                                                            const std::string& device);

  /// Null when the library has no algorithm for it.
  std::shared_ptr<const LibraryCall> Prepare(const ProductCall& product) const;

 private:
  CudaProducts(const CudaBlas& blas, const CudaDriver& driver, void* handle, void* stream,
               const std::string& device);

  const CudaBlas& blas_;
  const CudaDriver& driver_;
  void* const handle_;  // Never destroyed: calls may live as long as the program.
  void* const stream_;
  const std::string made_from_;  // All that is the same for all algorithms.
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_PRODUCTS_H_
