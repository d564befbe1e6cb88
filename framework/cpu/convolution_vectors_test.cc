#include "framework/cpu/convolution_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_oracle.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using oracle::Arrays, oracle::kU, oracle::Make, oracle::RandomArrays, oracle::Same, oracle::Sum,
    oracle::SumsOf;
using Results = oracle::Results<float>;
using Sums = oracle::Results<Sum>;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// Memory of a result; what is written before or behind it is noticed.
class Guarded {
 public:
  explicit Guarded(size_t n) : all_(n + 2 * kGuard, kMark) {
    std::fill(begin(), begin() + static_cast<std::ptrdiff_t>(n), kNan);
  }
  float* data() { return all_.data() + kGuard; }
  std::vector<float> values() {
    for (size_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(all_[i], kMark) << "before the result";
      EXPECT_EQ(all_[all_.size() - 1 - i], kMark) << "behind the result";
    }
    return {begin(), all_.end() - kGuard};
  }

 private:
  static constexpr size_t kGuard = 64;
  static constexpr float kMark = 12345;
  std::vector<float>::iterator begin() { return all_.begin() + kGuard; }
  std::vector<float> all_;
};

class ConvolutionVectorsTest : public testing::Test {
 protected:
  Arrays RandomFor(const ConvolutionShape& s, int spread = 0) {
    return RandomArrays(s, random_, spread);
  }
  // By VectorConvolution itself, whether it pays or not.
  static Results Compute(const ConvolutionShape& s, Arrays a) {
    Guarded y(a.dy.size()), dx(a.x.size()), dw(a.w.size()), db(a.bias.size());
    EXPECT_TRUE(VectorConvolution(ConvolutionKind::kForward, s, a.x.data(), a.w.data(),
                                  a.bias.data(), y.data()));
    EXPECT_TRUE(VectorConvolution(ConvolutionKind::kBackwardData, s, dx.data(), a.w.data(), nullptr,
                                  a.dy.data()));
    EXPECT_TRUE(VectorConvolution(ConvolutionKind::kBackwardWeights, s, a.x.data(), dw.data(),
                                  db.data(), a.dy.data()));
    return {y.values(), dx.values(), dw.values(), db.values()};
  }
  // By the functions of convolution.h.
  static Results ComputeByShape(const ConvolutionShape& s, const Arrays& a) {
    Guarded y(a.dy.size()), dx(a.x.size()), dw(a.w.size()), db(a.bias.size());
    const auto type = DataType::kSingle;
    ConvolutionForward(type, s, a.x.data(), a.w.data(), a.bias.data(), y.data());
    ConvolutionBackwardData(type, s, a.dy.data(), a.w.data(), dx.data());
    ConvolutionBackwardWeights(type, s, a.x.data(), a.dy.data(), dw.data(), db.data());
    return {y.values(), dx.values(), dw.values(), db.values()};
  }
  // n u sum |terms|, and what the product of so many 1 + u has beyond 1 + n u.
  static void ExpectWithinBound(const std::vector<float>& got, const std::vector<Sum>& want,
                                const char* what) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      const double bound = 1.001 * static_cast<double>(want[i].terms) * kU * want[i].size;
      ASSERT_LE(std::abs(got[i] - want[i].value), bound) << what << " at " << i;
    }
  }
  static void ExpectWithinBounds(const Results& got, const Sums& want) {
    ExpectWithinBound(got.y, want.y, "y");
    ExpectWithinBound(got.dx, want.dx, "dx");
    ExpectWithinBound(got.dw, want.dw, "dw");
    ExpectWithinBound(got.db, want.db, "db");
  }
  static bool Pays(const ConvolutionShape& s) {
    return VectorConvolutionPays(ConvolutionKind::kForward, s) &&
           VectorConvolutionPays(ConvolutionKind::kBackwardData, s) &&
           VectorConvolutionPays(ConvolutionKind::kBackwardWeights, s);
  }
  std::mt19937 random_{9};
};

// Channels that fill tiles in every way, odd sizes, images of one pixel and of several strips,
// every kind of padding, dilation, one dim, filters of one pixel and as large as the image.
std::vector<ConvolutionShape> Shapes() {
  return {
      Same(3, 1, 8, 28, 28),
      Same(9, 8, 16, 14, 14),
      Same(37, 5, 7, 7, 7),
      Same(3, 3, 13, 33, 19),
      Same(2, 2, 3, 150, 90),
      Same(5, 4, 1, 1, 1),
      Same(4, 1, 2, 3, 2),
      Same(2, 24, 9, 17, 5),
      Same(1, 6, 20, 40, 44),
      Make(2, 2, 3, 4, {12, 11, 1}, {5, 5, 1}, {2, 2, 0}, {2, 2, 0}),
      Make(2, 2, 3, 5, {13, 10, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}),
      Make(2, 2, 4, 6, {21, 23, 1}, {3, 3, 1}, {0, 2, 0}, {1, 0, 0}),
      Make(2, 3, 2, 12, {19, 16, 1}, {4, 2, 1}, {3, 0, 0}, {2, 1, 0}),
      Make(2, 2, 3, 5, {30, 27, 1}, {3, 3, 1}, {4, 2, 0}, {3, 4, 0}, {2, 2, 1}),
      Make(2, 2, 3, 5, {9, 300, 1}, {3, 3, 1}, {0, 3, 0}, {0, 6, 0}, {1, 3, 1}),
      Make(2, 3, 4, 6, {5, 6, 1}, {5, 6, 1}, {0, 0, 0}, {0, 0, 0}),
      Make(1, 4, 3, 5, {151, 1, 1}, {6, 1, 1}, {5, 0, 0}, {2, 0, 0}),
      Make(1, 2, 2, 3, {3000, 1, 1}, {3, 1, 1}, {1, 0, 0}, {1, 0, 0}),
      Make(2, 1, 2, 2, {1, 600, 1}, {1, 9, 1}, {0, 4, 0}, {0, 4, 0}),
  };
}

TEST_F(ConvolutionVectorsTest, IsWithinItsBound) {
  for (const ConvolutionShape& s : Shapes()) {
    SCOPED_TRACE(testing::Message()
                 << s.channels_in << " " << s.channels_out << " " << s.input[0] << " x "
                 << s.input[1] << " " << s.kernel[0] << " x " << s.kernel[1]);
    ASSERT_TRUE(VectorConvolutionIsPossible(s));
    // With a spread of 20 few terms make up a sum.
    for (const int spread : {0, 20}) {
      const Arrays a = RandomFor(s, spread);
      ExpectWithinBounds(Compute(s, a), SumsOf(s, a));
    }
  }
}

TEST_F(ConvolutionVectorsTest, IsWithinItsBoundForRandomShapes) {
  const auto from = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random_);
  };
  for (int i = 0; i < 60; ++i) {
    ConvolutionShape s;
    s.batch = from(1, 6);
    s.channels_in = from(1, 20);
    s.channels_out = from(1, 20);
    for (size_t d = 0; d < 2; ++d) {
      s.input[d] = from(1, 40);
      s.dilation[d] = from(1, 2);
      s.kernel[d] = from(1, 5);
      s.pad_begin[d] = from(0, (s.kernel[d] - 1) * s.dilation[d]);
      s.pad_end[d] = from(0, (s.kernel[d] - 1) * s.dilation[d]);
    }
    if (!ComputeOutputSize(&s)) continue;
    SCOPED_TRACE(testing::Message() << "shape " << i);
    ASSERT_TRUE(VectorConvolutionIsPossible(s));
    const Arrays a = RandomFor(s);
    ExpectWithinBounds(Compute(s, a), SumsOf(s, a));
  }
}

// A padded zero times infinity is no term.
TEST_F(ConvolutionVectorsTest, NanAndInfAreThoseOfTheFormula) {
  const ConvolutionShape s = Same(3, 4, 6, 28, 27);
  ASSERT_TRUE(Pays(s));
  const Arrays finite = RandomFor(s);
  const auto expect_like_formula = [&](const Arrays& a) {
    const Results got = ComputeByShape(s, a);
    const Sums want = SumsOf(s, a);
    int special = 0;
    const auto same_kinds = [&](const std::vector<float>& x, const std::vector<Sum>& y) {
      for (size_t i = 0; i < x.size(); ++i) {
        ASSERT_EQ(std::isnan(x[i]), std::isnan(y[i].value)) << i;
        ASSERT_EQ(std::isinf(x[i]), std::isinf(y[i].value)) << i;
        if (std::isinf(x[i])) {
          ASSERT_EQ(x[i] > 0, y[i].value > 0) << i;
        }
        special += std::isfinite(x[i]) ? 0 : 1;
      }
    };
    same_kinds(got.y, want.y);
    same_kinds(got.dx, want.dx);
    same_kinds(got.dw, want.dw);
    same_kinds(got.db, want.db);
    EXPECT_GT(special, 0);
  };
  const size_t plane = 28 * 27;
  // Corners, edges, the inside; the last pixel of all.
  for (const size_t at :
       {size_t{0}, size_t{27}, plane - 28, plane - 1, 5 * plane + 100, finite.x.size() - 1}) {
    for (const float special : {kInf, -kInf, kNan}) {
      Arrays a = finite;
      a.x[at] = special;
      expect_like_formula(a);
      a = finite;
      a.dy[at] = special;
      expect_like_formula(a);
    }
  }
  for (size_t at = 0; at < 9; ++at) {
    for (const float special : {-kInf, kNan}) {
      Arrays a = finite;
      a.w[9 * 7 + at] = special;
      expect_like_formula(a);
    }
  }
  Arrays a = finite;
  a.x[3] = kInf;
  a.x[4] = -kInf;
  a.w[2] = kInf;
  expect_like_formula(a);
}

TEST_F(ConvolutionVectorsTest, ThreadsAndOtherImagesDoNotChangeTheBits) {
  const int before = NumThreads();
  for (const ConvolutionShape& s :
       {Same(1, 8, 8, 60, 64), Same(7, 4, 12, 28, 28), Same(90, 8, 8, 7, 7)}) {
    const Arrays a = RandomFor(s);
    SetNumThreads(1);
    const Results one = Compute(s, a);
    for (const int threads : {2, 3, 5}) {
      SetNumThreads(threads);
      const Results got = Compute(s, a);
      EXPECT_EQ(got.y, one.y) << threads;
      EXPECT_EQ(got.dx, one.dx) << threads;
      EXPECT_EQ(got.dw, one.dw) << threads;
      EXPECT_EQ(got.db, one.db) << threads;
    }
    SetNumThreads(before);
    ConvolutionShape last = s;
    last.batch = 1;
    std::vector<float> x(a.x.end() - static_cast<std::ptrdiff_t>(a.x.size()) / s.batch, a.x.end()),
        w = a.w, bias = a.bias, y(a.dy.size() / static_cast<size_t>(s.batch));
    ASSERT_TRUE(VectorConvolution(ConvolutionKind::kForward, last, x.data(), w.data(), bias.data(),
                                  y.data()));
    EXPECT_TRUE(
        std::equal(y.begin(), y.end(), one.y.end() - static_cast<std::ptrdiff_t>(y.size())));
  }
}

// convolution.h takes it where it pays, in strict mode, too, and gives its bits.
TEST_F(ConvolutionVectorsTest, IsTakenWhereItPays) {
  const ConvolutionShape s = Same(6, 3, 5, 28, 28);
  ASSERT_TRUE(Pays(s));
  const Arrays a = RandomFor(s);
  const Results want = Compute(s, a);
  const auto expect_equal = [&](const Results& got) {
    EXPECT_EQ(got.y, want.y);
    EXPECT_EQ(got.dx, want.dx);
    EXPECT_EQ(got.dw, want.dw);
    EXPECT_EQ(got.db, want.db);
  };
  expect_equal(ComputeByShape(s, a));
  const StrictConvolution strict;
  expect_equal(ComputeByShape(s, a));
}

TEST_F(ConvolutionVectorsTest, PaysForFewChannelsOnly) {
  EXPECT_TRUE(Pays(Same(128, 1, 7, 28, 28)));
  EXPECT_TRUE(Pays(Same(64, 4, 4, 28, 28)));
  // Images that can stay in blocks are left there, large ones, too.
  for (const ConvolutionShape& many : {Same(32, 64, 64, 28, 28), Same(1, 16, 16, 224, 224)}) {
    for (const ConvolutionKind kind : {ConvolutionKind::kForward, ConvolutionKind::kBackwardData,
                                       ConvolutionKind::kBackwardWeights}) {
      EXPECT_FALSE(VectorConvolutionPays(kind, many));
    }
  }
}

TEST_F(ConvolutionVectorsTest, OthersAreNotItsOwn) {
  const ConvolutionShape good = Same(8, 4, 6, 14, 14);
  const auto possible = [&](auto change) {
    ConvolutionShape s = good;
    change(s);
    EXPECT_TRUE(ComputeOutputSize(&s));
    return VectorConvolutionIsPossible(s) || Pays(s);
  };
  EXPECT_TRUE(possible([](auto&) {}));
  EXPECT_FALSE(possible([](auto& s) { s.stride[1] = 2; }));
  EXPECT_FALSE(possible([](auto& s) { s.groups = 2; }));
  EXPECT_FALSE(possible([](auto& s) { s.spatial_rank = 3; }));
  EXPECT_FALSE(possible([](auto& s) { s.batch = 0; }));
  EXPECT_FALSE(possible([](auto& s) { s.pad_begin[0] = 3; }));
  EXPECT_FALSE(possible([](auto& s) { s.pad_end[1] = 3; }));
  EXPECT_FALSE(possible([](auto& s) { s.channels_in = 257; }));
  EXPECT_FALSE(possible([](auto& s) { s.channels_out = 257; }));
  EXPECT_FALSE(possible([](auto& s) { s.input[0] = 4097; }));
  EXPECT_FALSE(possible([](auto& s) { s.input[1] = s.kernel[1] = 66; }));
}

}  // namespace
}  // namespace lamina::cpu
