#include "framework/trainnet/metrics.h"

#include <cmath>
#include <complex>
#include <string>
#include <vector>

#include "framework/ops/one_hot.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Three classes. Decisions 0 0 1 1 2 0 2 2, targets 0 1 1 1 2 2 2 0:
//   class 0: right 1, wrong 2, missed 1;  class 1: 2, 0, 1;  class 2: 2, 1, 1.
const std::vector<int64_t> kDecisions{0, 0, 1, 1, 2, 0, 2, 2};
const std::vector<int64_t> kTargets{0, 1, 1, 1, 2, 2, 2, 0};

DlArray Indices(const std::vector<int64_t>& v) {
  return DlArray::FromVector(v, {static_cast<int64_t>(v.size())}, "B");
}

// Gives all data at once, and in two batches of different sizes: the same exactly.
double Value(AnyMetric metric, const DlArray& y, const DlArray& t) {
  metric.Reset();
  metric.Update({y}, {t});
  const double whole = metric.Evaluate();
  const int64_t n = Size(y, 'B');
  metric.Reset();
  for (auto [begin, count] : {std::pair<int64_t, int64_t>(0, 3), {3, n - 3}}) {
    metric.Update({Slice(y, 'B', begin, count)}, {Slice(t, 'B', begin, count)});
  }
  EXPECT_EQ(metric.Evaluate(), whole) << metric.Name();
  return whole;
}

double ClassValue(AnyMetric metric) {
  const DlArray y = OneHot(Indices(kDecisions), 3), t = Indices(kTargets);
  const double by_number = Value(metric, y, t);
  EXPECT_EQ(Value(metric, y, OneHot(t, 3)), by_number) << metric.Name();
  return by_number;
}

TEST(MetricsTest, Accuracy) {
  EXPECT_DOUBLE_EQ(ClassValue("accuracy"), 5.0 / 8);
  const DlArray y = DlArray::FromVector<float>(
      {0.5f, 0.3f, 0.2f, 0.1f, 0.7f, 0.2f, 0.4f, 0.4f, 0.2f, 0.1f, 0.2f, 0.7f}, {3, 4}, "CB");
  const DlArray t = Indices({1, 2, 1, 0});
  EXPECT_DOUBLE_EQ(Value(AccuracyMetric(), y, t), 0.0);
  EXPECT_DOUBLE_EQ(Value(AccuracyMetric({.top_k = 2}), y, t), 3.0 / 4);
  EXPECT_DOUBLE_EQ(Value(AccuracyMetric({.top_k = 3}), y, t), 1.0);
}

TEST(MetricsTest, OneChannelIsTwoClasses) {
  const DlArray y = DlArray::FromVector<float>({0.2f, 0.5f, 0.9f, 0.4f}, {1, 4}, "CB");
  const DlArray t = DlArray::FromVector<float>({0, 1, 0, 1}, {1, 4}, "CB");
  EXPECT_DOUBLE_EQ(Value("accuracy", y, t), 0.5);
  EXPECT_DOUBLE_EQ(Value("accuracy", y, Indices({0, 1, 0, 1})), 0.5);
}

TEST(MetricsTest, EachTimeStepCounts) {
  const DlArray y = DlArray::FromVector<float>({1, 0, 0, 1, 0, 1, 1, 0}, {2, 2, 2}, "CBT");
  const DlArray t = DlArray::FromVector<int32_t>({0, 1, 0, 0}, {2, 2}, "BT");
  AnyMetric metric("accuracy");
  metric.Update({y}, {t});
  EXPECT_DOUBLE_EQ(metric.Evaluate(), 0.75);
}

TEST(MetricsTest, PrecisionRecallAndF) {
  EXPECT_DOUBLE_EQ(ClassValue("precision"), (1.0 / 3 + 1 + 2.0 / 3) / 3);
  EXPECT_DOUBLE_EQ(ClassValue("recall"), (1.0 / 2 + 2.0 / 3 + 2.0 / 3) / 3);
  EXPECT_DOUBLE_EQ(ClassValue("fscore"), (2.0 / 5 + 4.0 / 5 + 4.0 / 6) / 3);
  using enum MetricAverage;
  EXPECT_DOUBLE_EQ(ClassValue(PrecisionMetric({.average = kMicro})), 5.0 / 8);
  EXPECT_DOUBLE_EQ(ClassValue(RecallMetric({.average = kWeighted})),
                   (2 * 1.0 / 2 + 3 * 2.0 / 3 + 3 * 2.0 / 3) / 8);
  // beta 2: 5 right / (5 right + 4 missed + wrong).
  EXPECT_DOUBLE_EQ(ClassValue(FScoreMetric({.beta = 2})), (5.0 / 11 + 10.0 / 14 + 10.0 / 15) / 3);
}

TEST(MetricsTest, ClassesThatNeverOccurAreLeftOut) {
  const DlArray y = OneHot(Indices({0, 1, 1, 1}), 5);
  EXPECT_DOUBLE_EQ(Value("recall", y, Indices({0, 1, 1, 0})), (0.5 + 1) / 2);
  EXPECT_DOUBLE_EQ(Value("precision", y, Indices({1, 1, 1, 1})), (0.0 + 1) / 2)
      << "class 0 was chosen, wrongly";
}

TEST(MetricsTest, Rmse) {
  RandomSource source{.seed = 9};
  const ScopedRandomSource scope(source);
  const DlArray y = Randn({3, 8}, DataType::kSingle, "CB"),
                t = Randn({3, 8}, DataType::kSingle, "CB");
  double sum = 0;
  for (int i = 0; i < 24; ++i) sum += std::pow(y.At(i) - t.At(i), 2);
  AnyMetric metric("rmse");
  EXPECT_FALSE(metric.Maximize());
  metric.Update({Slice(y, 'B', 0, 5)}, {Slice(t, 'B', 0, 5)});
  metric.Update({Slice(y, 'B', 5, 3)}, {Slice(t, 'B', 5, 3)});
  EXPECT_NEAR(metric.Evaluate(), std::sqrt(sum / 24), 1e-14);
  using Complex = std::complex<double>;
  RmseMetric complex;
  complex.Update(DlArray::FromVector<Complex>({{3, 4}}, {1, 1}, "CB"),
                 DlArray::FromVector<Complex>({{0, 0}}, {1, 1}, "CB"));
  EXPECT_NEAR(complex.Evaluate(), 5, 1e-14);
}

TEST(MetricsTest, FunctionsAreWeightedByObservations) {
  const AnyMetric mean = FunctionMetric(
      "mean", [](const DlArray& y, const DlArray&) { return Mean(y).Scalar(); }, false);
  const DlArray y = DlArray::FromVector<double>({1, 2, 3, 4, 6}, {1, 5}, "CB");
  AnyMetric metric = mean;
  metric.Update({Slice(y, 'B', 0, 4)}, {y});
  metric.Update({Slice(y, 'B', 4, 1)}, {y});
  EXPECT_DOUBLE_EQ(metric.Evaluate(), 16.0 / 5);
  EXPECT_EQ(metric.Name(), "mean");
  EXPECT_FALSE(metric.Maximize());
}

struct CountMetric {
  int batches = 0;
  std::string Name() const { return "batches"; }
  void Reset() { batches = 0; }
  void Update(const DlArray&, const DlArray&) { ++batches; }
  double Evaluate() const { return batches; }
};

TEST(MetricsTest, YourOwnClass) {
  AnyMetric metric(CountMetric(), 1);
  EXPECT_TRUE(metric.Maximize());
  const DlArray x(1.0);
  metric.Update({x, x}, {x, x});
  const AnyMetric copy = metric;
  metric.Update({x, x}, {x, x});
  EXPECT_EQ(metric.Evaluate(), 2);
  EXPECT_EQ(copy.Evaluate(), 1) << "a copy is independent";
  EXPECT_TRUE(Throws("trainnet:MetricOutput", [&] { metric.Update({x}, {x}); }));
}

TEST(MetricsTest, WithoutObservationsThereIsNoValue) {
  for (const char* name : {"accuracy", "rmse", "precision", "recall", "fscore"}) {
    EXPECT_TRUE(std::isnan(AnyMetric(name).Evaluate())) << name;
  }
}

TEST(MetricsTest, WrongTargetsAreErrors) {
  EXPECT_TRUE(Throws("trainnet:InvalidOption", [] { AnyMetric("auc"); }));
  EXPECT_TRUE(Throws("trainnet:InvalidOption", [] { AccuracyMetric({.top_k = 0}); }));
  EXPECT_TRUE(Throws("trainnet:InvalidOption", [] { FScoreMetric({.beta = 0}); }));
  const DlArray y = OneHot(Indices(kDecisions), 3);
  for (const char* name : {"accuracy", "precision"}) {
    AnyMetric m(name);
    const auto update = [&](const DlArray& t) {
      return Throws("trainnet:MetricSize", [&] { m.Update({y}, {t}); });
    };
    EXPECT_TRUE(update(Indices({0, 1})));
    EXPECT_TRUE(update(OneHot(Indices(kTargets), 4)));
    EXPECT_TRUE(update(Indices({0, 1, 2, 3, 0, 0, 0, 0}))) << "there is no class 3";
    EXPECT_TRUE(update(Indices({0, 1, -1, 2, 0, 0, 0, 0})));
    EXPECT_TRUE(Throws("trainnet:MetricSize", [&] { m.Update({StripDims(y)}, {y}); }));
  }
  AnyMetric rmse("rmse");
  EXPECT_TRUE(Throws("trainnet:MetricSize", [&] { rmse.Update({y}, {Indices(kTargets)}); }));
}

}  // namespace
}  // namespace lamina
