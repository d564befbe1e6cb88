#include "framework/trainnet/train_net.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/finite_check.h"
#include "framework/ops/gpu_array.h"
#include "framework/trainnet/batch_predictor.h"
#include "framework/trainnet/normalization_statistics.h"
#include "framework/trainnet/progress_table.h"
#include "framework/trainnet/training_ranks.h"
#include "framework/trainnet/training_step.h"

namespace lamina {
namespace {

// Each purpose draws from a subsequence of its own, so that one more draw for the one changes
// nothing for the others.
enum RandomPurpose : uint64_t { kForNetwork, kForOrder, kForValidation };

MiniBatchOptions BatchOptions(const TrainingOptions& options, PartialMiniBatch partial) {
  return {.mini_batch_size = options.mini_batch_size,
          .partial_mini_batch = partial,
          .sequence_length = options.sequence_length,
          .sequence_padding_value = options.sequence_padding_value,
          .sequence_padding_direction = options.sequence_padding_direction};
}

// Of a batch of these observations. Sequences may have any length.
NetworkDataLayout LayoutOf(const Observations& x) {
  const DlArray& example = x.sequences.empty() ? x : x.sequences[0];
  Sizes sizes = example.sizes();
  std::string labels = Dims(example);
  if (x.sequences.empty()) {
    sizes[FindDim(x, 'B')] = kUnknown;
  } else {
    sizes[FindDim(example, 'T')] = kUnknown;
    sizes.push_back(kUnknown);
    labels += "B";
  }
  return NetworkDataLayout(sizes, labels);
}

// The network is kept every so many steps: on a device it is brought back for that.
constexpr int64_t kKeptEvery = 100;

bool HasFiniteLearnables(const DlNetwork& network) {
  const DlArrays values = network.LearnableValues();
  return std::all_of(values.begin(), values.end(),
                     [](const DlArray& x) { return FirstNotFinite(x) < 0; });
}

class Training {
 public:
  /// `ranks`: null for one.
  Training(const Dataset& data, DlNetwork network, const LossFunction& loss,
           const TrainingOptions& options, TrainingRanks* ranks)
      : options_(options),
        ranks_(ranks),
        loss_(loss),
        network_(std::move(network)),
        queue_(data, BatchOptions(options, options.partial_mini_batch)),
        metrics_(options.metrics),
        network_source_{.seed = options.seed, .subsequence = kForNetwork},
        order_source_{.seed = options.seed, .subsequence = kForOrder} {
    Prepare(data);
  }

  TrainingResult Run();

 private:
  using Clock = std::chrono::steady_clock;

  void Prepare(const Dataset& data);
  // Refuses validation data that the network does not take before they are first needed, which may
  // be after hours.
  void CheckValidationLayouts(const Dataset& data) const;
  bool HasData() const { return ahead_.has_value() || ahead_failed_ || queue_.HasData(); }
  TrainingStep::Data NextData();
  // While a device computes: takes the next mini-batch and brings it over. One that cannot be taken
  // fails when its turn has come.
  void TakeAhead();
  // One iteration; false when the loss is not finite, and then nothing changed.
  bool Step(TrainingStep::Data data, TrainingRecord& record);
  int64_t NumIterations() const { return queue_.NumBatches() * options_.max_epochs; }
  ValidationRecord Validate(int64_t iteration);
  // Keeps the network now and then while its learnables are finite.
  void KeepSound();
  // A gradient that is not finite is seen only by its learnables, when the loss has become so too.
  void TakeSoundIfNotFinite();
  // Keeps the best network; true when patience is over.
  bool Judge(const ValidationRecord& record);
  bool ShuffleFor(int64_t epoch) const {
    return options_.shuffle == Shuffle::kEveryEpoch ||
           (options_.shuffle == Shuffle::kOnce && epoch == 1);
  }
  bool IsFirst() const { return ranks_ == nullptr || ranks_->is_first(); }
  double Seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

  const TrainingOptions& options_;
  TrainingRanks* const ranks_;
  const LossFunction& loss_;
  DlNetwork network_;
  MiniBatchQueue queue_;
  std::optional<MiniBatchQueue> validation_queue_;
  std::vector<AnyMetric> metrics_;
  RandomSource network_source_, order_source_;
  std::optional<TrainingStep> step_;
  std::optional<TrainingStep::Data> ahead_;
  std::exception_ptr ahead_failed_;
  std::optional<BatchPredictor> validate_;  // With validation data.
  TrainingInfo info_;
  DlNetwork sound_;  // That of sound_iteration_, not on a device.
  int64_t sound_iteration_ = 0;
  std::optional<DlNetwork> best_;
  double best_objective_ = 0;
  int64_t best_iteration_ = 0, without_better_ = 0;
  Clock::time_point start_ = Clock::now();
};

void Training::Prepare(const Dataset& data) {
  const NoGradient pause;
  const ScopedRandomSource scope(network_source_);
  if (data.targets.empty()) {
    throw Error("data:NoTargets", "Training data have targets.", "None came.", "");
  }
  const size_t num_inputs = network_.InputNames().size();
  if (data.inputs.size() != num_inputs) {
    throw Error("network:InputCount",
                absl::StrCat("The network has ", internal::Counted(num_inputs, "input"), "."),
                absl::StrCat("The data have ", data.inputs.size(), "."), "");
  }
  if (options_.validation_data.has_value()) {
    const Dataset& v = *options_.validation_data;
    try {
      validation_queue_.emplace(v, BatchOptions(options_, PartialMiniBatch::kReturn));
      if (v.inputs.size() != data.inputs.size() || v.targets.size() != data.targets.size()) {
        throw Error("data:ValidationMismatch",
                    absl::StrCat("Validation data have as many inputs and targets as the training "
                                 "data, ",
                                 data.inputs.size(), " and ", data.targets.size(), "."),
                    absl::StrCat(v.inputs.size(), " and ", v.targets.size(), " came."), "");
      }
    } catch (Error& e) {
      e.AddPlace("Option validation_data");
      throw;
    }
  }
  for (const AnyMetric& m : metrics_) info_.metric_names.push_back(m.Name());
  SetInputNormalization(data, options_.reset_input_normalization, network_);
  if (!network_.IsInitialized() || network_.InputLayouts().empty()) {
    std::vector<NetworkDataLayout> layouts;
    for (const Observations& x : data.inputs) layouts.push_back(LayoutOf(x));
    network_.Initialize(layouts);
  }
  network_.ResetState();
  if (validation_queue_.has_value()) CheckValidationLayouts(data);
  if (ranks_ != nullptr) {
    ranks_->CheckSame(
        "data and options",
        absl::StrCat(queue_.NumObservations(), " observations, mini-batches of ",
                     options_.mini_batch_size, ", ", options_.max_epochs, " epochs, solver ",
                     options_.solver, ", seed ", options_.seed, ", ", metrics_.size(), " metrics, ",
                     validation_queue_.has_value() ? validation_queue_->NumBatches() : 0,
                     " batches for validation"));
    // Numbers of their own for all ranks but the first.
    if (!IsFirst()) {
      network_source_ = {.seed = options_.seed,
                         .subsequence = kForNetwork + (ranks_->rank() << 32)};
    }
  }
  step_.emplace(options_, loss_, ranks_, network_);
  sound_ = network_;
  if (validation_queue_.has_value())
    validate_.emplace(network_, std::vector<std::string>(), options_.acceleration);
}

void Training::CheckValidationLayouts(const Dataset& data) const {
  std::vector<NetworkDataLayout> trained, validated;
  for (const Observations& x : data.inputs) trained.push_back(LayoutOf(x));
  for (const Observations& x : options_.validation_data->inputs) validated.push_back(LayoutOf(x));
  if (validated == trained) return;
  try {
    network_.PropagateLayouts(validated);
  } catch (Error& e) {
    e.AddPlace("Option validation_data");
    throw;
  }
}

TrainingStep::Data Training::NextData() {
  if (ahead_failed_) std::rethrow_exception(std::exchange(ahead_failed_, nullptr));
  if (!ahead_.has_value()) return step_->DataOf(queue_.Next());
  TrainingStep::Data data = *std::move(ahead_);
  ahead_.reset();
  return data;
}

void Training::TakeAhead() {
  if (!queue_.HasData()) return;
  try {
    ahead_ = step_->DataOf(queue_.Next());
  } catch (...) {
    ahead_failed_ = std::current_exception();
    return;
  }
  try {
    step_->BringOver(*ahead_);
  } catch (const Error& e) {
    // What a full device had no room for is brought over when its turn has come.
    if (e.identifier() != "gpu:OutOfMemory") throw;
  }
}

bool Training::Step(TrainingStep::Data data, TrainingRecord& record) {
  const RandomSource before = network_source_;
  TrainingStep::Result result =
      (*step_)(data, record.learn_rate, record.iteration, NumIterations() - record.iteration,
               [this] { TakeAhead(); });
  record.loss = result.loss;
  if (!result.finite) {
    network_source_ = before;
    info_.not_finite = step_->FindNotFinite(data);
  }
  if (!result.finite || metrics_.empty()) return result.finite;
  const MiniBatch& batch = data.batch;
  DlArrays targets = batch.targets;
  LeaveOutPadding(batch, result.outputs, targets);
  for (AnyMetric& m : metrics_) {
    m.Reset();
    m.Update(result.outputs, targets);
    record.metrics.push_back(m.Evaluate());
  }
  return true;
}

ValidationRecord Training::Validate(int64_t iteration) {
  RandomSource source{.seed = options_.seed, .subsequence = kForValidation};
  const ScopedRandomSource scope(source);
  ValidationRecord record{.iteration = iteration};
  const int64_t iterations_left = NumIterations() - iteration;
  try {
    record.loss = Evaluate(*validate_, network_, *validation_queue_, &loss_, metrics_,
                           iterations_left / options_.validation_frequency, ranks_);
  } catch (Error& e) {
    e.AddPlace("Option validation_data");
    throw;
  }
  for (const AnyMetric& m : metrics_) record.metrics.push_back(m.Evaluate());
  return record;
}

void Training::KeepSound() {
  if (info_.output_network_iteration - sound_iteration_ < kKeptEvery) return;
  DlNetwork here = Gather(network_);
  if (!HasFiniteLearnables(here)) return;
  sound_ = std::move(here);
  sound_iteration_ = info_.output_network_iteration;
}

void Training::TakeSoundIfNotFinite() {
  for (const ParameterRow& row : Gather(network_).Learnables()) {
    if (FirstNotFinite(row.value) < 0) continue;
    info_.not_finite = absl::StrCat(
        row.layer, "/", row.parameter, " has elements that are not finite since one of the steps ",
        sound_iteration_ + 1, " to ", info_.output_network_iteration,
        ": a gradient was not. Train with .check_finite = true to see which op gave it.",
        info_.not_finite.empty() ? "" : "\n", info_.not_finite);
    info_.stop_reason = StopReason::kLossNotFinite;
    info_.output_network_iteration = sound_iteration_;
    network_ = sound_;
    return;
  }
}

bool Training::Judge(const ValidationRecord& record) {
  double objective = -record.loss;
  for (size_t i = 0; i < metrics_.size(); ++i) {
    if (metrics_[i].Name() != options_.objective_metric_name) continue;
    objective = metrics_[i].Maximize() ? record.metrics[i] : -record.metrics[i];
  }
  // NaN is never better, except than nothing. While all were NaN nothing is known of any network,
  // and the one that was trained longest is kept.
  const bool all_nan = best_iteration_ > 0 && std::isnan(best_objective_);
  const bool is_better =
      best_iteration_ == 0 || objective > best_objective_ || (all_nan && !std::isnan(objective));
  if (is_better || all_nan) {
    best_objective_ = objective;
    best_iteration_ = record.iteration;
    if (options_.output_network != OutputNetwork::kLastIteration) best_ = network_;
  }
  without_better_ = is_better ? 0 : without_better_ + 1;
  return without_better_ >= options_.validation_patience;
}

TrainingResult Training::Run() {
  const NoGradient pause;  // A watch of the caller hears nothing of the training.
  const ScopedRandomSource scope(network_source_);
  const ScopedAcceleration acceleration(options_.acceleration);
  const int64_t per_epoch = queue_.NumBatches(), all = NumIterations();
  std::optional<ProgressTable> table;
  if (options_.verbose && IsFirst()) {
    table.emplace(options_.verbose_stream != nullptr ? *options_.verbose_stream : std::cout,
                  info_.metric_names, validation_queue_.has_value(), options_.verbose_frequency);
  }
  int64_t iteration = 0;
  bool stopped = false;
  const auto stop = [&](StopReason reason) {
    info_.stop_reason = reason;
    stopped = true;
  };
  for (int64_t epoch = 1; epoch <= options_.max_epochs && !stopped; ++epoch) {
    queue_.Reset();
    if (ShuffleFor(epoch)) queue_.Shuffle(order_source_);
    while (HasData() && !stopped) {
      TrainingRecord record{.iteration = ++iteration, .epoch = epoch};
      record.learn_rate =
          step_->initial_learn_rate() *
          options_.learn_rate_schedule.Factor({epoch, iteration, per_epoch, options_.max_epochs});
      const bool finite = Step(NextData(), record);
      info_.training_history.push_back(record);
      info_.stop_iteration = iteration;
      if (!finite) {
        stop(StopReason::kLossNotFinite);
        break;
      }
      info_.output_network_iteration = iteration;
      KeepSound();
      TrainingProgress progress{.max_epochs = options_.max_epochs, .num_iterations = all};
      if (validation_queue_.has_value() &&
          (iteration % options_.validation_frequency == 0 || iteration == all)) {
        info_.validation_history.push_back(Validate(iteration));
        progress.validation = &info_.validation_history.back();
        if (Judge(*progress.validation)) stop(StopReason::kValidationPatience);
      }
      progress.elapsed_seconds = info_.elapsed_seconds = Seconds();
      progress.training = &info_.training_history.back();
      progress.info = &info_;
      if (table.has_value()) table->Iteration(progress);
      if (IsFirst() && options_.output_fcn != nullptr && options_.output_fcn(progress) &&
          !stopped) {
        stop(StopReason::kOutputFunction);
      }
      if (ranks_ != nullptr) {
        const int reason = ranks_->FirstSays(stopped ? static_cast<int>(info_.stop_reason) : -1);
        stopped = reason >= 0;
        if (stopped) info_.stop_reason = static_cast<StopReason>(reason);
      }
    }
    if (ranks_ != nullptr) {
      ranks_->CheckSame(absl::StrCat("bits in their learnables after epoch ", epoch),
                        absl::StrCat("the checksum ", BitsOf(network_.LearnableValues())));
    }
  }
  TakeSoundIfNotFinite();
  // A training that was cut short is judged as it ended, too.
  if (validation_queue_.has_value() && stopped && info_.output_network_iteration > 0 &&
      info_.output_network_iteration == iteration &&
      (info_.validation_history.empty() ||
       info_.validation_history.back().iteration != iteration)) {
    info_.validation_history.push_back(Validate(iteration));
    Judge(info_.validation_history.back());
  }
  if (best_.has_value()) {
    network_ = *std::move(best_);
    info_.output_network_iteration = best_iteration_;
  }
  if (step_->on_gpu()) network_ = Gather(network_);
  if (options_.batch_normalization_statistics == BatchNormalizationStatistics::kPopulation) {
    SetPopulationStatistics(queue_, network_);
  }
  if (ranks_ != nullptr) ranks_->TakeFromFirst(network_);
  info_.acceleration_report = step_->Report();
  if (validate_.has_value()) {
    absl::StrAppend(&info_.acceleration_report, "Validation:\n", validate_->Report());
  }
  info_.elapsed_seconds = Seconds();
  if (table.has_value()) table->End(info_);
  return {std::move(network_), std::move(info_)};
}

}  // namespace

TrainingResult TrainNet(const Dataset& data, DlNetwork network, const LossFunction& loss,
                        const TrainingOptions& options) {
  const std::unique_ptr<TrainingRanks> ranks = TrainingRanks::Of(options.execution_environment);
  try {
    CheckTrainingOptions(options);
    return Training(data, std::move(network), loss, options, ranks.get()).Run();
  } catch (const std::exception& e) {
    // The others must not wait for this one.
    if (ranks != nullptr) ranks->Abort(e.what());
    throw;
  }
}

}  // namespace lamina
