#ifndef FRAMEWORK_CPU_CONVOLUTION_H_
#define FRAMEWORK_CPU_CONVOLUTION_H_

// Convolution as deep learning means it (cross-correlation) over 1, 2 or 3 spatial dims, and its
// two gradients.
//
//   y(o, k, b) = bias(k) + sum_{s, c} w(s, c, k) x(o * stride - pad_begin + s * dilation, c, b)
//
// where o and s run over the spatial dims, x outside of the input is 0, and c runs over the
// channels of k's group. Layouts, column-major: data "S..SCB"; weights "S..S", then C / groups,
// then K.
//
// Single runs on the matrix unit of processors with AMX where that is faster (convolution_amx.h),
// by Winograd's algorithm where that is (convolution_winograd.h), where channels are few on vectors
// of our own (convolution_vectors.h), or on oneDNN (its compiled primitives are kept by shape, least
// recently used out), double and complex as a product of matrices on Eigen.
//
// Threads: may be called from any thread; large work uses the pool of threads.h.
//
//   ConvolutionShape s;                        // 28 x 28 x 1 x 128, eight 3 x 3 filters, same size
//   s.spatial_rank = 2; s.batch = 128; s.channels_in = 1; s.channels_out = 8;
//   s.input = {28, 28}; s.kernel = {3, 3}; s.pad_begin = s.pad_end = {1, 1};
//   cpu::ComputeOutputSize(&s);                // s.output = {28, 28, 1}
//   cpu::ConvolutionForward(DataType::kSingle, s, x, w, bias, y);

#include <array>
#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// Spatial entries from spatial_rank on are not read. channels_in and channels_out count all
/// groups.
struct ConvolutionShape {
  int spatial_rank = 2;
  int64_t batch = 1;
  int64_t channels_in = 1;
  int64_t channels_out = 1;
  int64_t groups = 1;  ///< divides channels_in and channels_out
  std::array<int64_t, 3> input = {1, 1, 1};
  std::array<int64_t, 3> kernel = {1, 1, 1};
  std::array<int64_t, 3> output = {1, 1, 1};
  std::array<int64_t, 3> stride = {1, 1, 1};
  std::array<int64_t, 3> dilation = {1, 1, 1};  // 1: neighbouring elements
  std::array<int64_t, 3> pad_begin = {0, 0, 0};
  std::array<int64_t, 3> pad_end = {0, 0, 0};

  friend bool operator==(const ConvolutionShape&, const ConvolutionShape&) = default;
};

/// output = floor((input + pad_begin + pad_end - ((kernel - 1) dilation + 1)) / stride) + 1.
/// Returns false, with `output` unspecified, if the shape has no output: a kernel (dilated) larger
/// than the padded input, a stride, dilation or group count below 1, a negative padding, channels
/// that the groups do not divide, a rank outside of 1 .. 3, or sizes whose products overflow.
bool ComputeOutputSize(ConvolutionShape* shape);

/// While one lives in a thread, that thread's convolutions keep to the bound n u of
/// ConvolutionForward, without its exceptions. For checks, and for whoever wants the tighter bound
/// more than the speed.
class StrictConvolution {
 public:
  StrictConvolution();
  ~StrictConvolution();
  StrictConvolution(const StrictConvolution&) = delete;
  StrictConvolution& operator=(const StrictConvolution&) = delete;
  /// Whether one lives in the calling thread.
  static bool IsActive();
};

/// The three need a shape that ComputeOutputSize accepted. `bias` ([K], or nullptr) is added to
/// every output. Sizes of 0 (batch) are allowed. Results overwrite their memory, which must not
/// overlap the arguments.
/// |error| <= n u sum |w| |x|, where n terms are summed and u = 2^-24 (2^-53); results do not
/// depend on what was computed before.
///
/// But for two cases of single, each 1.2 to 2.8 times as fast, which StrictConvolution forbids:
///
/// - On processors with AMX, filters moved one by one over one or two dims, without groups, and 256
///   terms or more: numbers are sums of two bfloat16, and |error| <= (530 + 3 k) u sum |w| |x|, k
///   being about n / 32, so within n u from n = 600 on. This holds for each element alone, and NaN
///   and infinities come out as in the plain way. Measured on normal data, 64 channels and 3 x 3
///   filters: at most 33 u of the element's own sum, where the plain way has 2 u; for gradients of
///   weights, whose sums are long, 3 u, where it has 5 u.
/// - Elsewhere, with AVX2 or more, 3 x 3 filters moved one by one over two dims, with 16 channels or
///   more on both sides and enough outputs: Winograd's minimal filtering F(4 x 4, 3 x 3)
///   (convolution_winograd.h). It computes 4 x 4 outputs together: the error of each is relative to
///   the largest sum |w| |x| of these (measured on normal data: at most 17 u), and a NaN or infinity
///   reaches all 16; of the gradient of the weights, all nine of a filter.
void ConvolutionForward(DataType type, const ConvolutionShape& shape, const void* x,
                        const void* weights, const void* bias, void* y);

/// Gradient with respect to x of <y, dy>.
void ConvolutionBackwardData(DataType type, const ConvolutionShape& shape, const void* dy,
                             const void* weights, void* dx);

/// Gradients with respect to the weights and, unless dbias is nullptr, the bias. For complex types
/// all gradients are those of the bilinear form, without conjugation.
void ConvolutionBackwardWeights(DataType type, const ConvolutionShape& shape, const void* x,
                                const void* dy, void* dweights, void* dbias);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_H_
