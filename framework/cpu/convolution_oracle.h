#ifndef FRAMEWORK_CPU_CONVOLUTION_ORACLE_H_
#define FRAMEWORK_CPU_CONVOLUTION_ORACLE_H_

// Shapes, random arrays and sums in double for tests of convolutions in single whose errors have a
// bound.
//
// Threads: pure functions.

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_reference.h"

namespace lamina::cpu::oracle {

constexpr double kU = 0x1p-24;  // The unit roundoff of single.

inline ConvolutionShape Make(int rank, int64_t batch, int64_t in, int64_t out,
                             std::array<int64_t, 3> input, std::array<int64_t, 3> kernel,
                             std::array<int64_t, 3> begin, std::array<int64_t, 3> end,
                             std::array<int64_t, 3> dilation = {1, 1, 1}) {
  ConvolutionShape s{rank, batch, in, out, 1, input, kernel, {}, {1, 1, 1}, dilation, begin, end};
  EXPECT_TRUE(ComputeOutputSize(&s));
  return s;
}

// 3 x 3 filters, and an output as large as the input.
inline ConvolutionShape Same(int64_t batch, int64_t in, int64_t out, int64_t width,
                             int64_t height) {
  return Make(2, batch, in, out, {width, height, 1}, {3, 3, 1}, {1, 1, 0}, {1, 1, 0});
}

inline int64_t Volume(const std::array<int64_t, 3>& a) { return a[0] * a[1] * a[2]; }

// What a convolution and its derivatives are computed of, and what they are.
template <class T>
struct Results {
  std::vector<T> y, dx, dw, db;
  bool operator==(const Results&) const = default;
};
struct Arrays {
  std::vector<float> x, w, dy, bias;

  template <class T>
  Results<T> ResultsFilledWith(T value) const {
    return {std::vector<T>(dy.size(), value), std::vector<T>(x.size(), value),
            std::vector<T>(w.size(), value), std::vector<T>(bias.size(), value)};
  }
};

// Normal numbers, times 2^e with e uniform in [-spread, spread].
inline Arrays RandomArrays(const ConvolutionShape& s, std::mt19937& random, int spread = 0) {
  const auto array = [&](int64_t n) {
    std::normal_distribution<double> normal;
    std::uniform_int_distribution<int> exponent(-spread, spread);
    std::vector<float> x(static_cast<size_t>(n));
    for (float& v : x) v = static_cast<float>(std::ldexp(normal(random), exponent(random)));
    return x;
  };
  return {array(s.batch * s.channels_in * Volume(s.input)),
          array(Volume(s.kernel) * s.channels_in * s.channels_out),
          array(s.batch * s.channels_out * Volume(s.output)), array(s.channels_out)};
}

// A sum in double, that of its magnitudes, and how many terms it has.
struct Sum {
  double value = 0, size = 0;
  int64_t terms = 0;
  void Add(double x) {
    value += x;
    size += std::abs(x);
    ++terms;
  }
};

// By the formula.
inline Results<Sum> SumsOf(const ConvolutionShape& s, const Arrays& a) {
  Results<Sum> sums = a.ResultsFilledWith(Sum{});
  for (size_t i = 0; i < a.dy.size(); ++i) {
    const size_t k = i / static_cast<size_t>(Volume(s.output)) % a.bias.size();
    sums.y[i].Add(a.bias[k]);
    sums.db[k].Add(a.dy[i]);
  }
  reference::ForEachTerm(s, [&](int64_t ix, int64_t iw, int64_t iy) {
    const auto i = static_cast<size_t>(ix), j = static_cast<size_t>(iw),
               k = static_cast<size_t>(iy);
    const double x = a.x[i], w = a.w[j], dy = a.dy[k];
    sums.y[k].Add(x * w);
    sums.dx[i].Add(dy * w);
    sums.dw[j].Add(x * dy);
  });
  return sums;
}

}  // namespace lamina::cpu::oracle

#endif  // FRAMEWORK_CPU_CONVOLUTION_ORACLE_H_
