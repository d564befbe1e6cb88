#include "framework/ops/loss.h"

#include <cmath>
#include <limits>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Loss = DlArray (*)(const DlArray&, const DlArray&, const LossOptions&);
struct Named {
  const char* name;
  Loss loss;
};
const Named kAll[] = {
    {"CrossEntropy", CrossEntropy},
    {"BinaryCrossEntropy", BinaryCrossEntropy},
    {"Mse", Mse},
    {"L1Loss", L1Loss},
    {"L2Loss", L2Loss},
    {"Huber",
     [](const DlArray& y, const DlArray& t, const LossOptions& o) { return Huber(y, t, 0.2, o); }},
};

std::function<DlArray(const DlArrays&)> Of(Loss loss) {
  return [loss](const DlArrays& in) { return loss(in[0], in[1], {}); };
}

// The softmax of labelled scores, written out.
DlArray Probabilities(const DlArray& scores) { return Exp(scores) / Sum(Exp(scores), 'C'); }

TEST(LossTest, MatchesPyTorch) {
  EXPECT_TRUE(MatchesRecorded("crossentropy_soft", Of(CrossEntropy)));
  EXPECT_TRUE(MatchesRecorded("crossentropy_of_softmax", [](const DlArrays& in) {
    return CrossEntropy(Probabilities(in[0]), in[1]);
  }));
  EXPECT_TRUE(MatchesRecorded("indexcrossentropy",
                              [](const DlArrays& in) { return IndexCrossEntropy(in[0], in[1]); }));
  EXPECT_TRUE(MatchesRecorded("binarycrossentropy", Of(BinaryCrossEntropy)));
  EXPECT_TRUE(MatchesRecorded("mse", Of(Mse)));
  EXPECT_TRUE(MatchesRecorded("l1", Of(L1Loss)));
  EXPECT_TRUE(MatchesRecorded("l2", Of(L2Loss)));
  EXPECT_TRUE(
      MatchesRecorded("huber", [](const DlArrays& in) { return Huber(in[0], in[1], 0.7); }));
}

TEST(LossTest, FirstAndSecondDerivatives) {
  // Differences of 0.25 to 0.6: away from the kinks of L1Loss at 0 and of Huber at 0.2.
  for (const Named& n : kAll) {
    EXPECT_TRUE(GradientsAgree(Of(n.loss), {RandomInput({4, 3, 2}, "CBT", 0.4, 0.7),
                                            RandomInput({4, 3, 2}, "CBT", 0.1, 0.15, 2)}))
        << n.name;
  }
  EXPECT_TRUE(GradientsAgree([](const DlArrays& in) { return Huber(in[0], in[1], 2); },
                             {RandomInput({4, 3}, "CB"), RandomInput({4, 3}, "CB", -1, 1, 2)}));
  LossOptions options;
  EXPECT_TRUE(GradientsAgree(
      [&](const DlArrays& in) {
        options.weights = in[2];
        return CrossEntropy(in[0], in[1], options);
      },
      {RandomInput({4, 3}, "CB", 0.1, 0.9), RandomInput({4, 3}, "CB", 0, 1, 2),
       RandomInput({4}, "", 0, 1, 3)}));
}

TEST(LossTest, ComplexDifferences) {
  // The second input lies away from the first: L1Loss has a kink where they meet.
  const auto complex = [](uint64_t seed) {
    const double low = seed == 1 ? 1 : -1;
    return RandomInput({3, 2}, "CB", low, low + 1, seed, DataType::kComplexDouble);
  };
  for (const Loss loss : {Loss(Mse), Loss(L1Loss), Loss(L2Loss)}) {
    EXPECT_TRUE(GradientsAgree(Of(loss), {complex(1), complex(2)}));
  }
  const DlArray y(std::complex<double>(3, 4)), t(0.0);
  const LossOptions any{.format = "C"};
  EXPECT_EQ(Mse(Reshape(y, {1}), t, any).Scalar(), 12.5);
  EXPECT_EQ(L1Loss(Reshape(y, {1}), t, any).Scalar(), 5);
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { CrossEntropy(complex(1), complex(2)); }));
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { BinaryCrossEntropy(complex(1), complex(2)); }));
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { Huber(complex(1), complex(2)); }));
}

TEST(LossTest, Normalizations) {
  // Every difference is 2: the sum of squares of 3 x 4 x 5 elements is 240.
  const DlArray t = RandomInput({3, 4, 5}, "CBT"), y = t + 2;
  const auto value = [&](LossNormalization n) {
    return L2Loss(y, t, {.normalization = n}).Scalar();
  };
  EXPECT_NEAR(value(LossNormalization::kObservations), 240.0 / 20, 1e-12);
  EXPECT_NEAR(value(LossNormalization::kBatchSize), 240.0 / 4, 1e-12);
  EXPECT_NEAR(value(LossNormalization::kAllElements), 4, 1e-12);
  EXPECT_NEAR(value(LossNormalization::kMaskIncluded), 4, 1e-12);
  EXPECT_NEAR(value(LossNormalization::kNone), 240, 1e-12);
  EXPECT_EQ(L2Loss(y, t).rank(), 0);

  const DlArray each = L2Loss(y, t, {.reduce = false});
  EXPECT_EQ(each.spec(), y.spec());
  EXPECT_NEAR(each.At(7), 4, 1e-12);
}

TEST(LossTest, Masks) {
  const DlArray y = DlArray::FromVector<double>({1, 2, 3, NAN, 5, 6}, {2, 3}, "CB"),
                t = DlArray::FromVector<double>({0, 0, 0, 0, 0, 0}, {2, 3}, "CB");
  LossOptions options{.normalization = LossNormalization::kNone};
  // By observation: the second one, with the NaN, is left out.
  options.mask = DlArray::FromVector<double>({1, 0, 1}, {1, 3}, "CB");
  EXPECT_EQ(L2Loss(y, t, options).Scalar(), 1 + 4 + 25 + 36);
  options.normalization = LossNormalization::kMaskIncluded;
  EXPECT_NEAR(L2Loss(y, t, options).Scalar(), 66.0 / 4, 1e-12);
  options.mask = DlArray::FromVector<double>({1, 0, 1}, {3}, "B");
  EXPECT_NEAR(L2Loss(y, t, options).Scalar(), 66.0 / 4, 1e-12);
  // By element, unlabelled.
  options.mask = DlArray::FromVector<uint8_t>({1, 0, 1, 0, 1, 0}, {2, 3});
  EXPECT_NEAR(L2Loss(y, t, options).Scalar(), 35.0 / 3, 1e-12);
  options.mask = DlArray::FromVector<uint8_t>({0}, {1});
  EXPECT_EQ(L2Loss(y, t, options).Scalar(), 0);
  options.mask = DlArray::FromVector<double>({1, 0}, {2}, "B");
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { L2Loss(y, t, options); }));
  options.mask = DlArray::FromVector<double>({1, 0}, {2}, "T");
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] { L2Loss(y, t, options); }));
}

TEST(LossTest, Weights) {
  const DlArray t = RandomInput({2, 3}, "CB"), y = t + 1;
  LossOptions options{.normalization = LossNormalization::kNone};
  options.weights = DlArray::FromVector<double>({2, 5}, {2});
  EXPECT_NEAR(L2Loss(y, t, options).Scalar(), 3 * 7, 1e-12);
  options.weights = DlArray::FromVector<double>({2, 5, 1}, {3}, "B");
  EXPECT_NEAR(L2Loss(y, t, options).Scalar(), 2 * 8, 1e-12);
  options.weights = DlArray::FromVector<double>({2, 5, 1}, {3});
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { L2Loss(y, t, options); }));
}

TEST(LossTest, PredictionsOfZeroAndOne) {
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    const DlArray y = Cast(DlArray::FromVector<double>({0, 1, 1, 0}, {2, 2}, "CB"), type);
    const DlArray t = Cast(DlArray::FromVector<double>({0, 1, 0, 1}, {2, 2}, "CB"), type);
    const double worst = type == DataType::kSingle ? -std::log(1.17549435e-38) : 708.396418532264;
    const auto check = [&](Loss loss, double expected) {
      const auto [value, dy] = DlFeval(
          [&](const DlArray& in) {
            const DlArray l = loss(in, t, {});
            return std::pair(l, DlGradient(l, in));
          },
          y);
      EXPECT_NEAR(value.Scalar(), expected, 1e-4);
      for (int64_t i = 0; i < 4; ++i) EXPECT_TRUE(std::isfinite(dy.At(i))) << i;
    };
    // The first observation is right, the second wrong altogether.
    check(CrossEntropy, worst / 2);
    check(BinaryCrossEntropy, 2 * worst / 2);
  }
  // Small probabilities keep their digits, and NaN is not hidden.
  const DlArray small = DlArray::FromVector<double>({1e-12}, {1}, "C");
  EXPECT_NEAR(BinaryCrossEntropy(small, small * 0).Scalar(), 1e-12, 1e-24);
  const DlArray nan = small * NAN;
  EXPECT_TRUE(std::isnan(CrossEntropy(nan, small * 0).Scalar()));
  EXPECT_TRUE(std::isnan(BinaryCrossEntropy(nan, small * 0).Scalar()));
}

TEST(LossTest, IndicesAreOneHotTargets) {
  const DlArray y = Probabilities(RandomInput({2, 3, 2, 2}, "SCBT"));
  const std::vector<int64_t> classes = {0, 2, 1, 1, 2, 0, 0, 1};
  const DlArray labelled = DlArray::FromVector<int64_t>(classes, {2, 2, 2}, "SBT");
  const DlArray hot = OneHot(labelled, 3, DataType::kDouble);
  EXPECT_EQ(hot.spec(), y.spec());
  const double expected = CrossEntropy(y, hot).Scalar();
  EXPECT_NEAR(IndexCrossEntropy(y, labelled).Scalar(), expected, 1e-14);
  EXPECT_NEAR(IndexCrossEntropy(y, StripDims(labelled)).Scalar(), expected, 1e-14);
  const DlArray with_c = DlArray::FromVector<int64_t>(classes, {2, 1, 2, 2}, "SCBT");
  EXPECT_NEAR(IndexCrossEntropy(y, Cast(with_c, DataType::kUint8)).Scalar(), expected, 1e-14);
  // What the mask leaves out may be no class at all.
  std::vector<int64_t> padded = classes;
  padded[6] = padded[7] = -1;
  LossOptions options;
  options.mask = DlArray::FromVector<uint8_t>({1, 1, 1, 1, 1, 1, 0, 0}, {2, 2, 2}, "SBT");
  EXPECT_NEAR(IndexCrossEntropy(y, DlArray::FromVector<int64_t>(padded, {2, 2, 2}, "SBT"), options)
                  .Scalar(),
              CrossEntropy(y, hot, options).Scalar(), 1e-14);
}

TEST(LossTest, IndexErrors) {
  const DlArray y = Probabilities(RandomInput({3, 2}, "CB"));
  const auto indices = [](std::vector<int64_t> v, const Sizes& sizes, std::string_view format) {
    return DlArray::FromVector<int64_t>(v, sizes, format);
  };
  EXPECT_TRUE(Throws("dlarray:IndexOutOfRange", [&] {
    IndexCrossEntropy(y, indices({0, 3}, {2}, "B"));
  }));
  EXPECT_TRUE(Throws("dlarray:IndexOutOfRange", [&] {
    IndexCrossEntropy(y, indices({0, -1}, {2}, "B"));
  }));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] {
    IndexCrossEntropy(y, indices({0, 1, 2}, {3}, "B"));
  }));
  EXPECT_TRUE(
      Throws("dlarray:SizeMismatch", [&] { IndexCrossEntropy(y, indices({0}, {1}, "B")); }));
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { IndexCrossEntropy(y, RandomInput({2}, "B")); }));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] {
    IndexCrossEntropy(RandomInput({2}, "B"), indices({0, 1}, {2}, "B"));
  }));
}

TEST(LossTest, Formats) {
  const DlArray y = RandomInput({4, 3}, "CB", 0.1, 0.9), t = RandomInput({4, 3}, "CB", 0, 1, 2);
  for (const Named& n : kAll) {
    const double expected = n.loss(y, t, {}).Scalar();
    EXPECT_NEAR(n.loss(y, StripDims(t), {}).Scalar(), expected, 1e-14) << n.name;
    // Unlabelled, transposed, with a format: the targets likewise.
    const DlArray plain =
        n.loss(Transpose(StripDims(y)), Transpose(StripDims(t)), {.format = "BC"});
    EXPECT_NEAR(plain.Scalar(), expected, 1e-14) << n.name;
    const DlArray each = n.loss(Transpose(StripDims(y)), t, {.reduce = false, .format = "BC"});
    EXPECT_EQ(each.sizes(), (Sizes{3, 4})) << n.name;
    EXPECT_TRUE(each.format().empty()) << n.name;
  }
}

TEST(LossTest, Errors) {
  const DlArray y = RandomInput({4, 3}, "CB", 0.1, 0.9);
  for (const Named& n : kAll) {
    const auto with = [&](const DlArray& t) { return [&n, y, t] { n.loss(y, t, {}); }; };
    EXPECT_TRUE(Throws("ops:FormatNeeded", [&] { n.loss(StripDims(y), StripDims(y), {}); }));
    EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(RandomInput({4, 2}, "CB"))));
    EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(RandomInput({4, 1}, "CB"))));
    EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(RandomInput({3, 4}))));
    EXPECT_TRUE(Throws("dlarray:SizeMismatch", with(RandomInput({4, 3, 2}))));
    EXPECT_TRUE(Throws("dlarray:FormatMismatch", with(RandomInput({4, 3}, "CT"))));
    EXPECT_TRUE(Throws("ops:EmptyBatch", [&] {
      n.loss(RandomInput({4, 0}, "CB"), RandomInput({4, 0}, "CB"), {});
    }));
  }
  EXPECT_TRUE(Throws("ops:InvalidTransition", [&] { Huber(y, y, 0); }));
  EXPECT_TRUE(Throws("ops:InvalidTransition", [&] { Huber(y, y, INFINITY); }));
}

TEST(OneHotTest, ColumnsWithASingleOne) {
  const DlArray i = DlArray::FromVector<int32_t>({2, 0}, {2}, "B");
  EXPECT_TRUE(IsEqual(OneHot(i, 3), DlArray::FromVector<float>({0, 0, 1, 1, 0, 0}, {3, 2}, "CB")));
  const DlArray plain = OneHot(StripDims(i), 3, DataType::kDouble, "B");
  EXPECT_TRUE(plain.format().empty());
  EXPECT_EQ(plain.sizes(), (Sizes{2, 3}));
  EXPECT_EQ(OneHot(i, 3, DataType::kLogical).type(), DataType::kLogical);
  EXPECT_EQ(OneHot(DlArray::FromVector<int32_t>({}, {0}, "B"), 3).sizes(), (Sizes{3, 0}));
}

TEST(OneHotTest, Errors) {
  const DlArray i = DlArray::FromVector<int32_t>({2, 0}, {2}, "B");
  EXPECT_TRUE(Throws("ops:FormatNeeded", [&] { OneHot(StripDims(i), 3); }));
  EXPECT_TRUE(Throws("ops:InvalidClassCount", [&] { OneHot(i, 0); }));
  EXPECT_TRUE(Throws("dlarray:IndexOutOfRange", [&] { OneHot(i, 2); }));
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { OneHot(Single(i), 3); }));
  EXPECT_TRUE(Throws("ops:UnsupportedType", [&] { OneHot(i, 3, DataType::kInt32); }));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] {
    OneHot(DlArray::FromVector<int32_t>({2, 0}, {2}, "C"), 3);
  }));
}

}  // namespace
}  // namespace lamina
