// Attention and its gradient against their formulas in long double, one number at a time.
#include "framework/cpu/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Long = long double;
using Longs = std::vector<Long>;

template <class T>
constexpr DataType kType = sizeof(T) == 4 ? DataType::kSingle : DataType::kDouble;
template <class T>
constexpr double kUnit = std::numeric_limits<T>::epsilon() / 2;

std::string Text(const AttentionShape& s) {
  return "heads " + std::to_string(s.heads) + " batch " + std::to_string(s.batch) + " queries " +
         std::to_string(s.queries) + " keys " + std::to_string(s.keys) + " depth " +
         std::to_string(s.depth) + " value_depth " + std::to_string(s.value_depth) +
         (s.causal ? " causal" : "");
}

std::vector<AttentionShape> Shapes() {
  std::vector<AttentionShape> shapes;
  const auto add = [&](AttentionShape s) {
    for (const bool causal : {false, true}) {
      s.causal = causal;
      shapes.push_back(s);
    }
  };
  add({1, 1, 1, 1, 1, 1, 0.5});
  add({2, 3, 5, 4, 3, 2, 0.7});
  add({1, 2, 4, 5, 16, 8, 0.25});
  add({3, 1, 64, 64, 32, 32, 0.2});
  add({2, 2, 65, 67, 33, 17, 0.2});
  add({1, 1, 200, 3, 20, 40, 0.2});
  add({1, 1, 3, 300, 64, 5, 0.1});
  add({2, 1, 130, 129, 7, 9, 1.0});
  add({1, 2, 0, 3, 2, 2, 1.0});
  return shapes;
}

template <class T>
std::vector<T> RandomValues(int64_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> x(static_cast<size_t>(n));
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

// Inputs, and memory for all results.
template <class T>
struct Data {
  std::vector<T> q, k, v, dy, y, greatest, inverse_sum, dq, dk, dv;

  explicit Data(const AttentionShape& s)
      : q(RandomValues<T>(s.depth * s.heads * s.batch * s.queries, 1)),
        k(RandomValues<T>(s.depth * s.heads * s.batch * s.keys, 2)),
        v(RandomValues<T>(s.value_depth * s.heads * s.batch * s.keys, 3)),
        dy(RandomValues<T>(s.value_depth * s.heads * s.batch * s.queries, 4)),
        y(dy.size()),
        greatest(static_cast<size_t>(s.queries * s.heads * s.batch)),
        inverse_sum(greatest.size()),
        dq(q.size()),
        dk(k.size()),
        dv(v.size()) {}

  void Run(const AttentionShape& s) {
    Attention(kType<T>, s, q.data(), k.data(), v.data(), y.data(), greatest.data(),
              inverse_sum.data());
    AttentionBackward(kType<T>, s, q.data(), k.data(), v.data(), y.data(), greatest.data(),
                      inverse_sum.data(), dy.data(), dq.data(), dk.data(), dv.data());
  }
};

// The formulas, for the given inputs.
struct Expected {
  Longs y, dq, dk, dv;

  template <class T>
  Expected(const AttentionShape& s, const Data<T>& d)
      : y(d.y.size()), dq(d.q.size()), dk(d.k.size()), dv(d.v.size()) {
    const auto at = [&s](int64_t depth, int64_t page, int64_t c, int64_t t) {
      return static_cast<size_t>(depth * (page + s.heads * s.batch * t) + c);
    };
    for (int64_t page = 0; page < s.heads * s.batch; ++page) {
      for (int64_t t = 0; t < s.queries; ++t) {
        const int64_t seen = s.causal ? std::min(s.keys, t + 1) : s.keys;
        Longs a(static_cast<size_t>(seen)), da(a.size());
        Long sum = 0, mean = 0;
        for (size_t r = 0; r < a.size(); ++r) {
          Long score = 0;
          for (int64_t c = 0; c < s.depth; ++c) {
            score += Long(d.q[at(s.depth, page, c, t)]) * d.k[at(s.depth, page, c, int64_t(r))];
          }
          sum += a[r] = std::exp(s.scale * score);
        }
        for (size_t r = 0; r < a.size(); ++r) {
          a[r] /= sum;
          for (int64_t c = 0; c < s.value_depth; ++c) {
            const size_t value = at(s.value_depth, page, c, int64_t(r));
            const size_t out = at(s.value_depth, page, c, t);
            y[out] += a[r] * d.v[value];
            dv[value] += a[r] * d.dy[out];
            da[r] += Long(d.v[value]) * d.dy[out];
          }
          mean += a[r] * da[r];
        }
        for (size_t r = 0; r < a.size(); ++r) {
          const Long ds = s.scale * a[r] * (da[r] - mean);
          for (int64_t c = 0; c < s.depth; ++c) {
            const size_t query = at(s.depth, page, c, t), key = at(s.depth, page, c, int64_t(r));
            dq[query] += ds * d.k[key];
            dk[key] += ds * d.q[query];
          }
        }
      }
    }
  }
};

template <class T>
void ExpectNear(const std::vector<T>& x, const Longs& expected, double bound, const char* what) {
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_LE(std::abs(x[i] - expected[i]), bound * kUnit<T>) << what << "[" << i << "]";
  }
}

template <class T>
class AttentionTest : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(AttentionTest, Types);

// |q|, |k|, |v|, |dy| <= 1. A score is off by (depth + 2) u scale depth at most, a probability by
// twice that and by what is lost in exp and in the sum, y by the sum of these, relative to the
// probabilities, which add up to 1.
TYPED_TEST(AttentionTest, FollowsTheFormulas) {
  for (const AttentionShape& s : Shapes()) {
    SCOPED_TRACE(Text(s));
    Data<TypeParam> d(s);
    d.Run(s);
    const Expected expected(s, d);
    const double depth = static_cast<double>(s.depth), values = static_cast<double>(s.value_depth),
                 keys = static_cast<double>(s.keys), queries = static_cast<double>(s.queries);
    const double probability = 2 * (depth + 2) * s.scale * depth + keys + 8;
    const double score = 2 * values * (2 * probability + values + 4);
    ExpectNear(d.y, expected.y, probability + keys + 2, "y");
    ExpectNear(d.dv, expected.dv, queries * (probability + queries + 2), "dv");
    ExpectNear(d.dq, expected.dq, s.scale * (score + 2 * values * (keys + 2)), "dq");
    ExpectNear(d.dk, expected.dk, s.scale * queries * (score + 2 * values * (queries + 2)), "dk");
  }
}

TYPED_TEST(AttentionTest, ThreadsDoNotChangeTheResult) {
  const AttentionShape s{4, 4, 100, 90, 32, 32, 0.2};
  const int before = NumThreads();
  Data<TypeParam> one(s), two(s);
  SetNumThreads(1);
  one.Run(s);
  SetNumThreads(2);
  two.Run(s);
  SetNumThreads(before);
  EXPECT_EQ(one.y, two.y);
  EXPECT_EQ(one.dq, two.dq);
  EXPECT_EQ(one.dk, two.dk);
  EXPECT_EQ(one.dv, two.dv);
}

// Scores far apart: the greatest grows while keys are gone through.
TYPED_TEST(AttentionTest, ScoresOfAnySize) {
  const AttentionShape s{1, 1, 70, 150, 1, 1, 1.0};
  Data<TypeParam> d(s);
  for (size_t i = 0; i < d.q.size(); ++i) d.q[i] = i % 2 == 0 ? 100 : -100;
  for (size_t i = 0; i < d.k.size(); ++i) d.k[i] = static_cast<TypeParam>(i);
  d.Run(s);
  for (size_t t = 0; t < d.y.size(); ++t) {
    EXPECT_EQ(d.y[t], t % 2 == 0 ? d.v.back() : d.v.front()) << t;
    EXPECT_EQ(d.greatest[t], t % 2 == 0 ? 14900 : 0) << t;
    EXPECT_LT(std::abs(d.dq[t]), 1e-40) << t;  // the next probability is exp(-100)
  }
}

// A score of -inf is a probability of 0; +inf and NaN, and -inf only, give NaN, in their query.
TYPED_TEST(AttentionTest, InfinityAndNaN) {
  const double inf = std::numeric_limits<double>::infinity();
  const AttentionShape s{1, 1, 70, 150, 1, 1, 1.0};
  for (const double score : {-inf, inf, std::numeric_limits<double>::quiet_NaN()}) {
    for (const size_t key : {size_t{0}, size_t{149}}) {
      SCOPED_TRACE(std::to_string(score) + " at " + std::to_string(key));
      Data<TypeParam> d(s);
      for (auto& q : d.q) q = 1;
      d.k[key] = static_cast<TypeParam>(score);
      d.v[key] = 1000;
      d.Run(s);
      for (const TypeParam y : d.y) EXPECT_EQ(std::isnan(y), score != -inf);
      if (score == -inf) {
        for (const TypeParam y : d.y) EXPECT_LE(std::abs(y), 1);
      }
    }
  }
  Data<TypeParam> d(s);
  for (auto& q : d.q) q = 1;
  for (auto& k : d.k) k = static_cast<TypeParam>(-inf);
  d.q[3] = 0;  // 0 * inf
  d.Run(s);
  for (const TypeParam y : d.y) EXPECT_TRUE(std::isnan(y));
}

// Keys that a query does not see, and their values, do not touch it.
TYPED_TEST(AttentionTest, CausalIgnoresLaterKeys) {
  const AttentionShape s{1, 1, 100, 100, 2, 2, 1.0, true};
  Data<TypeParam> d(s), changed(s);
  for (size_t i = 2 * 50; i < d.k.size(); ++i) changed.k[i] = changed.v[i] = 1000;
  d.Run(s);
  changed.Run(s);
  for (size_t i = 0; i < 2 * 50; ++i) {
    EXPECT_EQ(d.y[i], changed.y[i]) << i;
    EXPECT_EQ(d.dq[i], changed.dq[i]) << i;
  }
  for (size_t i = 2 * 50; i < d.y.size(); ++i) EXPECT_NE(d.y[i], changed.y[i]) << i;
}

}  // namespace
}  // namespace lamina::cpu
