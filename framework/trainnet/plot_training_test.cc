#include <cmath>
#include <string>

#include "framework/ops/testing/recorded_case.h"
#include "framework/trainnet/training_info.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TrainingInfo History(int n) {
  TrainingInfo info;
  info.metric_names = {"accuracy"};
  for (int i = 1; i <= n; ++i) {
    info.training_history.push_back(
        {.iteration = i, .epoch = 1, .learn_rate = 0.1, .loss = 1.0 / i, .metrics = {1 - 0.5 / i}});
  }
  info.validation_history.push_back({.iteration = n, .loss = 0.3, .metrics = {0.6}});
  return info;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(PlotTrainingTest, ShowsLossMetricsAndLearnRate) {
  const std::string svg = PlotTraining(History(10), "Digits");
  EXPECT_EQ(svg.rfind("<svg", 0) == 0 || svg.rfind("<?xml", 0) == 0, true);
  for (const char* text : {"Digits", "loss", "accuracy", "learn rate", "validation", "iteration"}) {
    EXPECT_GE(Count(svg, text), 1u) << text;
  }
  EXPECT_EQ(PlotTraining(History(10), "Digits"), svg);
}

TEST(PlotTrainingTest, LongTrainingsAreThinned) {
  const std::string svg = PlotTraining(History(100'000));
  EXPECT_LT(svg.size(), 500'000u);
  EXPECT_GT(svg.size(), 20'000u);
}

TEST(PlotTrainingTest, WhatIsNotFiniteIsLeftOut) {
  TrainingInfo info = History(5);
  info.training_history.back().loss = NAN;
  info.training_history.back().metrics.clear();
  EXPECT_EQ(PlotTraining(info).find("nan"), std::string::npos);
  EXPECT_TRUE(Throws("trainnet:NothingToPlot", [] { PlotTraining({}); }));
  info = History(1);
  info.training_history[0] = {.iteration = 1, .loss = INFINITY};
  info.validation_history.clear();
  EXPECT_TRUE(Throws("trainnet:NothingToPlot", [&] { PlotTraining(info); }));
}

}  // namespace
}  // namespace lamina
