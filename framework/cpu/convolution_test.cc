#include "framework/cpu/convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <thread>
#include <vector>

#include "framework/cpu/amx.h"
#include "framework/cpu/convolution_dnnl.h"
#include "framework/cpu/convolution_reference.h"

namespace lamina::cpu {
namespace {

using Wide = std::complex<double>;

ConvolutionShape Make(int rank, int64_t batch, int64_t in, int64_t out, int64_t groups,
                      std::array<int64_t, 3> input, std::array<int64_t, 3> kernel,
                      std::array<int64_t, 3> stride, std::array<int64_t, 3> dilation,
                      std::array<int64_t, 3> begin, std::array<int64_t, 3> end) {
  ConvolutionShape s{rank, batch, in, out, groups, input, kernel, {}, stride, dilation, begin, end};
  EXPECT_TRUE(ComputeOutputSize(&s));
  return s;
}

std::vector<ConvolutionShape> Shapes() {
  return {
      Make(2, 2, 1, 1, 1, {5, 4, 1}, {3, 2, 1}, {1, 1, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}),
      Make(2, 3, 3, 8, 1, {9, 7, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 0}),
      Make(2, 2, 16, 32, 1, {7, 7, 1}, {3, 3, 1}, {2, 2, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 0}),
      Make(2, 2, 4, 6, 2, {8, 6, 1}, {3, 2, 1}, {2, 1, 1}, {1, 2, 1}, {2, 0, 0}, {0, 3, 0}),
      Make(2, 2, 6, 6, 6, {6, 6, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 0}),
      Make(2, 1, 2, 3, 1, {4, 4, 1}, {1, 1, 1}, {3, 2, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}),
      Make(2, 1, 2, 3, 1, {3, 3, 1}, {2, 2, 1}, {1, 1, 1}, {2, 2, 1}, {5, 4, 0}, {4, 5, 0}),
      Make(1, 3, 5, 4, 1, {11, 1, 1}, {4, 1, 1}, {2, 1, 1}, {2, 1, 1}, {3, 0, 0}, {1, 0, 0}),
      Make(3, 2, 2, 3, 1, {5, 4, 6}, {2, 3, 2}, {1, 2, 2}, {1, 1, 2}, {1, 0, 1}, {0, 1, 2}),
      Make(3, 1, 4, 4, 2, {3, 3, 3}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}),
      // Images enough for several threads.
      Make(2, 9, 16, 16, 2, {12, 11, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 0}),
  };
}

int64_t Volume(const std::array<int64_t, 3>& a) { return a[0] * a[1] * a[2]; }

template <class T>
class ConvolutionTest : public testing::Test {};
using Types = testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(ConvolutionTest, Types);

template <class T>
struct RealOf {
  using Type = T;
};
template <class R>
struct RealOf<std::complex<R>> {
  using Type = R;
};

template <class T>
std::vector<T> Random(int64_t n, int seed) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> x(static_cast<size_t>(n));
  for (T& v : x) {
    const double re = uniform(random), im = uniform(random);
    if constexpr (std::is_floating_point_v<T>) {
      v = static_cast<T>(re);
    } else {
      v = T(static_cast<typename T::value_type>(re), static_cast<typename T::value_type>(im));
    }
  }
  return x;
}

template <class T>
Wide Widen(T x) {
  return Wide(std::real(x), std::imag(x));
}

// A sum of products and the bound of its rounding error.
struct Sum {
  Wide value = 0;
  double size = 0;
  int64_t terms = 0;
  void Add(Wide x) {
    value += x;
    size += std::abs(x);
    ++terms;
  }
};

template <class T>
void ExpectNear(const std::vector<T>& got, const std::vector<Sum>& expected, const char* what) {
  const double u = std::numeric_limits<typename RealOf<T>::Type>::epsilon();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_LE(std::abs(Widen(got[i]) - expected[i].value),
              static_cast<double>(expected[i].terms + 2) * u * expected[i].size)
        << what << " at " << i;
  }
}

TYPED_TEST(ConvolutionTest, AgreesWithTheFormula) {
  using T = TypeParam;
  for (const ConvolutionShape& s : Shapes()) {
    const auto x = Random<T>(s.batch * s.channels_in * Volume(s.input), 1);
    const auto w = Random<T>(Volume(s.kernel) * (s.channels_in / s.groups) * s.channels_out, 2);
    const auto bias = Random<T>(s.channels_out, 3);
    const auto dy = Random<T>(s.batch * s.channels_out * Volume(s.output), 4);
    std::vector<Sum> y(dy.size()), plain_y(dy.size()), dx(x.size()), dw(w.size()), db(bias.size());
    const int64_t positions = Volume(s.output);
    for (size_t i = 0; i < y.size(); ++i) {
      const size_t k = i / static_cast<size_t>(positions) % bias.size();
      y[i].Add(Widen(bias[k]));
      db[k].Add(Widen(dy[i]));
    }
    reference::ForEachTerm(s, [&](int64_t ix, int64_t iw, int64_t iy) {
      const auto i = static_cast<size_t>(ix), j = static_cast<size_t>(iw),
                 o = static_cast<size_t>(iy);
      y[o].Add(Widen(x[i]) * Widen(w[j]));
      plain_y[o].Add(Widen(x[i]) * Widen(w[j]));
      dx[i].Add(Widen(dy[o]) * Widen(w[j]));
      dw[j].Add(Widen(dy[o]) * Widen(x[i]));
    });
    const T nan = T(std::numeric_limits<float>::quiet_NaN());
    std::vector<T> got_y(y.size(), nan), got_dx(x.size(), nan), got_dw(w.size(), nan),
        got_db(bias.size(), nan);
    ConvolutionForward(DataTypeOf<T>(), s, x.data(), w.data(), bias.data(), got_y.data());
    ExpectNear(got_y, y, "y");
    ConvolutionForward(DataTypeOf<T>(), s, x.data(), w.data(), nullptr, got_y.data());
    ExpectNear(got_y, plain_y, "y without bias");
    ConvolutionBackwardData(DataTypeOf<T>(), s, dy.data(), w.data(), got_dx.data());
    ExpectNear(got_dx, dx, "dx");
    ConvolutionBackwardWeights(DataTypeOf<T>(), s, x.data(), dy.data(), got_dw.data(),
                               got_db.data());
    ExpectNear(got_dw, dw, "dw");
    ExpectNear(got_db, db, "db");
    ConvolutionBackwardWeights(DataTypeOf<T>(), s, x.data(), dy.data(), got_dw.data(), nullptr);
    ExpectNear(got_dw, dw, "dw without bias");
  }
}

// Shapes for which Winograd's algorithm may be taken: sizes that are no multiples of its tiles,
// too.
TEST(WinogradTest, IsAsExactAsSaidAndStrictForbidsIt) {
  for (const ConvolutionShape& s :
       {Make(2, 12, 32, 48, 1, {14, 13, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 0}),
        Make(2, 7, 40, 33, 1, {23, 22, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {0, 1, 0},
             {2, 0, 0})}) {
    const auto x = Random<float>(s.batch * s.channels_in * Volume(s.input), 1);
    const auto w = Random<float>(9 * s.channels_in * s.channels_out, 2);
    const auto dy = Random<float>(s.batch * s.channels_out * Volume(s.output), 4);
    std::vector<Sum> y(dy.size()), dx(x.size()), dw(w.size());
    reference::ForEachTerm(s, [&](int64_t ix, int64_t iw, int64_t iy) {
      const auto i = static_cast<size_t>(ix), j = static_cast<size_t>(iw),
                 o = static_cast<size_t>(iy);
      y[o].Add(Widen(x[i]) * Widen(w[j]));
      dx[i].Add(Widen(dy[o]) * Widen(w[j]));
      dw[j].Add(Widen(dy[o]) * Widen(x[i]));
    });
    // Near the edge a sum has fewer terms than its neighbours in the tile: the largest one counts.
    const auto error_in_u = [](const std::vector<float>& got, const std::vector<Sum>& want) {
      double error = 0, largest = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        error = std::max(error, std::abs(got[i] - want[i].value.real()));
        largest = std::max(largest, want[i].size);
      }
      return error / largest * 0x1p24;
    };
    std::vector<float> got_y(y.size()), got_dx(x.size()), got_dw(w.size());
    const auto compute = [&] {
      ConvolutionForward(DataType::kSingle, s, x.data(), w.data(), nullptr, got_y.data());
      ConvolutionBackwardData(DataType::kSingle, s, dy.data(), w.data(), got_dx.data());
      ConvolutionBackwardWeights(DataType::kSingle, s, x.data(), dy.data(), got_dw.data(), nullptr);
    };
    // Elsewhere it is the matrix unit's turn, and convolution_amx_test tells its bound.
    if (!HasAmx()) {
      compute();
      EXPECT_LT(error_in_u(got_y, y), 12);
      EXPECT_LT(error_in_u(got_dx, dx), 12);
      EXPECT_LT(error_in_u(got_dw, dw), 12);
    }
    const StrictConvolution strict;
    compute();
    EXPECT_LT(error_in_u(got_y, y), 4);
    EXPECT_LT(error_in_u(got_dx, dx), 4);
    EXPECT_LT(error_in_u(got_dw, dw), 4);
  }
}

TEST(WinogradTest, StrictKeepsNanWhereItBelongs) {
  const ConvolutionShape s =
      Make(2, 16, 32, 32, 1, {16, 16, 1}, {3, 3, 1}, {1, 1, 1}, {1, 1, 1}, {1, 1, 0}, {1, 1, 0});
  auto x = Random<float>(16 * 32 * 256, 1);
  const auto w = Random<float>(9 * 32 * 32, 2);
  x[0] = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> y(x.size());
  const StrictConvolution strict;
  ConvolutionForward(DataType::kSingle, s, x.data(), w.data(), nullptr, y.data());
  for (int64_t i = 0; i < 256; ++i) {
    EXPECT_EQ(std::isnan(y[static_cast<size_t>(i)]), i % 16 < 2 && i / 16 < 2) << i;
  }
}

TYPED_TEST(ConvolutionTest, EmptyBatch) {
  using T = TypeParam;
  ConvolutionShape s;
  s.batch = 0;
  s.input = {4, 4, 1};
  s.kernel = {3, 3, 1};
  ASSERT_TRUE(ComputeOutputSize(&s));
  std::vector<T> dw(9, T(7)), db(1, T(7));
  ConvolutionForward(DataTypeOf<T>(), s, nullptr, dw.data(), nullptr, nullptr);
  ConvolutionBackwardData(DataTypeOf<T>(), s, nullptr, dw.data(), nullptr);
  ConvolutionBackwardWeights(DataTypeOf<T>(), s, nullptr, nullptr, dw.data(), db.data());
  EXPECT_EQ(dw, std::vector<T>(9, T(0)));
  EXPECT_EQ(db[0], T(0));
}

TEST(ConvolutionShapeTest, RefusesWhatHasNoOutput) {
  ConvolutionShape good;
  good.input = {8, 8, 1};
  good.kernel = {3, 3, 1};
  good.channels_in = 4;
  good.channels_out = 6;
  ASSERT_TRUE(ComputeOutputSize(&good));
  EXPECT_EQ(good.output, (std::array<int64_t, 3>{6, 6, 1}));
  const auto refused = [&](auto change) {
    ConvolutionShape s = good;
    change(s);
    return !ComputeOutputSize(&s);
  };
  EXPECT_TRUE(refused([](auto& s) { s.kernel[0] = 9; }));
  EXPECT_TRUE(refused([](auto& s) { s.dilation[1] = 4; }));
  EXPECT_TRUE(refused([](auto& s) { s.stride[0] = 0; }));
  EXPECT_TRUE(refused([](auto& s) { s.pad_end[0] = -1; }));
  EXPECT_TRUE(refused([](auto& s) { s.groups = 4; }));
  EXPECT_TRUE(refused([](auto& s) { s.groups = 0; }));
  EXPECT_TRUE(refused([](auto& s) { s.spatial_rank = 4; }));
  EXPECT_TRUE(refused([](auto& s) { s.kernel[0] = 0; }));
  EXPECT_TRUE(refused([](auto& s) { s.input[0] = int64_t{1} << 62; }));
  EXPECT_TRUE(refused([](auto& s) { s.batch = int64_t{1} << 60; }));
  EXPECT_FALSE(refused([](auto& s) { s.batch = 0; }));
}

TEST(ConvolutionCacheTest, IsBoundedAndUsableFromSeveralThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([t] {
      for (int64_t i = 0; i < 100; ++i) {
        ConvolutionShape s;
        s.input = {5 + i, 4, 1};
        s.kernel = {2 + t, 2, 1};
        ASSERT_TRUE(ComputeOutputSize(&s));
        const std::vector<float> x(static_cast<size_t>(Volume(s.input)), 1), w(8, 1);
        std::vector<float> y(static_cast<size_t>(Volume(s.output)));
        ConvolutionForward(DataType::kSingle, s, x.data(), w.data(), nullptr, y.data());
        for (float v : y) EXPECT_EQ(v, static_cast<float>(2 * (2 + t)));
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_LE(NumKeptPrimitives(), kMaxPrimitives);
  EXPECT_GT(NumKeptPrimitives(), 0u);
}

}  // namespace
}  // namespace lamina::cpu
