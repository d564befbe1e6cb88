// The precision of products in accelerated functions: a trace for each, with what belongs to it.
#include "framework/ops/product_precision.h"

#include <cmath>
#include <optional>
#include <string>

#include "framework/acceleration/repeated_call.h"
#include "framework/acceleration/testing/accelerated_call.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/convolution.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/bfloat16_numbers.h"

namespace lamina {
namespace {

using testing::Contains;
using testing::Data;
using testing::kWait;

constexpr auto kSingle = ProductPrecision::kSingle, kBfloat16 = ProductPrecision::kBfloat16;
// Sums of some ten terms in another order; what the precision changes is a hundred times as much.
constexpr double kRounding = 1e-6;

DlArray OfSingle(uint64_t seed, const Sizes& sizes, std::string_view format = "") {
  return Data(seed, sizes, format, DataType::kSingle);
}

// The largest difference, in parts of the largest expected value.
double Apart(const DlArray& came, const DlArray& expected) {
  const auto largest = [](const DlArray& x) {
    return MaxOver(Abs(StripDims(x)), DimSet::All()).At(0);
  };
  return largest(came - expected) / largest(expected);
}

// Its factors, and those of its derivatives, have the same bits op by op: none is rounded to
// another number of bfloat16 since kernels add in another order.
DlArray Function(const DlArray& x, const DlArray& w) {
  const DlArray filters = Reshape(w, {3, 3, 1, 4});
  const DlArray image = DlConv(x, filters, {}, {.padding = 1});
  const DlArray features = FullyConnect(x, Reshape(w, {1, 36}), {});
  return 0.3 * image + 0.1 * features;
}
const DlArrays& Inputs() {
  static const auto* const kInputs =
      new DlArrays{OfSingle(1, {6, 6, 1, 2}, "SSCB"), OfSingle(2, {36})};
  return *kInputs;
}

// The value, and the derivatives of its sum, taken under `of_derivatives` if that is set.
template <class F>
DlArrays All(const F& f, ProductPrecision precision,
             std::optional<ProductPrecision> of_derivatives = {}) {
  return DlFeval(
      [&](const DlArrays& in) {
        std::optional<ScopedProductPrecision> scope(precision);
        const DlArray y = f(in[0], in[1]);
        if (of_derivatives.has_value()) {
          scope.reset();
          scope.emplace(*of_derivatives);
        }
        DlArrays all = DlGradient(Sum(y), in);
        all.push_back(y);
        return all;
      },
      Inputs());
}

TEST(ProductPrecisionTest, KernelsRoundToTheNearest) {
  const DlArray x = NumbersAroundBfloat16();
  const auto f = DlAccelerate([](const DlArray& v) { return RoundToBfloat16(v); }, kWait);
  for (int call = 0; call < 3; ++call) EXPECT_TRUE(IsNearestBfloat16(x, f(x)));
  EXPECT_TRUE(Contains(f.Report(), "1 kernel and 0 calls of ops")) << f.Report();
}

TEST(ProductPrecisionTest, EachHasATraceOfItsOwn) {
  const auto f = DlAccelerate(Function, kWait);
  const DlArrays single = All(Function, kSingle), bfloat16 = All(Function, kBfloat16);
  for (size_t k = 0; k < single.size(); ++k) {
    EXPECT_GT(Apart(single[k], bfloat16[k]), 100 * kRounding) << k;
  }
  for (int call = 0; call < 4; ++call) {
    for (const auto precision : {kSingle, kBfloat16}) {
      const DlArrays came = All(f, precision), &expected = precision == kSingle ? single : bfloat16;
      for (size_t k = 0; k < came.size(); ++k) {
        EXPECT_LE(Apart(came[k], expected[k]), kRounding) << call << ", " << k;
      }
    }
  }
  EXPECT_EQ(f.NumTraces(), 2);
  EXPECT_TRUE(Contains(f.Report(),
                       "products of bfloat16\n   traced because of products of "
                       "bfloat16 instead of single; 4 calls"))
      << f.Report();
}

TEST(ProductPrecisionTest, DerivativesHaveThePrecisionOfTheCall) {
  const auto f = DlAccelerate(Function, kWait);
  for (const auto precision : {kSingle, kBfloat16}) {
    const auto other = precision == kSingle ? kBfloat16 : kSingle;
    const DlArrays expected = All(Function, precision);
    for (int call = 0; call < 3; ++call) {
      const DlArrays came = All(f, precision, other);
      for (size_t k = 0; k < came.size(); ++k) {
        EXPECT_LE(Apart(came[k], expected[k]), kRounding) << call << ", " << k;
      }
    }
  }
  // Other derivatives than those of the recording are recorded likewise.
  for (const auto precision : {kSingle, kBfloat16}) {
    const auto of_x = [precision](const auto& function) {
      return DlFeval(
          [&](const DlArrays& in) {
            std::optional<ScopedProductPrecision> scope(precision);
            const DlArray y = function(in[0], in[1]);
            scope.reset();
            return DlGradient(Sum(y), in[0]);
          },
          Inputs());
    };
    DlArray expected;
    {
      const ScopedProductPrecision scope(precision);
      expected = of_x(Function);
    }
    for (int call = 0; call < 3; ++call) EXPECT_LE(Apart(of_x(f), expected), kRounding) << call;
  }
  const std::string report = f.Report();
  size_t recorded = 0;
  for (size_t at = 0; (at = report.find("backward: ", at)) != std::string::npos; ++at) ++recorded;
  EXPECT_EQ(recorded, 4u) << report;
  // So are those that are to be differentiated again.
  const auto second = [](const auto& function, ProductPrecision of_derivatives) {
    return DlFeval(
        [&](const DlArray& x) {
          std::optional<ScopedProductPrecision> scope(kBfloat16);
          const DlArray y = function(x, Inputs()[1]);
          scope.reset();
          scope.emplace(of_derivatives);
          return DlGradient(Sum(y), x, {.enable_higher_derivatives = true});
        },
        Inputs()[0]);
  };
  for (int call = 0; call < 3; ++call) {
    EXPECT_LE(Apart(second(f, kSingle), second(Function, kBfloat16)), kRounding) << call;
  }
}

TEST(ProductPrecisionTest, CallsAreCountedForEach) {
  ASSERT_EQ(setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1), 0);
  RepeatedCall call([](Arrays x) { return DlArrays{MatMul(x[0], x[1])}; }, "");
  const DlArrays in{OfSingle(3, {5, 5}), OfSingle(4, {5, 5})};
  call(in, 1);
  call(in, 1);  // The second of its kind is recorded.
  {
    const ScopedProductPrecision scope(kBfloat16);
    EXPECT_TRUE(IsEqual(call(in, 1)[0], MatMul(in[0], in[1])));
  }
  EXPECT_TRUE(Contains(call.Report(), "2 of 3 calls ran op by op")) << call.Report();
}

}  // namespace
}  // namespace lamina
