#include "framework/trainnet/progress_table.h"

#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(ProgressTableTest, RowsHeadsAndTheEnd) {
  std::ostringstream out;
  ProgressTable table(out, {"accuracy"}, true, 2);
  TrainingInfo info;
  info.metric_names = {"accuracy"};
  for (int64_t i = 1; i <= 5; ++i) {
    TrainingRecord record{.iteration = i, .epoch = (i + 1) / 2, .learn_rate = 0.001};
    record.loss = 1.0 / static_cast<double>(i);
    record.metrics = {0.5};
    info.training_history.push_back(record);
    if (i == 3)
      info.validation_history.push_back({.iteration = 3, .loss = 1234.5678, .metrics = {0.25}});
    table.Iteration({.max_epochs = 5,
                     .num_iterations = 10,
                     .elapsed_seconds = 20.0 * static_cast<double>(i),
                     .training = &info.training_history.back(),
                     .validation = i == 3 ? &info.validation_history.back() : nullptr,
                     .info = &info});
  }
  info.elapsed_seconds = 3725;
  info.stop_iteration = 5;
  info.stop_reason = StopReason::kOutputFunction;
  table.End(info);
  EXPECT_EQ(
      out.str(),
      R"(     Epoch  Iteration  TimeElapsed  TimeLeft  LearnRate  TrainingLoss  TrainingAccuracy  ValidationLoss  ValidationAccuracy
  ________  _________  ___________  ________  _________  ____________  ________________  ______________  __________________
         1          1     00:00:20  00:03:00      0.001             1               0.5
         1          2     00:00:40  00:02:40      0.001           0.5               0.5
         2          3     00:01:00  00:02:20      0.001       0.33333               0.5          1234.6                0.25
         2          4     00:01:20  00:02:00      0.001          0.25               0.5
         3          5     01:02:05  00:00:00      0.001           0.2               0.5
Training ended after iteration 5: The output function asked for it.
)");
}

TEST(ProgressTableTest, NotANumberHasNoSign) {
  std::ostringstream out;
  ProgressTable table(out, {}, false, 1);
  const TrainingRecord record{.iteration = 1, .epoch = 1, .loss = -std::nan("")};
  table.Iteration({.num_iterations = 1, .training = &record});
  EXPECT_EQ(out.str().find("-nan"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find(" nan\n"), std::string::npos) << out.str();
}

TEST(ProgressTableTest, HeadsComeAgainAfterThirtyRows) {
  std::ostringstream out;
  ProgressTable table(out, {}, false, 1);
  for (int64_t i = 1; i <= 61; ++i) {
    const TrainingRecord record{.iteration = i, .epoch = 1};
    table.Iteration({.num_iterations = 100, .training = &record});
  }
  int heads = 0;
  for (size_t at = out.str().find("Epoch"); at != std::string::npos;
       at = out.str().find("Epoch", at + 1)) {
    ++heads;
  }
  EXPECT_EQ(heads, 3);
  EXPECT_EQ(out.str().find("Validation"), std::string::npos);
}

TEST(ProgressTableTest, Clock) {
  EXPECT_EQ(ToClock(0.99), "00:00:00");
  EXPECT_EQ(ToClock(3 * 3600 + 25 * 60 + 7.5), "03:25:07");
  EXPECT_EQ(ToClock(100 * 3600), "100:00:00");
  EXPECT_EQ(ToClock(-1), "00:00:00");
}

}  // namespace
}  // namespace lamina
