#include "framework/cpu/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "framework/cpu/scalar_functions.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Sizes = std::vector<int64_t>;
using F = ScalarFunction;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

int64_t Count(const Sizes& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}

// Position of element `i` of an output in an input that is broadcast to it, the obvious way.
int64_t SourceOf(int64_t i, const Sizes& output, const Sizes& input) {
  int64_t position = 0, stride = 1;
  for (size_t d = 0; d < output.size(); ++d) {
    const int64_t index = i % output[d];
    i /= output[d];
    const int64_t size = d < input.size() ? input[d] : 1;
    if (size != 1) position += index * stride;
    stride *= size;
  }
  return position;
}

template <class T>
std::vector<T> RandomValues(int64_t n, int seed, double low = -2, double high = 2) {
  std::mt19937 random(static_cast<unsigned>(seed));
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<T> x(static_cast<size_t>(n));
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

struct Broadcast {
  Sizes output, a, b;
};
const Broadcast kBroadcasts[] = {
    {{}, {}, {}},
    {{1}, {1}, {1}},
    {{17}, {17}, {17}},
    {{17}, {17}, {1}},
    {{17}, {1}, {17}},
    {{17}, {1}, {1}},
    {{4, 5}, {4, 5}, {1, 5}},
    {{4, 5}, {4}, {4, 5}},
    {{4, 5}, {4, 1}, {1, 5}},
    {{3, 1, 4}, {3, 1, 4}, {1, 1, 4}},
    {{6, 7, 5, 3}, {6, 7, 5, 3}, {1, 1, 5}},
    {{6, 7, 5, 3}, {6, 1, 5, 1}, {1, 7, 1, 3}},
    {{0, 5}, {0, 5}, {1, 5}},
    {{5, 0}, {5, 0}, {5}},
    {{300, 7, 100}, {300, 7, 100}, {1, 7, 1}},
    {{300, 7, 100}, {300, 1, 100}, {1, 7, 1}},
    {{1, 7, 30'000}, {1, 1, 1}, {1, 7, 1}},
};

TEST(ElementwiseTest, BroadcastsAsTheObviousLoopDoes) {
  const int before = NumThreads();
  for (int threads : {1, 3}) {
    SetNumThreads(threads);
    for (const Broadcast& c : kBroadcasts) {
      const int64_t n = Count(c.output);
      const auto a = RandomValues<float>(Count(c.a), 1), b = RandomValues<float>(Count(c.b), 2);
      std::vector<float> y(static_cast<size_t>(n) + 1, 77.0f);
      ElementwiseArgs args;
      args.output = y.data();
      args.inputs[0] = a.data();
      args.inputs[1] = b.data();
      ASSERT_TRUE(CollapseBroadcast(c.output, {c.a, c.b}, &args));
      FindElementwise(F::kMinus, DataType::kSingle)(args);
      for (int64_t i = 0; i < n; ++i) {
        ASSERT_EQ(y[static_cast<size_t>(i)], a[static_cast<size_t>(SourceOf(i, c.output, c.a))] -
                                                 b[static_cast<size_t>(SourceOf(i, c.output, c.b))])
            << testing::PrintToString(c.output) << " at " << i;
      }
      EXPECT_EQ(y.back(), 77.0f);
    }
  }
  SetNumThreads(before);
}

TEST(ElementwiseTest, CollapsesWhatMovesAlike) {
  ElementwiseArgs args;
  ASSERT_TRUE(
      CollapseBroadcast(Sizes{24, 24, 20, 128}, {Sizes{24, 24, 20, 128}, Sizes{1, 1, 20}}, &args));
  EXPECT_EQ(args.rank, 3);
  EXPECT_EQ(args.sizes[0], 576);
  EXPECT_EQ(args.strides[1][0], 0);
  EXPECT_EQ(args.strides[1][1], 1);
  ASSERT_TRUE(CollapseBroadcast(Sizes{2, 3, 4, 5}, {Sizes{2, 3, 4, 5}, Sizes{2, 3, 4, 5}}, &args));
  EXPECT_EQ(args.rank, 1);
  Sizes many(80, 2), alternating(80, 2);
  for (size_t d = 0; d < many.size(); d += 2) alternating[d] = 1;
  EXPECT_FALSE(CollapseBroadcast(many, {many, alternating}, &args));
}

TEST(ElementwiseTest, TernaryTakesEveryPattern) {
  const Sizes output = {5, 6};
  for (int pattern = 0; pattern < 64; ++pattern) {
    Sizes sizes[3];
    for (int i = 0; i < 3; ++i) {
      const int p = (pattern >> (2 * i)) & 3;
      sizes[i] = {(p & 1) != 0 ? 5 : 1, (p & 2) != 0 ? 6 : 1};
    }
    std::vector<uint8_t> mask(30);
    for (size_t i = 0; i < 30; ++i) mask[i] = (i * 7) % 3 == 0;
    const auto a = RandomValues<double>(30, 1), b = RandomValues<double>(30, 2);
    std::vector<double> y(30);
    ElementwiseArgs args;
    args.output = y.data();
    args.inputs[0] = mask.data();
    args.inputs[1] = a.data();
    args.inputs[2] = b.data();
    ASSERT_TRUE(CollapseBroadcast(output, {sizes[0], sizes[1], sizes[2]}, &args));
    FindElementwise(F::kWhere, DataType::kDouble)(args);
    for (int64_t i = 0; i < 30; ++i) {
      const auto at = [&](int k) { return static_cast<size_t>(SourceOf(i, output, sizes[k])); };
      ASSERT_EQ(y[static_cast<size_t>(i)], mask[at(0)] != 0 ? a[at(1)] : b[at(2)]) << pattern;
    }
  }
}

TEST(ElementwiseTest, StridesOtherThanZeroAndOne) {
  const std::vector<float> a = {0, 1, 2, 3, 4, 5, 6, 7};
  std::vector<float> y(4);
  ElementwiseArgs args;
  args.output = y.data();
  args.inputs[0] = a.data();
  args.rank = 1;
  args.sizes[0] = 4;
  args.strides[0][0] = 2;
  FindElementwise(F::kNegate, DataType::kSingle)(args);
  EXPECT_EQ(y, (std::vector<float>{0, -2, -4, -6}));
}

TEST(ElementwiseTest, OutputMayBeAnInput) {
  auto x = RandomValues<float>(1003, 5);
  const auto before = x;
  ElementwiseArgs args;
  args.output = x.data();
  args.inputs[0] = args.inputs[1] = x.data();
  SetFlat(1003, &args);
  FindElementwise(F::kTimes, DataType::kSingle)(args);
  for (size_t i = 0; i < x.size(); ++i) EXPECT_EQ(x[i], before[i] * before[i]);
}

// The compiled loops give what the functor gives for each element (to rounding: the loops of the
// wider instruction sets use fused operations), for all lengths around the width of a vector.
template <class T>
void CompareWithFunctors(DataType type) {
  const auto a = RandomValues<T>(131, 1), b = RandomValues<T>(131, 2);
  const auto compare = [&]<class G>(G) {
    if constexpr (G::kArity <= 2 && G::kResult != ResultRule::kComplexOfReal) {
      for (int64_t n : {1, 3, 15, 16, 17, 64, 131}) {
        std::vector<T> y(131);
        std::vector<uint8_t> logical(131);
        ElementwiseArgs args;
        const bool is_logical = G::kResult == ResultRule::kLogical;
        args.output = is_logical ? static_cast<void*>(logical.data()) : y.data();
        args.inputs[0] = a.data();
        args.inputs[1] = b.data();
        SetFlat(n, &args);
        const ElementwiseFn fn = FindElementwise(G::kId, type);
        ASSERT_NE(fn, nullptr) << Describe(G::kId).name;
        fn(args);
        for (size_t i = 0; i < static_cast<size_t>(n); ++i) {
          double expected;
          if constexpr (G::kArity == 1) {
            expected = static_cast<double>(G::Value(a[i]));
          } else {
            expected = static_cast<double>(G::Value(a[i], b[i]));
          }
          const double got = is_logical ? logical[i] : static_cast<double>(y[i]);
          if (std::isnan(expected)) {
            EXPECT_TRUE(std::isnan(got)) << Describe(G::kId).name;
          } else {
            EXPECT_NEAR(got, expected, 4 * std::numeric_limits<T>::epsilon() * std::abs(expected))
                << Describe(G::kId).name << "(" << a[i] << ")";
          }
        }
      }
    }
  };
  [&]<class... G>(functors::List<G...>) { (compare(G()), ...); }(functors::All());
}

TEST(ElementwiseTest, SingleLoopsAgreeWithTheirFunctors) {
  CompareWithFunctors<float>(DataType::kSingle);
}
TEST(ElementwiseTest, DoubleLoopsAgreeWithTheirFunctors) {
  CompareWithFunctors<double>(DataType::kDouble);
}

TEST(ElementwiseTest, EveryFunctionIsListedInOrder) {
  const auto ids = []<class... G>(functors::List<G...>) {
    return std::vector<int>{static_cast<int>(G::kId)...};
  }(functors::All());
  ASSERT_EQ(ids.size(), static_cast<size_t>(kNumScalarFunctions));
  for (int i = 0; i < kNumScalarFunctions; ++i) EXPECT_EQ(ids[static_cast<size_t>(i)], i);
  EXPECT_STREQ(Describe(F::kTanh).name, "tanh");
  EXPECT_EQ(ResultType(F::kAbs, DataType::kComplexDouble), DataType::kDouble);
  EXPECT_EQ(ResultType(F::kLt, DataType::kDouble), DataType::kLogical);
  EXPECT_EQ(ResultType(F::kComplex, DataType::kSingle), DataType::kComplexSingle);
}

template <class T, class Out>
Out Binary(F f, DataType type, T a, T b) {
  Out y{};
  ElementwiseArgs args;
  args.output = &y;
  args.inputs[0] = &a;
  args.inputs[1] = &b;
  SetFlat(1, &args);
  FindElementwise(f, type)(args);
  return y;
}

TEST(ElementwiseTest, NanRules) {
  const auto single = [](F f, float a, float b) {
    return Binary<float, float>(f, DataType::kSingle, a, b);
  };
  EXPECT_EQ(single(F::kMax, kNan, 3), 3);
  EXPECT_EQ(single(F::kMax, 3, kNan), 3);
  EXPECT_EQ(single(F::kMin, kNan, 3), 3);
  EXPECT_EQ(single(F::kMin, 3, kNan), 3);
  EXPECT_TRUE(std::isnan(single(F::kMax, kNan, kNan)));
  EXPECT_TRUE(std::isnan(single(F::kRelu, kNan, 0)));
  EXPECT_EQ(single(F::kRelu, -1, 0), 0);
  EXPECT_TRUE(std::isnan(single(F::kSign, kNan, 0)));
  EXPECT_EQ(single(F::kSign, -7, 0), -1);
  EXPECT_EQ((Binary<float, uint8_t>(F::kEq, DataType::kSingle, kNan, kNan)), 0);
  EXPECT_EQ((Binary<float, uint8_t>(F::kNe, DataType::kSingle, kNan, kNan)), 1);
  EXPECT_EQ((Binary<float, uint8_t>(F::kIsNan, DataType::kSingle, kNan, 0)), 1);
  EXPECT_EQ((Binary<float, uint8_t>(F::kNot, DataType::kSingle, kNan, 0)), 0);
}

TEST(ElementwiseTest, Complex) {
  using Z = std::complex<double>;
  const Z a(1.5, -2), b(0.25, 3);
  const auto run = [&](F f) { return Binary<Z, Z>(f, DataType::kComplexDouble, a, b); };
  EXPECT_EQ(run(F::kTimes), a * b);
  EXPECT_EQ(run(F::kConj), std::conj(a));
  EXPECT_NEAR(std::abs(run(F::kTanh) - std::tanh(a)), 0, 1e-15);
  EXPECT_NEAR(std::abs(run(F::kSign) - a / 2.5), 0, 1e-15);
  EXPECT_NEAR(std::abs(run(F::kPower) - std::pow(a, b)), 0, 1e-13);
  EXPECT_EQ((Binary<Z, double>(F::kAbs, DataType::kComplexDouble, a, b)), 2.5);
  EXPECT_EQ((Binary<Z, double>(F::kImag, DataType::kComplexDouble, a, b)), -2);
  EXPECT_EQ((Binary<double, Z>(F::kComplex, DataType::kDouble, 3.0, 4.0)), Z(3, 4));
  for (F f : {F::kFloor, F::kRelu, F::kMax, F::kLt, F::kErf, F::kMod, F::kAnd}) {
    EXPECT_EQ(FindElementwise(f, DataType::kComplexSingle), nullptr) << Describe(f).name;
  }
}

TEST(ElementwiseTest, IntegersWrapAround) {
  const int32_t big = std::numeric_limits<int32_t>::max(),
                low = std::numeric_limits<int32_t>::min();
  EXPECT_EQ((Binary<int32_t, int32_t>(F::kPlus, DataType::kInt32, big, 1)), low);
  EXPECT_EQ((Binary<int32_t, int32_t>(F::kNegate, DataType::kInt32, low, 0)), low);
  EXPECT_EQ((Binary<int32_t, int32_t>(F::kMod, DataType::kInt32, low, -1)), 0);
  EXPECT_EQ((Binary<int64_t, int64_t>(F::kMod, DataType::kInt64, -7, 3)), 2);
  EXPECT_EQ((Binary<uint8_t, uint8_t>(F::kPlus, DataType::kUint8, 200, 100)), 44);
  EXPECT_EQ((Binary<int64_t, uint8_t>(F::kLt, DataType::kInt64, -7, 3)), 1);
  EXPECT_EQ((Binary<uint8_t, uint8_t>(F::kXor, DataType::kLogical, 1, 1)), 0);
  EXPECT_EQ((Binary<uint8_t, uint8_t>(F::kNot, DataType::kLogical, 1, 1)), 0);
  EXPECT_EQ(FindElementwise(F::kPlus, DataType::kLogical), nullptr);
  EXPECT_EQ(FindElementwise(F::kDivide, DataType::kInt32), nullptr);
}

}  // namespace
}  // namespace lamina::cpu
