#include "framework/layers/input_layers.h"

#include <cmath>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/any_layer.h"
#include "framework/layers/input_statistics.h"
#include "framework/ops/abstract_run.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

DlArray Images() {
  // Two channels, 1x2 pixels, two observations: channel 1 has 1 2 5 6, channel 2 has 3 4 7 8.
  return DlArray::FromVector<float>({1, 2, 3, 4, 5, 6, 7, 8}, {1, 2, 2, 2}, "SSCB");
}

ImageInputLayer Layer(const char* normalization, const char* dimension = "auto") {
  ImageInputLayer layer({1, 2, 2},
                        {.normalization = normalization, .normalization_dimension = dimension});
  InputStatistics statistics(layer);
  EXPECT_TRUE(statistics.needed());
  statistics.Add(Images());
  statistics.SetIn(layer);
  return layer;
}

TEST(InputLayersTest, NormalizeByChannel) {
  const double sd = std::sqrt(17 / 4.0);  // Differences -2.5 -1.5 1.5 2.5 to the means 3.5 and 5.5.
  EXPECT_EQ(Layer("zerocenter").Predict(Images()).ToVector<float>(),
            std::vector<float>({-2.5f, -1.5f, -2.5f, -1.5f, 1.5f, 2.5f, 1.5f, 2.5f}));
  EXPECT_NEAR(Layer("zscore").Predict(Images()).At(0), -2.5 / sd, 1e-6);
  EXPECT_NEAR(Layer("rescale-zero-one").Predict(Images()).At(1), 1 / 5.0, 1e-6);
  EXPECT_NEAR(Layer("rescale-symmetric").Predict(Images()).At(1), -3 / 5.0, 1e-6);
  EXPECT_EQ(Layer("zscore").mean.get(), std::vector<double>({3.5, 5.5}));
}

TEST(InputLayersTest, NormalizeByElementOrAllTogether) {
  EXPECT_EQ(Layer("zerocenter", "element").mean.get(), std::vector<double>({3, 4, 5, 6}));
  EXPECT_EQ(Layer("zerocenter", "element").Predict(Images()).ToVector<float>(),
            std::vector<float>({-2, -2, -2, -2, 2, 2, 2, 2}));
  EXPECT_EQ(Layer("zerocenter", "all").mean.get(), std::vector<double>({4.5}));
  EXPECT_EQ(Layer("zerocenter", "all").Predict(Images()).At(0), -3.5);
}

TEST(InputLayersTest, WhatNeverVariesIsNotDivided) {
  FeatureInputLayer layer(2, {.normalization = "zscore"});
  layer.mean = {1, 2};
  layer.standard_deviation = {0, 2};
  const DlArray x = DlArray::FromVector<float>({1, 4}, {2, 1}, "CB");
  EXPECT_EQ(layer.Predict(x).ToVector<float>(), std::vector<float>({0, 1}));
}

TEST(InputLayersTest, StatisticsOfBatchesAreThoseOfAll) {
  const DlArray a = DlArray::FromVector<float>({1, 10, 2, 20, 6, 60}, {2, 3}, "CB");
  const DlArray b = DlArray::FromVector<float>({11, -10}, {2, 1}, "CB");
  FeatureInputLayer layer(2, {.normalization = "zscore"});
  InputStatistics statistics(layer);
  statistics.Add(a);
  statistics.Add(b);
  statistics.SetIn(layer);
  EXPECT_DOUBLE_EQ(layer.mean[0], 5);
  EXPECT_DOUBLE_EQ(layer.mean[1], 20);
  EXPECT_DOUBLE_EQ(layer.standard_deviation[0], std::sqrt((16 + 9 + 1 + 36) / 4.0));
  EXPECT_DOUBLE_EQ(layer.standard_deviation[1], std::sqrt((100 + 0 + 1600 + 900) / 4.0));
  EXPECT_EQ(layer.min.get(), std::vector<double>({1, -10}));
  EXPECT_EQ(layer.max.get(), std::vector<double>({11, 60}));
  EXPECT_FALSE(InputStatistics(layer).needed());
  EXPECT_EQ(MessageOf([&] {
              FeatureInputLayer fresh(3, {.normalization = "zscore"});
              InputStatistics s(fresh);
              s.Add(a);
              s.Add(DlArray::FromVector<float>({1, 2, 3}, {3, 1}, "CB"));
            }),
            "All data of an input has the same S and C dims, 2 statistics in all. A 3(C) x 1(B) "
            "single DlArray came. [dlarray:SizeMismatch]");
}

TEST(InputLayersTest, OtherLayersNeedNoStatistics) {
  EXPECT_FALSE(InputStatistics(FeatureInputLayer(3)).needed());
  EXPECT_FALSE(InputStatistics(InputLayer({3}, "C")).needed());
}

TEST(InputLayersTest, StatisticsMustBeThereAndFit) {
  FeatureInputLayer layer(2, {.normalization = "zscore"});
  const DlArray x = DlArray::FromVector<float>({1, 4}, {2, 1}, "CB");
  const std::string fix =
      " Train the network, which computes them from its data, or set the property. "
      "[layer:NoStatistics]";
  EXPECT_EQ(MessageOf([&] { layer.Predict(x); }),
            "The normalization needs Mean and StandardDeviation: one number, one for each channel, "
            "or one for each element. None are set." +
                fix);
  layer.mean = {1, 2, 3};
  layer.standard_deviation = {1};
  EXPECT_EQ(MessageOf([&] { layer.Predict(x); }),
            "The normalization needs Mean: one number, one for each channel, or one for each "
            "element. 3 came for a 2(C) x 1(B) single DlArray." +
                fix);
  // Sizes can be told before there are statistics.
  const FeatureInputLayer untrained(2, {.normalization = "zscore"});
  const AbstractRun run;
  EXPECT_EQ(ToString(untrained.Predict(AbstractArray(x.spec())).spec()),
            "2(C) x 1(B) single DlArray");
}

TEST(InputLayersTest, IntegersBecomeSingleAndLabelsAreGiven) {
  const DlArray bytes = DlArray::FromVector<uint8_t>({1, 2, 3, 4}, {1, 2, 2, 1});
  const DlArray y = ImageInputLayer({1, 2, 2}).Predict(bytes);
  EXPECT_EQ(ToString(y.spec()), "1(S) x 2(S) x 2(C) x 1(B) single DlArray");
  EXPECT_EQ(y.At(3), 4);
}

TEST(InputLayersTest, TellTheirLayout) {
  EXPECT_EQ(ToString(*FeatureInputLayer(3).InputLayout()), "3(C) x NaN(B)");
  EXPECT_EQ(ToString(*ImageInputLayer({2, 3, 1}).InputLayout()), "2(S) x 3(S) x 1(C) x NaN(B)");
  EXPECT_EQ(ToString(*Image3dInputLayer({2, 3, 4, 1}).InputLayout()),
            "2(S) x 3(S) x 4(S) x 1(C) x NaN(B)");
  EXPECT_EQ(ToString(*SequenceInputLayer(3).InputLayout()), "3(C) x NaN(B) x NaN(T)");
  EXPECT_EQ(ToString(*SequenceInputLayer({2, 3, 1}).InputLayout()),
            "2(S) x 3(S) x 1(C) x NaN(B) x NaN(T)");
  EXPECT_EQ(ToString(*InputLayer({kUnknown, 4}, "BC").InputLayout()), "4(C) x NaN(B)");
  EXPECT_EQ(ToString(*AnyLayer(InputLayer({4}, "C")).InputLayout()), "4(C)");
}

}  // namespace
}  // namespace lamina
