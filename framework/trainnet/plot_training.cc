#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/io/svg_plot.h"
#include "framework/trainnet/training_info.h"

namespace lamina {
namespace {

constexpr size_t kMaxPoints = 2000;

// The training values of all iterations, thinned: each point is the mean of its neighbours.
template <class Value>
Series TrainingSeries(const TrainingInfo& info, std::string name, Value&& value) {
  Series series{.name = std::move(name)};
  const auto& history = info.training_history;
  const size_t width = (history.size() + kMaxPoints - 1) / kMaxPoints;
  for (size_t begin = 0; begin < history.size(); begin += width) {
    const size_t end = std::min(begin + width, history.size());
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) {
      x += static_cast<double>(history[i].iteration);
      y += value(history[i]);
    }
    series.x.push_back(x / static_cast<double>(end - begin));
    series.y.push_back(y / static_cast<double>(end - begin));
  }
  return series;
}

template <class Value>
Series ValidationSeries(const TrainingInfo& info, Value&& value) {
  Series series{.name = "validation", .dashed = true, .markers = true};
  for (const ValidationRecord& record : info.validation_history) {
    series.x.push_back(static_cast<double>(record.iteration));
    series.y.push_back(value(record));
  }
  return series;
}

bool AnyFinite(const Series& series) {
  return std::any_of(series.y.begin(), series.y.end(), [](double v) { return std::isfinite(v); });
}

// A panel of what is finite; none without any.
void AddPanel(std::vector<LineChart>& panels, std::string title, std::string what,
              std::vector<Series> series) {
  series.erase(
      std::remove_if(series.begin(), series.end(), [](const Series& s) { return !AnyFinite(s); }),
      series.end());
  if (series.empty()) return;
  panels.push_back({.title = std::move(title),
                    .x = {.label = "iteration"},
                    .y = {.label = std::move(what)},
                    .series = std::move(series)});
}

}  // namespace

std::string_view ToString(StopReason reason) {
  switch (reason) {
    case StopReason::kMaxEpochs:
      return "All epochs were done.";
    case StopReason::kValidationPatience:
      return "The objective did not get better for as many validations as the patience.";
    case StopReason::kOutputFunction:
      return "The output function asked for it.";
    case StopReason::kLossNotFinite:
      return "The loss was not a finite number, or would not have been in the next step.";
  }
  return "";
}

std::string PlotTraining(const TrainingInfo& info, std::string_view title) {
  std::vector<LineChart> panels;
  AddPanel(panels, std::string(title), "loss",
           {TrainingSeries(info, "training", [](const auto& r) { return r.loss; }),
            ValidationSeries(info, [](const auto& r) { return r.loss; })});
  for (size_t m = 0; m < info.metric_names.size(); ++m) {
    const auto value = [m](const auto& r) { return m < r.metrics.size() ? r.metrics[m] : NAN; };
    AddPanel(panels, "", info.metric_names[m],
             {TrainingSeries(info, "training", value), ValidationSeries(info, value)});
  }
  if (!panels.empty()) {
    AddPanel(panels, "", "learn rate",
             {TrainingSeries(info, "", [](const auto& r) { return r.learn_rate; })});
  }
  const absl::StatusOr<std::string> svg =
      panels.empty() ? absl::InvalidArgumentError("no finite loss") : LineChartSvg(panels);
  if (svg.ok()) return *svg;
  throw Error("trainnet:NothingToPlot", "The history of a training has iterations to draw.",
              absl::StrCat(info.training_history.size(),
                           " iterations came: ", std::string(svg.status().message()), "."),
              "");
}

}  // namespace lamina
