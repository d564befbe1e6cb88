// Attention against its formulas, written out for one number at a time.
#include "framework/ops/attention.h"

#include <cmath>
#include <vector>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Two heads, of depth 3 in queries and keys and 2 in values; two observations.
constexpr int64_t kHeads = 2, kDepth = 3, kValueDepth = 2, kBatch = 2, kQueries = 5, kKeys = 4;

DlArrays Inputs() {
  return {RandomInput({kHeads * kDepth, kBatch, kQueries}, "CBT", -2, 2, 1),
          RandomInput({kHeads * kDepth, kBatch, kKeys}, "CBT", -2, 2, 2),
          RandomInput({kHeads * kValueDepth, kBatch, kKeys}, "CBT", -2, 2, 3)};
}

DlArray Formula(const DlArrays& in, double scale, bool causal) {
  std::vector<double> y(kHeads * kValueDepth * kBatch * kQueries);
  const auto at = [](const DlArray& x, int64_t c, int64_t b, int64_t t) {
    return x.At(c + x.size(0) * (b + kBatch * t));
  };
  for (int64_t h = 0; h < kHeads; ++h) {
    for (int64_t b = 0; b < kBatch; ++b) {
      for (int64_t t = 0; t < kQueries; ++t) {
        double sum = 0;
        std::vector<double> weighted(kValueDepth);
        for (int64_t s = 0; s < kKeys && (!causal || s <= t); ++s) {
          double product = 0;
          for (int64_t d = 0; d < kDepth; ++d) {
            product += at(in[0], h * kDepth + d, b, t) * at(in[1], h * kDepth + d, b, s);
          }
          const double a = std::exp(scale * product);
          sum += a;
          for (int64_t d = 0; d < kValueDepth; ++d) {
            weighted[d] += a * at(in[2], h * kValueDepth + d, b, s);
          }
        }
        for (int64_t d = 0; d < kValueDepth; ++d) {
          y[h * kValueDepth + d + kHeads * kValueDepth * (b + kBatch * t)] = weighted[d] / sum;
        }
      }
    }
  }
  return DlArray::FromVector<double>(y, {kHeads * kValueDepth, kBatch, kQueries}, "CBT");
}

DlArray Attend(const DlArrays& in, const AttentionOptions& options = {}) {
  return Attention(in[0], in[1], in[2], kHeads, options);
}

TEST(AttentionTest, FollowsTheFormulas) {
  const DlArrays in = Inputs();
  EXPECT_TRUE(Near(Attend(in), Formula(in, 1 / std::sqrt(3.0), false), 1e-14));
  EXPECT_TRUE(Near(Attend(in, {.scale = 0.25}), Formula(in, 0.25, false), 1e-14));
  EXPECT_TRUE(Near(Attend(in, {.scale = 0.25, .causal = true}), Formula(in, 0.25, true), 1e-14));
}

TEST(AttentionTest, MatchesPyTorch) {
  EXPECT_TRUE(MatchesRecorded(
      "attention", [](const DlArrays& in) { return Attention(in[0], in[1], in[2], 2); }));
  EXPECT_TRUE(MatchesRecorded("attention_causal", [](const DlArrays& in) {
    return Attention(in[0], in[1], in[2], 3, {.scale = 1.5, .causal = true});
  }));
}

TEST(AttentionTest, FirstAndSecondDerivatives) {
  EXPECT_TRUE(GradientsAgree([](const DlArrays& in) { return Attend(in); }, Inputs()));
  EXPECT_TRUE(
      GradientsAgree([](const DlArrays& in) { return Attend(in, {.causal = true}); }, Inputs()));
}

TEST(AttentionTest, Formats) {
  const DlArrays in = Inputs();
  const DlArray y = Attend(in);
  DlArrays plain;
  for (const DlArray& x : in) plain.push_back(Permute(StripDims(x), {1, 2, 0}));
  EXPECT_TRUE(Near(Attend(plain, {.format = "BTC"}), Permute(StripDims(y), {1, 2, 0}), 1e-14));

  // One query, one observation.
  const DlArray query = RandomInput({6}, "C"), keys = RandomInput({6, 4}, "CT"),
                values = RandomInput({4, 4}, "CT");
  EXPECT_EQ(Attention(query, keys, values, 2).spec(), (ArraySpec{DataType::kDouble, {4}, "C"}));
  EXPECT_EQ(Attention(Single(query), Single(keys), values, 2).type(), DataType::kSingle);
}

TEST(AttentionTest, Refuses) {
  const DlArrays in = Inputs();
  EXPECT_TRUE(Throws("ops:FormatNeeded", [&] { Attend({StripDims(in[0]), in[1], in[2]}); }));
  EXPECT_TRUE(Throws("ops:InvalidHeads", [&] { Attention(in[0], in[1], in[2], 4); }));
  EXPECT_TRUE(Throws("ops:InvalidHeads", [&] { Attention(in[0], in[1], in[2], 0); }));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { Attend({in[0], in[2], in[2]}); }));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { Attend({in[0], in[1], in[0]}); }));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] {
    Attend({DlArray(in[0], "SBT"), in[1], in[2]});
  }));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] {
    Attend({DlArray(in[0], "CUT"), in[1], in[2]});
  }));
  EXPECT_TRUE(Throws("ops:EmptySequence", [&] {
    Attend({in[0], RandomInput({6, 2, 0}, "CBT"), RandomInput({4, 2, 0}, "CBT")});
  }));
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] {
    Attend({Complex(in[0], in[0]), in[1], in[2]});
  }));
}

}  // namespace
}  // namespace lamina
