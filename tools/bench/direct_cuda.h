// What a device's libraries are measured by: cuBLASLt and cuDNN called directly, on memory of their
// own, without arrays of ours.
//
//   auto device = DirectDevice::Open();                       // says what is missing
//   DirectCase gemm = DirectProduct(*device, {.m = 8, .n = 8, .k = 8}, {x, y});
//   for (const DirectVariant& v : gemm.variants) v.start();   // one algorithm each
//
// Everything is made before it is started: less than this no caller of the libraries can do.
// Numbers are single and keep their precision (no TF32). Algorithms that may give other bits in
// each run are tried too, and so are those by Fourier transforms: the framework takes neither.
//
// Errors of all: "bench:Refused".
// Threads: one.
#ifndef TOOLS_BENCH_DIRECT_CUDA_H_
#define TOOLS_BENCH_DIRECT_CUDA_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/library_call.h"

namespace lamina::bench {

using Floats = std::vector<float>;

/// Errors: "bench:Refused" with what the library answered, unless that is 0.
void CheckAnswer(int answer);

/// A device with a stream. What is taken of its memory stays until the program ends.
class DirectDevice {
 public:
  /// Errors: those of the libraries that are missing; kUnavailable for what the driver refuses.
  static absl::StatusOr<std::unique_ptr<DirectDevice>> Open();

  void* Room(size_t bytes) const;  ///< Zeros.
  void* Copy(const Floats& x) const;
  void CopyTo(void* memory, const Floats& x) const;
  Floats Fetch(const void* x, size_t count) const;
  void Wait() const;
  void* stream() const { return stream_; }

 private:
  explicit DirectDevice(const gpu::CudaDriver& driver) : driver_(driver) {}
  absl::Status Begin();
  const gpu::CudaDriver& driver_;
  void *context_ = nullptr, *stream_ = nullptr;
};

/// One algorithm of a library.
struct DirectVariant {
  std::string name;
  std::function<int()> start;  ///< 0: all is well. Returns before it is done.
};

struct DirectCase {
  std::vector<DirectVariant> variants;
  void* result = nullptr;  ///< What a variant computes first.
};

/// Arrays: the factors, column by column.
DirectCase DirectProduct(const DirectDevice& device, const gpu::ProductCall& product,
                         const std::vector<Floats>& inputs);
/// Arrays: as of the call. One variant for each engine that cuDNN's heuristics name.
DirectCase DirectConvolution(const DirectDevice& device, const gpu::ConvolutionCall& convolution,
                             const std::vector<Floats>& inputs);

/// Images width x height x channels x batch, the first the fastest.
struct DirectImages {
  int width, height, channels, batch;
  size_t numel() const;
};
/// x, offset, scale, dy: y, and with gradients those of x, scale and offset.
DirectCase DirectBatchNorm(const DirectDevice& device, const DirectImages& images, bool gradients,
                           const std::vector<Floats>& inputs);
/// Largest elements of 2 x 2, two apart. x, dy: y, and with gradients that of x.
DirectCase DirectMaxPool(const DirectDevice& device, const DirectImages& images, bool gradients,
                         const std::vector<Floats>& inputs);

struct DirectLstmSizes {
  int channels, hidden, batch, steps;
};
/// x, weights, recurrent weights, bias, dy as of the framework (ops/lstm.h): y, and with gradients
/// those of x and of all weights.
DirectCase DirectLstm(const DirectDevice& device, const DirectLstmSizes& sizes, bool gradients,
                      const std::vector<Floats>& inputs);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_DIRECT_CUDA_H_
