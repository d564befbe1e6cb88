#include "framework/trainnet/progress_table.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lamina {
namespace {

constexpr int64_t kRowsUnderHeads = 30;

// NaN has a sign, which says nothing.
std::string Number(double value) {
  return std::isnan(value) ? "nan" : absl::StrFormat("%.5g", value);
}

std::string Capitalized(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] += 'A' - 'a';
  return text;
}

}  // namespace

std::string ToClock(double seconds) {
  const int64_t s = static_cast<int64_t>(std::min(1e15, std::max(0.0, std::floor(seconds))));
  return absl::StrFormat("%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

ProgressTable::ProgressTable(std::ostream& out, const std::vector<std::string>& metric_names,
                             bool validates, int64_t frequency)
    : out_(out), num_metrics_(metric_names.size()), validates_(validates), frequency_(frequency) {
  std::vector<std::string> heads{"Epoch", "Iteration", "TimeElapsed", "TimeLeft", "LearnRate"};
  for (std::string_view part : {"Training", "Validation"}) {
    if (part == "Validation" && !validates) continue;
    heads.push_back(absl::StrCat(std::string(part), "Loss"));
    for (const std::string& name : metric_names) {
      heads.push_back(absl::StrCat(std::string(part), Capitalized(name)));
    }
  }
  for (std::string& head : heads) {
    const size_t width = std::max<size_t>(head.size(), 8);
    columns_.push_back({std::move(head), width});
  }
}

void ProgressTable::PrintRow(const std::vector<std::string>& cells) {
  std::string line;
  for (size_t i = 0; i < columns_.size(); ++i) {
    const std::string cell = i < cells.size() ? cells[i] : "";
    const size_t gap = columns_[i].width > cell.size() ? columns_[i].width - cell.size() : 0;
    absl::StrAppend(&line, "  ", std::string(gap, ' '), cell);
  }
  out_ << line.substr(0, line.find_last_not_of(' ') + 1) << std::endl;
}

void ProgressTable::PrintHeads() {
  std::vector<std::string> heads, rules;
  for (const Column& column : columns_) {
    heads.push_back(column.head);
    rules.push_back(std::string(column.width, '_'));
  }
  if (rows_ > 0) out_ << "\n";
  PrintRow(heads);
  PrintRow(rules);
}

std::vector<std::string> ProgressTable::Cells(const TrainingRecord& training,
                                              const ValidationRecord* validation, double elapsed,
                                              double left) const {
  std::vector<std::string> cells{absl::StrCat(training.epoch), absl::StrCat(training.iteration),
                                 ToClock(elapsed), ToClock(left), Number(training.learn_rate)};
  cells.push_back(Number(training.loss));
  for (size_t i = 0; i < num_metrics_; ++i) {
    cells.push_back(i < training.metrics.size() ? Number(training.metrics[i]) : "");
  }
  if (validation != nullptr) {
    cells.push_back(Number(validation->loss));
    for (double m : validation->metrics) cells.push_back(Number(m));
  }
  return cells;
}

void ProgressTable::Iteration(const TrainingProgress& progress) {
  const TrainingRecord& training = *progress.training;
  const bool due = training.iteration == 1 || training.iteration % frequency_ == 0 ||
                   training.iteration == progress.num_iterations || progress.validation != nullptr;
  if (!due) return;
  if (rows_ % kRowsUnderHeads == 0) PrintHeads();
  const double left = progress.elapsed_seconds / static_cast<double>(training.iteration) *
                      static_cast<double>(progress.num_iterations - training.iteration);
  PrintRow(Cells(training, progress.validation, progress.elapsed_seconds, left));
  ++rows_;
  last_iteration_ = training.iteration;
}

void ProgressTable::End(const TrainingInfo& info) {
  if (!info.training_history.empty()) {
    const TrainingRecord& last = info.training_history.back();
    if (last.iteration != last_iteration_) {
      if (rows_ % kRowsUnderHeads == 0) PrintHeads();
      const ValidationRecord* validation = nullptr;
      if (!info.validation_history.empty() &&
          info.validation_history.back().iteration == last.iteration) {
        validation = &info.validation_history.back();
      }
      PrintRow(Cells(last, validation, info.elapsed_seconds, 0));
    }
  }
  out_ << "Training ended after iteration " << info.stop_iteration << ": "
       << std::string(ToString(info.stop_reason)) << std::endl;
  if (!info.not_finite.empty()) out_ << info.not_finite << std::endl;
}

}  // namespace lamina
