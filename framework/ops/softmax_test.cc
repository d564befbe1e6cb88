#include "framework/ops/softmax.h"

#include <cmath>
#include <limits>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(SoftmaxTest, MatchesPyTorch) {
  EXPECT_TRUE(MatchesRecorded("softmax", [](const DlArrays& in) { return Softmax(in[0]); }));
  EXPECT_TRUE(MatchesRecorded("logsoftmax", [](const DlArrays& in) { return LogSoftmax(in[0]); }));
  EXPECT_TRUE(MatchesRecorded("softmax_places",
                              [](const DlArrays& in) { return SoftmaxOver(in[0], "S"); }));
}

TEST(SoftmaxTest, FirstAndSecondDerivatives) {
  const DlArray x = RandomInput({2, 3, 2, 2}, "SCBT", -2, 2);
  EXPECT_TRUE(GradientsAgree([](const DlArrays& in) { return Softmax(in[0]); }, {x}));
  EXPECT_TRUE(GradientsAgree([](const DlArrays& in) { return LogSoftmax(in[0]); }, {x}));
  EXPECT_TRUE(GradientsAgree([](const DlArrays& in) { return SoftmaxOver(in[0], "ST"); }, {x}));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        return LogSoftmaxOver(in[0], {0, 2});
      },
      {x}));
}

TEST(SoftmaxTest, AnyDims) {
  const DlArray x = RandomInput({2, 3, 4, 5}, "SCBT", -3, 3);
  for (const char* labels : {"S", "C", "T", "SC", "CB", "SCB", "ST", "SBT", "SCBT"}) {
    const DlArray e = Exp(x);
    const DlArray expected = e / Sum(e, labels);
    EXPECT_TRUE(Near(SoftmaxOver(x, labels), expected, 1e-14)) << labels;
    EXPECT_TRUE(Near(LogSoftmaxOver(x, labels), Log(expected), 1e-13)) << labels;
  }
  EXPECT_TRUE(IsEqual(SoftmaxOver(StripDims(x), {0, 3}), StripDims(SoftmaxOver(x, "ST"))));
  EXPECT_TRUE(Near(SoftmaxOver(x, DimSet::All()), Exp(x) / Sum(Exp(x)), 1e-15));
}

TEST(SoftmaxTest, ExtremeScores) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const DlArray x = DlArray::FromVector<double>({1000, 0, -1000, -kInf, 5, 5}, {3, 2}, "CB");
  EXPECT_TRUE(
      Near(Softmax(x), DlArray::FromVector<double>({1, 0, 0, 0, 0.5, 0.5}, {3, 2}, "CB"), 1e-15));
  const DlArray logs = LogSoftmax(x);
  EXPECT_EQ(logs.At(2), -2000);
  EXPECT_EQ(logs.At(3), -kInf);
  EXPECT_NEAR(logs.At(4), -std::log(2), 1e-15);
  const DlArray nan = DlArray::FromVector<double>({1, NAN, 2}, {3}, "C");
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(Softmax(nan).At(i)));
}

TEST(SoftmaxTest, FormatsAndTypes) {
  const DlArray x = RandomInput({3, 4}, "CB");
  EXPECT_TRUE(IsEqual(Softmax(Transpose(StripDims(x)), "BC"), Transpose(StripDims(Softmax(x)))));
  EXPECT_EQ(Softmax(Single(x)).type(), DataType::kSingle);
  EXPECT_EQ(Softmax(Cast(x * 9, DataType::kInt32)).type(), DataType::kSingle);
  EXPECT_EQ(Softmax(RandomInput({3, 0}, "CB")).sizes(), (Sizes{3, 0}));
  EXPECT_EQ(Softmax(RandomInput({0, 3}, "CB")).sizes(), (Sizes{0, 3}));
  EXPECT_TRUE(Near(Softmax(RandomInput({1, 2}, "CB")),
                   DlArray::FromVector<double>({1, 1}, {1, 2}, "CB"), 0));
}

TEST(SoftmaxTest, Errors) {
  const DlArray x = RandomInput({3, 4}, "CB");
  for (DlArray (*f)(const DlArray&, std::string_view) : {Softmax, LogSoftmax}) {
    EXPECT_TRUE(Throws("ops:FormatNeeded", [&] { f(StripDims(x), ""); }));
    EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] { f(x, "BT"); }));
    EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] { f(RandomInput({3}, "B"), ""); }));
    EXPECT_TRUE(Throws("dlarray:FormatRank", [&] { f(StripDims(x), "C"); }));
    EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { f(Cast(x, DataType::kComplexDouble), ""); }));
  }
  EXPECT_TRUE(Throws("dlarray:LabelNotFound", [&] { SoftmaxOver(x, "T"); }));
  EXPECT_TRUE(Throws("dlarray:DimOutOfRange", [&] { LogSoftmaxOver(x, 2); }));
}

}  // namespace
}  // namespace lamina
