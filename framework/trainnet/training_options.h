// How TrainNet trains.
//
//   TrainingOptions options{.solver = "adam",
//                           .learn_rate_schedule = "cosine",
//                           .max_epochs = 10,
//                           .validation_data = Dataset(images, labels),
//                           .metrics = {"accuracy"}};
//
// Errors of TrainNet for these: "trainnet:InvalidOption", which names the option, what it was and
// what is allowed. Options of another solver than the chosen one are an error too. Threads: a plain
// value.
#ifndef FRAMEWORK_TRAINNET_TRAINING_OPTIONS_H_
#define FRAMEWORK_TRAINNET_TRAINING_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "framework/acceleration/acceleration.h"
#include "framework/ops/product_precision.h"
#include "framework/trainnet/data.h"
#include "framework/trainnet/gradient_clipping.h"
#include "framework/trainnet/learn_rate_schedule.h"
#include "framework/trainnet/metrics.h"
#include "framework/trainnet/training_info.h"

namespace lamina {

enum class Shuffle : uint8_t { kOnce, kNever, kEveryEpoch };

enum class OutputNetwork : uint8_t {
  kAuto,           ///< kBestValidation with validation data, else kLastIteration.
  kLastIteration,  ///< As the training ended.
  /// As it was when the objective was best on the validation data; when last validated if it was
  /// NaN each time.
  kBestValidation,
};

/// What trains. Several ranks are processes that tools/data_parallel started (train_net.h); where
/// there is one, kParallelCpu is kCpu and kParallelGpu is kGpu.
enum class ExecutionEnvironment : uint8_t {
  kAuto,         ///< All ranks; kParallelGpu where GpuArray has a device (ops/gpu_array.h) in all.
  kCpu,          ///< The processor, for this process alone.
  kGpu,          ///< The current device, for this process alone; an error where there is none.
  kParallelCpu,  ///< The processor, all ranks together.
  kParallelGpu,  ///< A device of each rank, all together; an error where one has none.
};

/// What batch normalization layers keep as mean and variance.
enum class BatchNormalizationStatistics : uint8_t {
  kAuto,        ///< kMoving.
  kPopulation,  ///< Of all training data, from one more pass after the training.
  kMoving,      ///< The running average that was gathered during the training.
};

struct TrainingOptions {
  std::string solver = "sgdm";  ///< "sgdm", "adam" or "rmsprop" (updates.h).

  std::optional<double> initial_learn_rate{};     ///< Unset: 0.01 for sgdm, 0.001 for the others.
  std::optional<double> momentum{};               ///< sgdm; unset: 0.9.
  std::optional<double> gradient_decay_factor{};  ///< adam; unset: 0.9.
  std::optional<double> squared_gradient_decay_factor{};  ///< Unset: adam 0.999, rmsprop 0.9.
  std::optional<double> epsilon{};                        ///< adam, rmsprop; unset: 1e-8.
  /// adam, decoupled (AdamW); unset: 0. It comes beside l2_regularization: set that to 0 for AdamW.
  std::optional<double> weight_decay{};
  LearnRateSchedules learn_rate_schedule{};  ///< By name or as objects; unset: "none".

  int64_t max_epochs = 30;
  int64_t mini_batch_size = 128;  ///< Of all ranks together.
  PartialMiniBatch partial_mini_batch = PartialMiniBatch::kReturn;
  Shuffle shuffle = Shuffle::kOnce;

  /// How sequences of different lengths become batches (MiniBatchOptions).
  SequenceLength sequence_length = "auto";
  double sequence_padding_value = 0;
  PaddingDirection sequence_padding_direction = PaddingDirection::kRight;

  /// Times the L2 factor of each array, added to its gradient as l2 w.
  double l2_regularization = 1e-4;
  /// Gradients, L2 regularization included, above this are clipped.
  double gradient_threshold = std::numeric_limits<double>::infinity();
  GradientThresholdMethod gradient_threshold_method = GradientThresholdMethod::kL2Norm;

  std::optional<Dataset> validation_data{};
  int64_t validation_frequency = 50;           ///< In iterations; the last one is validated too.
  int64_t validation_patience = kForever;      ///< Stop after so many without a better objective.
  std::vector<AnyMetric> metrics{};            ///< By name or as objects.
  std::string objective_metric_name = "loss";  ///< "loss" or the name of a metric.
  OutputNetwork output_network = OutputNetwork::kAuto;

  /// Steps and validations are recorded and compiled where that is worth it (acceleration.h).
  Acceleration acceleration = Acceleration::kAuto;

  /// Each step runs op by op, slowly, and the first op that gives NaN, for the loss, a gradient or
  /// an update, ends the training with an error that tells it ("ops:NotFinite", finite_check.h).
  bool check_finite = false;

  /// kBfloat16 is mixed precision (product_precision.h): in the network, in the loss and in their
  /// gradients matrices are multiplied and images convolved with factors that are rounded to
  /// bfloat16, and summed in single. Learnables, solver and all else stay single, and so does the
  /// trained network; validation is in single too. bfloat16 has the exponents of single, so losses
  /// need no scaling.
  ProductPrecision product_precision = ProductPrecision::kSingle;

  /// On a device the whole step runs there: only mini-batches are brought over, and the loss and
  /// what metrics read come back. The trained network lies with the processor, as ever.
  ExecutionEnvironment execution_environment = ExecutionEnvironment::kAuto;

  BatchNormalizationStatistics batch_normalization_statistics = BatchNormalizationStatistics::kAuto;
  /// Input layers that normalize take their statistics from the training data; with false only
  /// those that have none yet.
  bool reset_input_normalization = true;

  bool verbose = true;
  int64_t verbose_frequency = 50;          ///< Iterations from row to row of the progress table.
  std::ostream* verbose_stream = nullptr;  ///< Null: std::cout.
  /// Called after each iteration; the training ends when it returns true. Of several ranks only the
  /// first one prints and calls it.
  std::function<bool(const TrainingProgress&)> output_fcn{};

  /// All that is random comes from this: the initial parameters, the order of the data, dropout.
  /// The current random source is not touched.
  uint64_t seed = 0;
};

/// Throws "trainnet:InvalidOption" unless all options are right.
void CheckTrainingOptions(const TrainingOptions& options);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_TRAINING_OPTIONS_H_
