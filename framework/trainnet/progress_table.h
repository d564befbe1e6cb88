// The table that a training prints while it runs:
//
//    Epoch  Iteration  TimeElapsed  TimeLeft  LearnRate  TrainingLoss  ValidationLoss
//    _____  _________  ___________  ________  _________  ____________  ______________
//        1          1     00:00:00  00:00:12      0.001        2.3412
//        1         50     00:00:01  00:00:11      0.001        0.8533          0.7911
//
// A row for the first and the last iteration, each validation, and every verbose_frequency
// iterations; the heads again every 30 rows; a sentence at the end that says why it ended.
#ifndef FRAMEWORK_TRAINNET_PROGRESS_TABLE_H_
#define FRAMEWORK_TRAINNET_PROGRESS_TABLE_H_

#include <iosfwd>
#include <string>
#include <vector>

#include "framework/trainnet/training_info.h"

namespace lamina {

class ProgressTable {
 public:
  /// Prints to `out`, which outlives the table. Columns for validation only when `validates`.
  ProgressTable(std::ostream& out, const std::vector<std::string>& metric_names, bool validates,
                int64_t frequency);
  /// After each iteration: prints a row if one is due.
  void Iteration(const TrainingProgress& progress);
  /// The last row, if it was not printed, and the end.
  void End(const TrainingInfo& info);

 private:
  struct Column {
    std::string head;
    size_t width;
  };
  void PrintHeads();
  void PrintRow(const std::vector<std::string>& cells);
  std::vector<std::string> Cells(const TrainingRecord& training, const ValidationRecord* validation,
                                 double elapsed, double left) const;

  std::ostream& out_;
  std::vector<Column> columns_;
  size_t num_metrics_;
  bool validates_;
  int64_t frequency_;
  int64_t rows_ = 0;
  int64_t last_iteration_ = 0;  // That of the last row.
};

/// Hours, minutes and seconds: "01:02:03".
std::string ToClock(double seconds);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_PROGRESS_TABLE_H_
