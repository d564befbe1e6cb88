// What happened in a training: each iteration, each validation, why it ended.
//
//   TrainingResult result = TrainNet(data, network, "crossentropy", options);
//   result.info.training_history.back().loss;
//   result.info.stop_reason;                        // StopReason::kMaxEpochs
//
// Threads: plain values and pure functions.
#ifndef FRAMEWORK_TRAINNET_TRAINING_INFO_H_
#define FRAMEWORK_TRAINNET_TRAINING_INFO_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lamina {

/// One iteration: the loss and metrics of its mini-batch before the step.
struct TrainingRecord {
  int64_t iteration = 0;  ///< From 1, over all epochs.
  int64_t epoch = 0;      ///< From 1.
  double learn_rate = 0;
  double loss = 0;
  std::vector<double> metrics{};  ///< In the order of metric_names.
};

/// The loss and metrics of all validation data after an iteration.
struct ValidationRecord {
  int64_t iteration = 0;
  double loss = 0;
  std::vector<double> metrics{};
};

enum class StopReason : uint8_t {
  kMaxEpochs,           ///< All epochs were done.
  kValidationPatience,  ///< The objective did not get better for long enough.
  kOutputFunction,      ///< The output function asked for it.
  /// The loss was NaN or infinite; the step was not taken. Or the last steps made learnables so.
  kLossNotFinite,
};
/// A sentence for people: "All epochs were done."
std::string_view ToString(StopReason reason);

struct TrainingInfo {
  std::vector<std::string> metric_names{};
  std::vector<TrainingRecord> training_history{};
  std::vector<ValidationRecord> validation_history{};
  StopReason stop_reason = StopReason::kMaxEpochs;
  /// The iteration after which the training ended; for kLossNotFinite the one whose loss it was.
  int64_t stop_iteration = 0;
  /// For kLossNotFinite: the first op that gave NaN or infinity when the loss was computed again,
  /// what it got, and who called it (ops/finite_check.h); or which learnable was not finite before.
  std::string not_finite{};
  /// The returned network is that after this iteration; 0: as it was initialised. Where learnables
  /// were not finite, by a gradient that was not, it is one of the 100 iterations before.
  int64_t output_network_iteration = 0;
  double elapsed_seconds = 0;
  /// For a reader: which steps ran op by op and why, what was recorded and compiled.
  std::string acceleration_report{};
};

/// Where the training stands: what an output function and the progress table get, after each
/// iteration.
struct TrainingProgress {
  int64_t max_epochs = 0;
  int64_t num_iterations = 0;  ///< Of the whole training, if nothing stops it.
  double elapsed_seconds = 0;
  const TrainingRecord* training = nullptr;      ///< This iteration.
  const ValidationRecord* validation = nullptr;  ///< Null unless there was one after it.
  const TrainingInfo* info = nullptr;            ///< All so far.
};

/// Losses, metrics and the learn rate over the iterations as an SVG picture; iterations are thinned
/// to at most 2000 points, each the mean of its neighbours. Errors: "trainnet:NothingToPlot" for an
/// empty history.
std::string PlotTraining(const TrainingInfo& info, std::string_view title = "Training");

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_TRAINING_INFO_H_
