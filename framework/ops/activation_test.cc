#include "framework/ops/activation.h"

#include <cmath>
#include <limits>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Function = DlArray (*)(const DlArray&);

struct Named {
  const char* name;
  Function f;
};

const Named kAll[] = {
    {"leakyrelu", [](const DlArray& x) { return LeakyRelu(x, 0.2); }},
    {"clippedrelu", [](const DlArray& x) { return ClippedRelu(x, 4.5); }},
    {"elu", [](const DlArray& x) { return Elu(x, 1.3); }},
    {"gelu", [](const DlArray& x) { return Gelu(x); }},
    {"gelu_tanh", [](const DlArray& x) { return Gelu(x, GeluForm::kTanh); }},
    {"softplus", Softplus},
    {"swish", Swish},
};

TEST(ActivationTest, MatchesPyTorch) {
  for (const Named& a : kAll) {
    EXPECT_TRUE(MatchesRecorded(a.name, [&](const DlArrays& in) { return a.f(in[0]); }));
  }
}

TEST(ActivationTest, FirstAndSecondDerivatives) {
  // Away from the kinks at 0 and 4.5.
  for (const Named& a : kAll) {
    for (const double low : {-3.0, 0.5, 5.0}) {
      EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return a.f(in[0]); },
                                 {RandomInput({3, 4}, "CB", low, low + 2.4)}))
          << a.name << " from " << low;
    }
  }
}

TEST(ActivationTest, LargeNumbersGiveNoNan) {
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    const DlArray x =
        Cast(DlArray::FromVector<double>({-3e38, -1e20, -1e4, 1e4, 1e20, 3e38}, {6}, "C"), type);
    for (const Named& a : kAll) {
      const auto [y, dx] = DlFeval(
          [&](const DlArray& in) {
            const DlArray out = a.f(in);
            return std::pair(out, DlGradient(Sum(out), in));
          },
          x);
      for (int64_t i = 0; i < x.numel(); ++i) {
        EXPECT_FALSE(std::isnan(y.At(i))) << a.name << " of " << x.At(i);
        EXPECT_FALSE(std::isnan(dx.At(i))) << a.name << " at " << x.At(i);
      }
    }
    EXPECT_EQ(Softplus(x).At(5), x.At(5));
    EXPECT_EQ(Softplus(x).At(0), 0);
  }
}

TEST(ActivationTest, NanStays) {
  const DlArray nan(std::numeric_limits<float>::quiet_NaN());
  for (const Named& a : kAll) EXPECT_TRUE(std::isnan(a.f(nan).Scalar())) << a.name;
}

TEST(ActivationTest, Types) {
  const DlArray integers = DlArray::FromVector<int32_t>({-2, 0, 3}, {3}, "C");
  const DlArray empty = DlArray::FromVector<double>({}, {3, 0}, "CB");
  const DlArray complex(std::complex<double>(1, 2));
  for (const Named& a : kAll) {
    EXPECT_EQ(a.f(integers).type(), DataType::kSingle) << a.name;
    EXPECT_EQ(a.f(empty).spec(), empty.spec()) << a.name;
    EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { a.f(complex); })) << a.name;
  }
  EXPECT_EQ(LeakyRelu(integers, 0.5).ToVector<float>(), (std::vector<float>{-1, 0, 3}));
  EXPECT_TRUE(Throws("ops:InvalidCeiling", [&] { ClippedRelu(integers, 0); }));
  EXPECT_TRUE(Throws("ops:InvalidCeiling", [&] { ClippedRelu(integers, std::nan("")); }));
}

}  // namespace
}  // namespace lamina
