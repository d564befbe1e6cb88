// What a device has a vendor's library for, and a call of it that is ready to be started.
//
// A device is asked by a description (Device::Prepare) and answers with a call, or with none: then
// the op is written out as a kernel.
//
// Threads: plain values; calls are immutable.
#ifndef FRAMEWORK_GPU_LIBRARY_CALL_H_
#define FRAMEWORK_GPU_LIBRARY_CALL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "framework/cpu/convolution.h"
#include "framework/cpu/fft.h"
#include "framework/dlarray/data_type.h"
#include "framework/parallel/communicator.h"

namespace lamina::gpu {

/// Pages of products of matrices that lie column by column: z = op(x) op(y), m x n, each element a
/// sum of k products. The transpose of complex numbers is the conjugate one. Arrays: x, y, the bias
/// if there is one; z, the sums of a factor if they are wanted.
struct ProductCall {
  DataType type = DataType::kSingle;
  int64_t m = 0, n = 0, k = 0;
  bool transpose_x = false, transpose_y = false;
  int64_t pages = 1;
  int64_t x_page = 0, y_page = 0;  ///< Elements from one page to the next; 0: always the same one.
  /// Elements of both factors are numbers of bfloat16: units that round to them may be used.
  bool is_rounded = false;
  // What is done besides, for real numbers and one page.
  bool adds_bias = false;  ///< A vector of m, to each column of the product,
  bool has_relu = false;   ///< and then the larger of it and 0. NaN stays NaN.
  /// Sums over the k: of the rows of op(x), m of them, or of the columns of op(y), n of them.
  enum Sums : uint8_t { kNone, kOfX, kOfY };
  Sums sums = kNone;

  bool has_epilogue() const { return adds_bias || has_relu || sums != kNone; }
  friend bool operator==(const ProductCall&, const ProductCall&) = default;
};

/// A convolution without bias or one of its gradients (cpu/convolution.h). Arrays: x, w, y; dy, w,
/// dx; x, dy, dw.
struct ConvolutionCall {
  enum Kind : uint8_t { kForward, kData, kWeights };
  Kind kind = kForward;
  DataType type = DataType::kSingle;
  cpu::ConvolutionShape shape;
  bool is_rounded = false;  ///< As of ProductCall.

  friend bool operator==(const ConvolutionCall&, const ConvolutionCall&) = default;
};

/// Fourier transforms of complex numbers along the middle dim of [inner x n x outer], as cpu::Fft.
/// Arrays: x, y.
struct FourierCall {
  DataType type = DataType::kComplexSingle;
  cpu::FftSign sign = cpu::FftSign::kMinus;
  int64_t inner = 1, n = 1, outer = 1;

  friend bool operator==(const FourierCall&, const FourierCall&) = default;
};

/// Sums over ranks (ops/all_reduce.h), each of which has a device of its own. Arrays: what a rank
/// gives, then the sums.
struct AllReduceCall {
  struct Array {
    DataType type = DataType::kSingle;
    int64_t numel = 0;
    friend bool operator==(const Array&, const Array&) = default;
  };
  std::shared_ptr<parallel::Communicator> ranks;
  std::vector<Array> arrays;

  friend bool operator==(const AllReduceCall&, const AllReduceCall&) = default;
};

class LibraryCall {
 public:
  virtual ~LibraryCall() = default;
  /// Memory of the device that it needs besides, from a multiple of 256 bytes on.
  virtual size_t workspace_bytes() const { return 0; }
  /// May it stand in a record (Device::Record)? Not where other ranks take part: all of them would
  /// have to record it in the same run and start their records together, and each decides by
  /// itself.
  virtual bool may_be_recorded() const { return true; }
  /// `arrays`: where they begin on the device, the inputs first, from multiples of 256 bytes on.
  /// Errors: "gpu:Driver". Called by the device alone.
  virtual void Start(std::span<void* const> arrays, void* workspace) const = 0;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_LIBRARY_CALL_H_
