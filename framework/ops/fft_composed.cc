#include "framework/ops/fft_composed.h"

#include <complex>
#include <functional>
#include <map>
#include <numbers>
#include <utility>
#include <vector>

#include "framework/ops/along_dim.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::internal {
namespace {

using cpu::FftSign;
using Number = std::complex<double>;

// Up to this length one product is the transform.
constexpr int64_t kSmall = 32;
// Primes above it are transformed by Bluestein's algorithm.
constexpr int64_t kLargestPrime = 100;

// exp(+-2 pi i k / n) for k from 0 on. k is reduced first: the angle is as exact as it can be.
Number Root(FftSign sign, int64_t k, int64_t n) {
  const double turn = static_cast<double>(k % n) / static_cast<double>(n);
  return std::polar(1.0, (sign == FftSign::kMinus ? -2 : 2) * std::numbers::pi * turn);
}

// The largest divisor up to the root of n.
int64_t SmallerFactor(int64_t n) {
  int64_t best = 1;
  for (int64_t d = 2; d * d <= n; ++d) {
    if (n % d == 0) best = d;
  }
  return best;
}

// Transforms along the middle dim of [inner x n x outer].
class Transforms {
 public:
  explicit Transforms(DataType type) : type_(type) {}

  DlArray Along(FftSign sign, const DlArray& x) {
    const int64_t n = x.size(1);
    if (n == 1) return x;
    const int64_t factor = n <= kSmall ? 1 : SmallerFactor(n);
    if (factor > 1) return InTwoSteps(sign, x, factor);
    return n <= kLargestPrime ? ByMatrix(sign, x) : Bluestein(sign, x);
  }

 private:
  DlArray Constant(const std::vector<Number>& values, const Sizes& sizes) const {
    return Cast(DlArray::FromVector<Number>(values, sizes), type_);
  }

  // The matrix of the sum is symmetric, so it stands on whichever side leaves x as it lies.
  DlArray ByMatrix(FftSign sign, const DlArray& x) {
    const int64_t inner = x.size(0), n = x.size(1), outer = x.size(2);
    DlArray& matrix = matrices_[{sign, n}];
    if (matrix.empty()) {
      std::vector<Number> values;
      for (int64_t k = 0; k < n; ++k) {
        for (int64_t j = 0; j < n; ++j) values.push_back(Root(sign, j * k, n));
      }
      matrix = Constant(values, {n, n});
    }
    if (inner == 1) return Reshape(MatMul(matrix, Reshape(x, {n, outer})), {1, n, outer});
    if (outer == 1) return Reshape(MatMul(Reshape(x, {inner, n}), matrix), {inner, n, 1});
    return MatMul(x, matrix);
  }

  // With n = a b, j = j1 + a j2 and k = k2 + b k1 the exponent j k / n is, but for whole numbers,
  // j2 k2 / b + j1 k2 / n + j1 k1 / a: transforms of length b, factors, transforms of length a.
  // Source: J. W. Cooley, J. W. Tukey, An algorithm for the machine calculation of complex Fourier
  // series, Mathematics of Computation 19, 1965.
  DlArray InTwoSteps(FftSign sign, const DlArray& x, int64_t a) {
    const int64_t inner = x.size(0), n = x.size(1), outer = x.size(2), b = n / a;
    std::vector<Number> turns;
    for (int64_t k2 = 0; k2 < b; ++k2) {
      for (int64_t j1 = 0; j1 < a; ++j1) turns.push_back(Root(sign, j1 * k2, n));
    }
    const DlArray first = Along(sign, Reshape(x, {inner * a, b, outer}));
    const DlArray turned = Reshape(first, {inner, a, b, outer}) * Constant(turns, {1, a, b});
    const DlArray second = Along(sign, Reshape(turned, {inner, a, b * outer}));
    return Reshape(Permute(Reshape(second, {inner, a, b, outer}), {0, 2, 1, 3}), {inner, n, outer});
  }

  // With w_j = exp(+-pi i j^2 / n) and j k = (j^2 + k^2 - (k - j)^2) / 2 the sum is
  //   y_k = w_k sum over j of (x_j w_j) conj(w_(k - j)),
  // a circular convolution of any length from 2 n - 1 on: one whose transforms are cheap.
  DlArray Bluestein(FftSign sign, const DlArray& x) {
    const int64_t inner = x.size(0), n = x.size(1), outer = x.size(2);
    int64_t length = 1;
    while (length < 2 * n - 1) length *= 2;
    std::vector<Number> chirp, kernel(length), spectrum(length);
    for (int64_t j = 0; j < n; ++j) {
      chirp.push_back(Root(sign, j * j, 2 * n));
      kernel[j] = kernel[(length - j) % length] = std::conj(chirp[j]);
    }
    cpu::Fft(DataType::kComplexDouble, FftSign::kMinus, 1, length, 1, kernel.data(),
             spectrum.data());
    for (Number& value : spectrum) value /= static_cast<double>(length);
    const DlArray factors = Constant(chirp, {1, n});
    const DlArray zeros =
        BroadcastTo(Cast(0.0, type_), ArraySpec{type_, {inner, length - n, outer}, {}});
    const DlArray padded = Cat(1, {x * factors, zeros});
    const DlArray product = Along(FftSign::kMinus, padded) * Constant(spectrum, {1, length});
    return Slice(Along(FftSign::kPlus, product), 1, 0, n) * factors;
  }

  const DataType type_;
  std::map<std::pair<FftSign, int64_t>, DlArray> matrices_;
};

}  // namespace

DlArray ComposedFft(const DlArray& x, FftSign sign, int dim) {
  if (x.numel() == 0) return x;
  const AlongDim along(x.sizes(), dim);
  const DlArray lines = Reshape(StripDims(x), {along.inner, along.n, along.outer});
  return Reshape(Transforms(x.type()).Along(sign, lines), x.sizes(), x.format().str());
}

}  // namespace lamina::internal
