// Products under the scope against products of rounded factors in double. Two numbers of bfloat16
// have a product that is exact in single, so only sums are rounded.
#include "framework/ops/product_precision.h"

#include <cmath>
#include <functional>
#include <string>
#include <thread>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/cpu/convolution.h"
#include "framework/ops/attention.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// A function that is linear in both factors.
using Product = std::function<DlArray(const DlArray&, const DlArray&)>;

DlArray Random(const Sizes& sizes, uint32_t seed, std::string_view format = "") {
  return RandomInput(sizes, format, -1, 1, seed, DataType::kSingle);
}
DlArray Rounded(const DlArray& x) { return Double(RoundToBfloat16(x)); }
double Largest(const DlArray& x) { return MaxOver(Abs(Double(StripDims(x)))).At(0); }

// Sums of at most `terms` products. What has no scope around it differs by a part in 2^9 of a term.
void ExpectSums(const DlArray& came, const DlArray& exact, const DlArray& magnitudes, int terms) {
  ASSERT_EQ(came.sizes(), exact.sizes());
  ASSERT_EQ(came.type(), DataType::kSingle);
  for (int64_t i = 0; i < came.numel(); ++i) {
    EXPECT_LE(std::abs(came.At(i) - exact.At(i)), terms * 0x1p-24 * magnitudes.At(i)) << i;
  }
}

// Values and both derivatives of sum(weights * f(x, y)), all under the scope.
void ExpectRoundedFactors(const std::string& name, const Product& f, const DlArray& x,
                          const DlArray& y, int terms) {
  SCOPED_TRACE(name);
  const cpu::StrictConvolution strict;  // Winograd's sums have other terms.
  const auto both = [&f](const DlArray& a, const DlArray& b, const DlArray& weights) {
    return DlFeval(
        [&](const DlArrays& in) {
          const DlArray z = f(in[0], in[1]);
          DlArrays all = DlGradient(Sum(StripDims(weights) * StripDims(z)), in);
          all.push_back(z);
          return all;
        },
        DlArrays{a, b});
  };
  const DlArray weights = Random(f(x, y).sizes(), 9);
  DlArrays came;
  {
    const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
    came = both(x, y, weights);
  }
  const DlArrays exact = both(Rounded(x), Rounded(y), Rounded(weights)),
                 magnitudes = both(Abs(Rounded(x)), Abs(Rounded(y)), Abs(Rounded(weights))),
                 plain = both(x, y, weights);
  for (size_t k = 0; k < came.size(); ++k) {
    SCOPED_TRACE(k == 0 ? "dx" : k == 1 ? "dy" : "value");
    ExpectSums(came[k], exact[k], magnitudes[k], terms);
    EXPECT_GT(Largest(came[k] - plain[k]), 1e-3 * Largest(plain[k]));
  }
}

TEST(ProductPrecisionTest, ProductsOfMatricesAndTheirDerivatives) {
  for (const bool tx : {false, true}) {
    for (const bool ty : {false, true}) {
      ExpectRoundedFactors(
          "MatMul", [=](const DlArray& x, const DlArray& y) { return MatMul(x, y, tx, ty); },
          Random(tx ? Sizes{20, 7} : Sizes{7, 20}, 1), Random(ty ? Sizes{6, 20} : Sizes{20, 6}, 2),
          20);
    }
  }
  const Product plain = [](const DlArray& x, const DlArray& y) { return MatMul(x, y); };
  ExpectRoundedFactors("pages", plain, Random({4, 9, 3}, 3), Random({9, 5, 3}, 4), 9);
  // The derivative of x is a sum over the pages, too.
  ExpectRoundedFactors("one matrix, many pages", plain, Random({4, 9}, 3), Random({9, 5, 3}, 4),
                       15);
  ExpectRoundedFactors(
      "Contract", [](const DlArray& x, const DlArray& y) { return Contract(x, y, 'C'); },
      Random({5, 12}, 5, "SC"), Random({12, 4}, 6, "CB"), 12);
  ExpectRoundedFactors(
      "FullyConnect", [](const DlArray& x, const DlArray& w) { return FullyConnect(x, w, {}); },
      Random({8, 10}, 7, "CB"), Random({3, 8}, 8), 10);
}

TEST(ProductPrecisionTest, ConvolutionsAndTheirDerivatives) {
  ExpectRoundedFactors(
      "DlConv",
      [](const DlArray& x, const DlArray& w) {
        return DlConv(x, w, {}, {.stride = {2}, .padding = 1, .groups = 2});
      },
      Random({7, 6, 4, 2}, 1, "SSCB"), Random({3, 2, 2, 6}, 2), 36);
  ExpectRoundedFactors(
      "DlTranspConv",
      [](const DlArray& x, const DlArray& w) { return DlTranspConv(x, w, {}, {.stride = {2}}); },
      Random({3, 4, 2, 2}, 3, "SSCB"), Random({3, 2, 5, 2}, 4), 30);
}

TEST(ProductPrecisionTest, ABiasIsAddedAsItIs) {
  const float bias = 1 + 0x1p-12F;
  const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
  const DlArray zero = Random({5, 5, 1, 1}, 1, "SSCB") * 0;
  const DlArray conv = DlConv(zero, Random({2, 2, 1, 3}, 2), Full({3}, bias));
  const DlArray connected = FullyConnect(zero, Random({3, 25}, 3), Full({3}, bias));
  for (const DlArray& y : {conv, connected}) {
    for (int64_t i = 0; i < y.numel(); ++i) EXPECT_EQ(y.At(i), bias);
  }
}

TEST(ProductPrecisionTest, LstmIsMadeOfProductsAndAttentionIsNot) {
  const DlArray x = Random({4, 2, 5}, 1, "CBT");
  const auto lstm = [&] {
    const DlArray state = Random({3, 1}, 2);
    return DlArrays{
        Lstm(x, state, state, Random({12, 4}, 3), Random({12, 3}, 4), Random({12, 1}, 5)).y};
  };
  // The derivative of the derivative is one of MatMul.
  const auto attention = [&] {
    return DlFeval(
        [](const DlArray& v) {
          const DlArray y = Attention(v, v, v, 2);
          const DlArray dv = DlGradient(Sum(y * y), v, {.enable_higher_derivatives = true});
          return DlArrays{y, dv, DlGradient(Sum(dv * dv), v)};
        },
        x);
  };
  const DlArrays of_lstm = lstm(), of_attention = attention();
  const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
  EXPECT_GT(Largest(lstm()[0] - of_lstm[0]), 1e-4);
  const DlArrays again = attention();
  for (size_t k = 0; k < again.size(); ++k) EXPECT_TRUE(IsEqual(again[k], of_attention[k])) << k;
}

TEST(ProductPrecisionTest, OtherTypesStayAsTheyAre) {
  for (const DataType type : {DataType::kDouble, DataType::kComplexSingle}) {
    const DlArray x = RandomInput({4, 5}, "", -1, 1, 1, type),
                  y = RandomInput({5, 3}, "", -1, 1, 2, type);
    const DlArray expected = MatMul(x, y);
    const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
    EXPECT_TRUE(IsEqual(MatMul(x, y), expected));
  }
}

TEST(ProductPrecisionTest, ScopesNestAndBelongToTheirThread) {
  using P = ProductPrecision;
  const auto now = [] { return ScopedProductPrecision::Current(); };
  EXPECT_EQ(now(), P::kSingle);
  {
    const ScopedProductPrecision outer(P::kBfloat16);
    EXPECT_EQ(now(), P::kBfloat16);
    {
      const ScopedProductPrecision inner(P::kSingle);
      EXPECT_EQ(now(), P::kSingle);
    }
    EXPECT_EQ(now(), P::kBfloat16);
    std::thread([&] { EXPECT_EQ(now(), P::kSingle); }).join();
  }
  EXPECT_EQ(now(), P::kSingle);
}

// What is told in the header of a derivative that is taken outside.
TEST(ProductPrecisionTest, ADerivativeOutsideOfTheScopeReadsRoundedFactors) {
  const DlArray x = Random({3, 4}, 1), y = Random({4, 2}, 2), weights = Random({3, 2}, 3);
  const DlArray dx = DlFeval(
      [&](const DlArray& v) {
        DlArray z;
        {
          const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
          z = MatMul(v, y);
        }
        return DlGradient(Sum(weights * z), v);
      },
      x);
  ExpectSums(dx, MatMul(Double(weights), Rounded(y), false, true),
             MatMul(Abs(Double(weights)), Abs(Rounded(y)), false, true), 4);
}

}  // namespace
}  // namespace lamina
