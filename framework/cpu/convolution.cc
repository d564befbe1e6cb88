#include "framework/cpu/convolution.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <limits>

#include "framework/cpu/convolution_amx.h"
#include "framework/cpu/convolution_dnnl.h"
#include "framework/cpu/convolution_vectors.h"
#include "framework/cpu/convolution_winograd.h"
#include "framework/cpu/floating_type.h"
#include "framework/cpu/gemm.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/reduce.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

int64_t Volume(const std::array<int64_t, 3>& sizes) { return sizes[0] * sizes[1] * sizes[2]; }

// The shape with spatial_rank 3: missing dims have size 1 and leave everything as it is.
ConvolutionShape Padded(ConvolutionShape s) {
  for (auto d = static_cast<size_t>(s.spatial_rank); d < 3; ++d) {
    s.input[d] = s.kernel[d] = s.output[d] = s.stride[d] = s.dilation[d] = 1;
    s.pad_begin[d] = s.pad_end[d] = 0;
  }
  return s;
}

// The output positions [begin, end) of one dim that read input positions inside, for kernel index
// k.
struct Range {
  int64_t begin, end, first_input;  // first_input: the input position of `begin`
};
Range InsideRange(const ConvolutionShape& s, size_t d, int64_t k) {
  const int64_t shift = k * s.dilation[d] - s.pad_begin[d];  // input = output * stride + shift
  const int64_t stride = s.stride[d];
  int64_t begin = shift < 0 ? (-shift + stride - 1) / stride : 0;
  int64_t end = shift >= s.input[d] ? 0 : (s.input[d] - 1 - shift) / stride + 1;
  begin = std::min(begin, s.output[d]);
  end = std::clamp(end, begin, s.output[d]);
  return {begin, end, begin * stride + shift};
}

// Calls row(column offset, plane offset, count) for the rows along the first dim of the part of one
// column of the matrix of patches that lies inside of the input, where `k` is the index in the
// kernel. The elements of a row follow each other in the column, and in the plane with the stride.
template <class F>
void ForInside(const ConvolutionShape& s, const int64_t (&k)[3], F row) {
  const Range x = InsideRange(s, 0, k[0]), y = InsideRange(s, 1, k[1]), z = InsideRange(s, 2, k[2]);
  if (x.begin == x.end) return;
  for (int64_t oz = z.begin; oz < z.end; ++oz) {
    const int64_t iz = z.first_input + (oz - z.begin) * s.stride[2];
    for (int64_t oy = y.begin; oy < y.end; ++oy) {
      const int64_t iy = y.first_input + (oy - y.begin) * s.stride[1];
      row((oz * s.output[1] + oy) * s.output[0] + x.begin,
          (iz * s.input[1] + iy) * s.input[0] + x.first_input, x.end - x.begin);
    }
  }
}

// Calls f(column, channel, kernel index) for the columns of the matrix of patches of one group.
template <class F>
void ForColumns(const ConvolutionShape& s, F f) {
  int64_t column = 0;
  for (int64_t c = 0; c < s.channels_in / s.groups; ++c) {
    for (int64_t kz = 0; kz < s.kernel[2]; ++kz) {
      for (int64_t ky = 0; ky < s.kernel[1]; ++ky) {
        for (int64_t kx = 0; kx < s.kernel[0]; ++kx) {
          const int64_t k[3] = {kx, ky, kz};
          f(column++, c, k);
        }
      }
    }
  }
}

// patches[o, (s, c)] = x(o * stride - pad + s * dilation, c): what each output position sees.
template <class T>
void Gather(const ConvolutionShape& s, const T* x, T* patches) {
  const int64_t positions = Volume(s.output), plane = Volume(s.input);
  ForColumns(s, [&](int64_t column, int64_t c, const int64_t(&k)[3]) {
    T* to = patches + column * positions;
    std::fill(to, to + positions, T(0));
    ForInside(s, k, [&](int64_t o, int64_t i, int64_t count) {
      const T* from = x + c * plane + i;
      for (int64_t j = 0; j < count; ++j) to[o + j] = from[j * s.stride[0]];
    });
  });
}

// The transpose of Gather: adds the patches to x.
template <class T>
void Scatter(const ConvolutionShape& s, const T* patches, T* x) {
  const int64_t positions = Volume(s.output), plane = Volume(s.input);
  ForColumns(s, [&](int64_t column, int64_t c, const int64_t(&k)[3]) {
    const T* from = patches + column * positions;
    ForInside(s, k, [&](int64_t o, int64_t i, int64_t count) {
      T* to = x + c * plane + i;
      for (int64_t j = 0; j < count; ++j) to[j * s.stride[0]] += from[o + j];
    });
  });
}

// Sizes of the products that make up the convolution of one image and group.
struct Sizes {
  int64_t positions, terms, channels_in, channels_out;  // channels: of a group
  int64_t plane_in;
};
Sizes SizesOf(const ConvolutionShape& s) {
  const int64_t channels_in = s.channels_in / s.groups;
  return {Volume(s.output), Volume(s.kernel) * channels_in, channels_in, s.channels_out / s.groups,
          Volume(s.input)};
}

// Calls f(image and group, its patches' buffer) for all of them, on several threads.
template <class T, class F>
void ForImages(const ConvolutionShape& s, const Sizes& n, F f) {
  const double operations = 2.0 * static_cast<double>(n.positions) * static_cast<double>(n.terms) *
                            static_cast<double>(n.channels_out);
  const auto grain = static_cast<int64_t>(kParallelOperations / 2 / std::max(operations, 1.0));
  ParallelFor(s.batch * s.groups, std::max<int64_t>(1, grain), [&](int64_t begin, int64_t end) {
    ScratchArray<T> patches(n.positions * n.terms);
    for (int64_t i = begin; i < end; ++i) f(i, patches.data());
  });
}

template <class T>
void Forward(const ConvolutionShape& s, const T* x, const T* weights, const T* bias, T* y) {
  const Sizes n = SizesOf(s);
  ForImages<T>(s, n, [&](int64_t i, T* patches) {
    const int64_t group = i % s.groups;
    T* to = y + i * n.channels_out * n.positions;
    for (int64_t k = 0; k < n.channels_out; ++k) {
      std::fill_n(to + k * n.positions, n.positions,
                  bias == nullptr ? T(0) : bias[group * n.channels_out + k]);
    }
    Gather(s, x + i * n.channels_in * n.plane_in, patches);
    Gemm(DataTypeOf<T>(), Transpose::kNo, Transpose::kNo, n.positions, n.channels_out, n.terms, 1.0,
         patches, n.positions, weights + group * n.channels_out * n.terms, n.terms, 1.0, to,
         n.positions);
  });
}

template <class T>
void BackwardData(const ConvolutionShape& s, const T* dy, const T* weights, T* dx) {
  const Sizes n = SizesOf(s);
  ForImages<T>(s, n, [&](int64_t i, T* patches) {
    const int64_t group = i % s.groups;
    Gemm(DataTypeOf<T>(), Transpose::kNo, Transpose::kYes, n.positions, n.terms, n.channels_out,
         1.0, dy + i * n.channels_out * n.positions, n.positions,
         weights + group * n.channels_out * n.terms, n.terms, 0.0, patches, n.positions);
    T* to = dx + i * n.channels_in * n.plane_in;
    std::fill_n(to, n.channels_in * n.plane_in, T(0));
    Scatter(s, patches, to);
  });
}

// Image after image on one thread (the products may use more): the order of the sum is fixed.
template <class T>
void BackwardWeights(const ConvolutionShape& s, const T* x, const T* dy, T* dweights) {
  const Sizes n = SizesOf(s);
  ScratchArray<T> patches(n.positions * n.terms);
  std::fill_n(dweights, n.terms * s.channels_out, T(0));
  for (int64_t i = 0; i < s.batch * s.groups; ++i) {
    Gather(s, x + i * n.channels_in * n.plane_in, patches.data());
    Gemm(DataTypeOf<T>(), Transpose::kYes, Transpose::kNo, n.terms, n.channels_out, n.positions,
         1.0, patches.data(), n.positions, dy + i * n.channels_out * n.positions, n.positions, 1.0,
         dweights + i % s.groups * n.channels_out * n.terms, n.terms);
  }
}

// The gradient of the bias.
void SumOverImages(DataType type, const ConvolutionShape& s, const void* dy, void* dbias) {
  const int64_t sizes[] = {Volume(s.output), s.channels_out, s.batch};
  Reduce(Reduction::kSum, type, dy, sizes, 0b101, dbias);
}

thread_local int strict_depth = 0;

float* Mutable(const void* p) { return const_cast<float*>(static_cast<const float*>(p)); }

// Of single, in the plain way: oneDNN's, or ours where it has none.
void PlainConvolution(ConvolutionKind kind, const ConvolutionShape& s, float* x, float* weights,
                      float* bias, float* y) {
  if (DnnlConvolution(kind, s, x, weights, bias, y)) return;
  switch (kind) {
    case ConvolutionKind::kForward:
      return Forward<float>(s, x, weights, bias, y);
    case ConvolutionKind::kBackwardData:
      return BackwardData<float>(s, y, weights, x);
    case ConvolutionKind::kBackwardWeights:
      return BackwardWeights<float>(s, x, y, weights);
  }
}

// Of single, in the fastest way: true, and it is done. `bias` is read by kForward and written by
// kBackwardWeights.
bool OfSingle(ConvolutionKind kind, const ConvolutionShape& s, float* x, float* weights,
              float* bias, float* y) {
  const bool strict = StrictConvolution::IsActive(), amx = !strict && AmxConvolutionPays(kind, s);
  if (amx || (!strict && WinogradPays(kind, s))) {
    const bool is_forward = kind == ConvolutionKind::kForward;
    const float* const added = is_forward ? bias : nullptr;
    if (amx) {
      AmxConvolution(kind, s, x, weights, added, y, PlainConvolution);
    } else {
      WinogradConvolution(kind, s, x, weights, added, y);
    }
    if (!is_forward && bias != nullptr) SumOverImages(DataType::kSingle, s, y, bias);
    return true;
  }
  // VectorConvolution leaves numbers that are not finite to oneDNN.
  if (VectorConvolutionPays(kind, s) && VectorConvolution(kind, s, x, weights, bias, y)) {
    return true;
  }
  return DnnlConvolution(kind, s, x, weights, bias, y);
}

bool IsProductSmall(std::initializer_list<int64_t> factors) {
  int64_t product = 1;
  for (int64_t f : factors) {
    if (__builtin_mul_overflow(product, f, &product)) return false;
  }
  return product < std::numeric_limits<int64_t>::max() / 64;  // bytes, and room for sums
}

}  // namespace

StrictConvolution::StrictConvolution() { ++strict_depth; }
StrictConvolution::~StrictConvolution() { --strict_depth; }
bool StrictConvolution::IsActive() { return strict_depth > 0; }

bool ComputeOutputSize(ConvolutionShape* shape) {
  ConvolutionShape& s = *shape;
  if (s.spatial_rank < 1 || s.spatial_rank > 3 || s.batch < 0 || s.groups < 1 ||
      s.channels_in < 1 || s.channels_out < 1 || s.channels_in % s.groups != 0 ||
      s.channels_out % s.groups != 0) {
    return false;
  }
  constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();
  s = Padded(s);
  for (size_t d = 0; d < static_cast<size_t>(s.spatial_rank); ++d) {
    for (int64_t v :
         {s.input[d], s.kernel[d], s.stride[d], s.dilation[d], s.pad_begin[d], s.pad_end[d]}) {
      if (v < 0 || v > kLargest) return false;
    }
    if (s.input[d] < 1 || s.kernel[d] < 1 || s.stride[d] < 1 || s.dilation[d] < 1) return false;
    const int64_t extent = (s.kernel[d] - 1) * s.dilation[d] + 1;
    const int64_t room = s.input[d] + s.pad_begin[d] + s.pad_end[d] - extent;
    if (room < 0) return false;
    s.output[d] = room / s.stride[d] + 1;
  }
  return IsProductSmall({s.batch, s.channels_in, s.input[0], s.input[1], s.input[2]}) &&
         IsProductSmall({s.batch, s.channels_out, s.output[0], s.output[1], s.output[2]}) &&
         IsProductSmall({s.channels_in, s.channels_out, s.kernel[0], s.kernel[1], s.kernel[2]}) &&
         IsProductSmall({s.channels_in, s.kernel[0], s.kernel[1], s.kernel[2], s.output[0],
                         s.output[1], s.output[2]});
}

void ConvolutionForward(DataType type, const ConvolutionShape& shape, const void* x,
                        const void* weights, const void* bias, void* y) {
  const ConvolutionShape s = Padded(shape);
  if (s.batch == 0) return;
  if (type == DataType::kSingle && OfSingle(ConvolutionKind::kForward, s, Mutable(x),
                                            Mutable(weights), Mutable(bias), Mutable(y))) {
    return;
  }
  WithFloatingType(type, [&]<class T>(T) {
    Forward(s, static_cast<const T*>(x), static_cast<const T*>(weights),
            static_cast<const T*>(bias), static_cast<T*>(y));
  });
}

void ConvolutionBackwardData(DataType type, const ConvolutionShape& shape, const void* dy,
                             const void* weights, void* dx) {
  const ConvolutionShape s = Padded(shape);
  if (s.batch == 0) return;
  if (type == DataType::kSingle && OfSingle(ConvolutionKind::kBackwardData, s, Mutable(dx),
                                            Mutable(weights), nullptr, Mutable(dy))) {
    return;
  }
  WithFloatingType(type, [&]<class T>(T) {
    BackwardData(s, static_cast<const T*>(dy), static_cast<const T*>(weights), static_cast<T*>(dx));
  });
}

void ConvolutionBackwardWeights(DataType type, const ConvolutionShape& shape, const void* x,
                                const void* dy, void* dweights, void* dbias) {
  const ConvolutionShape s = Padded(shape);
  if (type == DataType::kSingle && s.batch > 0 &&
      OfSingle(ConvolutionKind::kBackwardWeights, s, Mutable(x), Mutable(dweights), Mutable(dbias),
               Mutable(dy))) {
    return;
  }
  WithFloatingType(type, [&]<class T>(T) {
    BackwardWeights(s, static_cast<const T*>(x), static_cast<const T*>(dy),
                    static_cast<T*>(dweights));
  });
  if (dbias != nullptr) SumOverImages(type, s, dy, dbias);
}

}  // namespace lamina::cpu
