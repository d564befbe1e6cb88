#include "framework/trainnet/train_net.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "framework/acceleration/repeated_call.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/product_precision.h"
#include "framework/trainnet/batch_predictor.h"
#include "framework/trainnet/normalization_statistics.h"
#include "framework/trainnet/progress_table.h"
#include "framework/trainnet/solver.h"
#include "framework/trainnet/training_ranks.h"

namespace lamina {
namespace {

constexpr char kByItself[] = "but for what the network recorded by itself:\n";

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

void Append(DlArrays& list, Arrays more) { list.insert(list.end(), more.begin(), more.end()); }

// Takes a list of arrays apart, one group after another.
class Groups {
 public:
  explicit Groups(Arrays list) : rest_(list) {}
  DlArrays Take(size_t n) {
    const Arrays group = rest_.first(n);
    rest_ = rest_.subspan(n);
    return DlArrays(group.begin(), group.end());
  }
  size_t size() const { return rest_.size(); }

 private:
  Arrays rest_;
};

// Whether steps of padding are taken out of outputs and targets: how many depends on the masks.
bool HasPadding(const MiniBatch& batch) {
  const auto is_set = [](const DlArray& mask) { return !mask.empty(); };
  const auto pads = [](const DlArray& mask) {
    const uint8_t* const real = mask.empty() ? nullptr : mask.Data<uint8_t>();
    return real != nullptr && std::count(real, real + mask.numel(), 0) > 0;
  };
  return std::any_of(batch.target_masks.begin(), batch.target_masks.end(), is_set) &&
         (std::any_of(batch.target_masks.begin(), batch.target_masks.end(), pads) ||
          std::any_of(batch.input_masks.begin(), batch.input_masks.end(), pads));
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
        solver_(options),
        metrics_(options.metrics),
        network_source_{.seed = options.seed, .subsequence = kForNetwork},
        order_source_{.seed = options.seed, .subsequence = kForOrder} {
    Prepare(data);
  }

  TrainingResult Run();

 private:
  using Clock = std::chrono::steady_clock;

  void Prepare(const Dataset& data);
  void PrepareRanks();
  // Whether steps run on a device. Errors: "gpu:NoDevice".
  bool ChooseDevice() const;
  // One iteration; false when the loss is not finite, and then nothing changed.
  bool Step(const MiniBatch& batch, TrainingRecord& record);
  // The parts of a step are functions of arrays, which may be recorded. They use the network as a
  // place for the arrays, and leave there what they like.
  //
  // Takes the weight of this rank's part, if there are several ranks, inputs, targets, trained
  // arrays, and states of the network. Returns the loss, the gradients, new states, and, for
  // metrics, the outputs of the network; all but the outputs are those of the whole mini-batch.
  DlArrays Differentiate(Arrays in);
  // Takes rates, trained arrays, gradients, and the state of the solver (none before the first
  // step). Returns trained arrays and state.
  DlArrays Update(Arrays in);
  // One after the other, each done by a function. Takes rates, what Differentiate takes, and the
  // state of the solver; returns the loss, trained arrays, states, the state of the solver, and the
  // outputs.
  using Function = absl::FunctionRef<DlArrays(Arrays)>;
  DlArrays WholeStep(Arrays in, Function differentiate, Function update);
  // One rank records the whole step. Several differ in the sizes of their parts, so in what they
  // record and when: they record Differentiate, and the update is a function of its own, which is
  // the same in all of them and gives the same bits.
  DlArrays RunStep(const DlArrays& in, int64_t calls_left, bool padded);
  ValidationRecord Validate(int64_t iteration);
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
  const bool on_gpu_ = ChooseDevice();
  const LossFunction& loss_;
  DlNetwork network_;
  MiniBatchQueue queue_;
  std::optional<MiniBatchQueue> validation_queue_;
  const Solver solver_;
  DlArrays solver_state_;
  std::vector<AnyMetric> metrics_;
  RandomSource network_source_, order_source_;
  // The arrays that are trained, in place in network_.
  std::optional<ParameterList> parameters_;
  std::optional<RepeatedCall> compute_;     // WholeStep; with several ranks Differentiate.
  std::optional<RepeatedCall> update_;      // With several ranks with devices.
  std::vector<bool> averaged_;              // Which states are, over ranks.
  std::optional<BatchPredictor> validate_;  // With validation data.
  const MiniBatch* batch_ = nullptr;        // Of this step and rank; only masks are read.
  int64_t padded_batches_ = 0;
  std::string why_not_;  // Steps are not recorded as a whole.
  // A step that is not recorded leaves it to the network to accelerate what it can.
  Acceleration of_network_ = Acceleration::kNone;
  TrainingInfo info_;
  std::optional<DlNetwork> best_;
  double best_objective_ = 0;
  int64_t best_iteration_ = 0, without_better_ = 0;
  Clock::time_point start_ = Clock::now();
};

bool Training::ChooseDevice() const {
  switch (options_.execution_environment) {
    case ExecutionEnvironment::kCpu:
    case ExecutionEnvironment::kParallelCpu:
      return false;
    case ExecutionEnvironment::kAuto:
      return ranks_ == nullptr ? CanUseGpu().ok() : ranks_->All(CanUseGpu().ok());
    case ExecutionEnvironment::kGpu:
    case ExecutionEnvironment::kParallelGpu:
      break;
  }
  try {
    GpuArray(DlArray(0.0F));
  } catch (Error& e) {
    e.AddPlace("Option execution_environment");
    throw;
  }
  return true;
}

void Training::Prepare(const Dataset& data) {
  const NoGradient pause;
  const ScopedRandomSource scope(network_source_);
  if (data.targets.empty()) {
    throw Error("data:NoTargets", "Training data have targets.", "None came.", "");
  }
  const size_t num_inputs = network_.InputNames().size();
  if (data.inputs.size() != num_inputs) {
    throw Error("network:InputCount", absl::StrCat("The network has ", num_inputs, " inputs."),
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
  parameters_.emplace(ParameterList::Trained(network_));
  if (parameters_->size() == 0) {
    throw Error("trainnet:NothingToLearn",
                "A network that is trained has a learnable with a learn rate factor above 0.",
                absl::StrCat("It has ", network_.Learnables().size(), " learnable arrays, ",
                             "none of them with such a factor."),
                "");
  }
  why_not_ = WhyNotAccelerated(options_.acceleration, network_);
  if (ranks_ != nullptr) PrepareRanks();
  const auto differentiate = [this](Arrays in) { return Differentiate(in); };
  const auto update = [this](Arrays in) { return Update(in); };
  if (ranks_ == nullptr) {
    compute_.emplace(
        [this, differentiate, update](Arrays in) { return WholeStep(in, differentiate, update); },
        why_not_);
  } else {
    compute_.emplace(differentiate, why_not_);
    if (on_gpu_) update_.emplace(update, why_not_);
  }
  if (validation_queue_.has_value())
    validate_.emplace(network_, std::vector<std::string>(), options_.acceleration);
}

void Training::PrepareRanks() {
  ranks_->CheckSame(
      "data and options",
      absl::StrCat(queue_.NumObservations(), " observations, mini-batches of ",
                   options_.mini_batch_size, ", ", options_.max_epochs, " epochs, solver ",
                   options_.solver, ", seed ", options_.seed, ", ", metrics_.size(), " metrics, ",
                   validation_queue_.has_value() ? validation_queue_->NumBatches() : 0,
                   " batches for validation"));
  ranks_->TakeFromFirst(network_);
  averaged_ = StatesThatGather(network_);
  const DlArrays states = network_.State().values();
  for (size_t i = 0; i < states.size(); ++i) {
    averaged_[i] = averaged_[i] && IsFloating(states[i].type());
  }
  if (std::getenv("LAMINA_CHECK_ACCELERATION") != nullptr) {
    // It runs a step twice, and each rank would decide by itself when.
    why_not_ = "the check of LAMINA_CHECK_ACCELERATION is for one rank";
  }
  // Numbers of their own for all ranks but the first.
  if (!ranks_->is_first()) {
    network_source_ = {.seed = options_.seed, .subsequence = kForNetwork + (ranks_->rank() << 32)};
  }
}

DlArrays Training::Differentiate(Arrays in) {
  Groups groups(in);
  DlArray weight;
  if (ranks_ != nullptr) weight = groups.Take(1)[0];
  const DlArrays inputs = groups.Take(batch_->inputs.size());
  DlArrays targets = groups.Take(batch_->targets.size());
  DlArrays watched = groups.Take(parameters_->size());
  network_.SetState(NetworkState(groups.Take(groups.size())));
  NetworkOutput out;
  DlArrays results;
  {
    Tape tape;
    const ScopedTape listening(&tape);
    for (size_t i = 0; i < watched.size(); ++i) {
      watched[i] = tape.Watch(watched[i]);
      *(*parameters_)[i].value = watched[i];
    }
    out = network_.ForwardAll(inputs, {}, of_network_);
    DlArrays outputs = out.outputs;
    LeaveOutPadding(*batch_, outputs, targets);
    const DlArray loss = loss_(outputs, targets);
    if (!tape.IsWatched(loss)) {
      throw Error("trainnet:LossUntraced",
                  "The loss is computed from the network's outputs by array functions.",
                  absl::StrCat("The loss \"", loss_.name(), "\" does not depend on any learnable."),
                  "Compute it without ExtractData and without reading values.");
    }
    results = {loss};
    Append(results, tape.Gradient(loss, watched, {}));
  }
  DlArrays states = out.state.values();
  if (ranks_ != nullptr) {
    const size_t own = results.size();
    for (size_t i = 0; i < states.size(); ++i) {
      if (averaged_[i]) results.push_back(states[i]);
    }
    DlArrays mean = ranks_->Mean(results, weight);
    results.assign(mean.begin(), mean.begin() + static_cast<int64_t>(own));
    size_t next = own;
    for (size_t i = 0; i < states.size(); ++i) {
      if (averaged_[i]) states[i] = mean[next++];
    }
  }
  Append(results, states);
  if (!metrics_.empty()) Append(results, out.outputs);
  return results;
}

DlArrays Training::Update(Arrays in) {
  Groups groups(in);
  const DlArray rates = groups.Take(1)[0];
  DlArrays results = groups.Take(parameters_->size());
  for (size_t i = 0; i < results.size(); ++i) *(*parameters_)[i].value = results[i];
  DlArrays gradients = groups.Take(parameters_->size());
  DlArrays state = groups.Take(groups.size());
  solver_.Step(*parameters_, std::move(gradients), rates, state);
  for (size_t i = 0; i < results.size(); ++i) results[i] = *(*parameters_)[i].value;
  Append(results, state);
  return results;
}

DlArrays Training::WholeStep(Arrays in, Function differentiate, Function update) {
  const size_t num_states = network_.State().values().size(), num_parameters = parameters_->size();
  const size_t of_data =
      (ranks_ == nullptr ? 0 : 1) + batch_->inputs.size() + batch_->targets.size();
  Groups groups(in);
  DlArrays of_update = groups.Take(1);
  const DlArrays of_gradients = groups.Take(of_data + num_parameters + num_states);
  Append(of_update, Arrays(of_gradients).subspan(of_data, num_parameters));
  const DlArrays computed = differentiate(of_gradients);
  Groups parts(computed);
  DlArrays results = parts.Take(1);
  Append(of_update, parts.Take(num_parameters));
  Append(of_update, groups.Take(groups.size()));
  const DlArrays states = parts.Take(num_states), updated = update(of_update);
  Append(results, Arrays(updated).first(num_parameters));
  Append(results, states);
  Append(results, Arrays(updated).subspan(num_parameters));
  Append(results, parts.Take(parts.size()));
  return results;
}

DlArrays Training::RunStep(const DlArrays& in, int64_t calls_left, bool padded) {
  const ScopedProductPrecision precision(options_.product_precision);
  const auto differentiate = [this](Arrays x) { return Differentiate(x); };
  const auto update = [this](Arrays x) { return Update(x); };
  const auto recorded = [&](Arrays x) { return (*compute_)(x, calls_left); };
  const auto recorded_update = [&](Arrays x) { return (*update_)(x, calls_left); };
  if (ranks_ == nullptr) return padded ? WholeStep(in, differentiate, update) : recorded(in);
  return WholeStep(in, padded ? Function(differentiate) : Function(recorded),
                   update_.has_value() ? Function(recorded_update) : Function(update));
}

bool Training::Step(const MiniBatch& batch, TrainingRecord& record) {
  const MiniBatch of_rank = ranks_ == nullptr ? MiniBatch() : ranks_->PartOf(batch);
  const MiniBatch& part = ranks_ == nullptr ? batch : of_rank;
  batch_ = &part;
  DlArrays changing;
  for (const ParameterList::Item& item : parameters_->items()) changing.push_back(*item.value);
  const DlArrays states = network_.State().values();
  Append(changing, states);
  Append(changing, solver_state_);
  DlArrays in{solver_.Rates(record.learn_rate, record.iteration)};
  if (ranks_ != nullptr) in.push_back(ranks_->WeightOf(batch));
  Append(in, part.inputs);
  Append(in, part.targets);
  Append(in, changing);
  if (on_gpu_) {
    for (DlArray& x : in) x = GpuArray(x);
  }

  const bool padded = HasPadding(batch);
  if (padded) ++padded_batches_;
  of_network_ = padded || !why_not_.empty() ? options_.acceleration : Acceleration::kNone;
  const int64_t all = queue_.NumBatches() * options_.max_epochs;
  const DlArrays results = RunStep(in, all - record.iteration, padded);
  record.loss = Gather(results[0]).Scalar();
  const bool finite = std::isfinite(record.loss);

  Groups groups(finite ? Arrays(results).subspan(1) : Arrays(changing));
  for (const ParameterList::Item& item : parameters_->items()) {
    *item.value = groups.Take(1)[0];
  }
  network_.SetState(NetworkState(groups.Take(states.size())));
  if (!finite) return false;
  const size_t num_outputs = metrics_.empty() ? 0 : network_.OutputNames().size();
  solver_state_ = groups.Take(groups.size() - num_outputs);
  network_.ResetState();
  if (metrics_.empty()) return true;
  DlArrays outputs = groups.Take(num_outputs), targets = batch.targets;
  for (DlArray& y : outputs) y = Gather(y);
  if (ranks_ != nullptr) outputs = ranks_->Together(batch, outputs);
  LeaveOutPadding(batch, outputs, targets);
  for (AnyMetric& m : metrics_) {
    m.Reset();
    m.Update(outputs, targets);
    record.metrics.push_back(m.Evaluate());
  }
  return true;
}

ValidationRecord Training::Validate(int64_t iteration) {
  RandomSource source{.seed = options_.seed, .subsequence = kForValidation};
  const ScopedRandomSource scope(source);
  ValidationRecord record{.iteration = iteration};
  const int64_t iterations_left = queue_.NumBatches() * options_.max_epochs - iteration;
  record.loss = Evaluate(*validate_, network_, *validation_queue_, &loss_, metrics_,
                         iterations_left / options_.validation_frequency, ranks_);
  for (const AnyMetric& m : metrics_) record.metrics.push_back(m.Evaluate());
  return record;
}

bool Training::Judge(const ValidationRecord& record) {
  double objective = -record.loss;
  for (size_t i = 0; i < metrics_.size(); ++i) {
    if (metrics_[i].Name() != options_.objective_metric_name) continue;
    objective = metrics_[i].Maximize() ? record.metrics[i] : -record.metrics[i];
  }
  // NaN is never better, except than nothing.
  if (best_iteration_ == 0 || objective > best_objective_ ||
      (std::isnan(best_objective_) && !std::isnan(objective))) {
    best_objective_ = objective;
    best_iteration_ = record.iteration;
    without_better_ = 0;
    if (options_.output_network != OutputNetwork::kLastIteration) best_ = network_;
    return false;
  }
  return ++without_better_ >= options_.validation_patience;
}

TrainingResult Training::Run() {
  const NoGradient pause;  // A watch of the caller hears nothing of the training.
  const ScopedRandomSource scope(network_source_);
  const ScopedAcceleration acceleration(options_.acceleration);
  const int64_t per_epoch = queue_.NumBatches(), all = per_epoch * options_.max_epochs;
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
    while (queue_.HasData() && !stopped) {
      TrainingRecord record{.iteration = ++iteration, .epoch = epoch};
      record.learn_rate =
          solver_.initial_learn_rate() *
          options_.learn_rate_schedule.Factor({epoch, iteration, per_epoch, options_.max_epochs});
      const bool finite = Step(queue_.Next(), record);
      info_.training_history.push_back(record);
      info_.stop_iteration = iteration;
      if (!finite) {
        stop(StopReason::kLossNotFinite);
        break;
      }
      info_.output_network_iteration = iteration;
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
  if (on_gpu_) network_ = Gather(network_);
  if (options_.batch_normalization_statistics == BatchNormalizationStatistics::kPopulation) {
    SetPopulationStatistics(queue_, network_);
  }
  if (ranks_ != nullptr) ranks_->TakeFromFirst(network_);
  info_.acceleration_report =
      ranks_ == nullptr ? "Training:\n" : absl::StrCat("Training, ", ranks_->Name(), ":\n");
  if (padded_batches_ > 0) {
    absl::StrAppend(&info_.acceleration_report, padded_batches_,
                    " batches had padding in their targets and ran op by op\n");
  }
  info_.acceleration_report += compute_->Report();
  if (update_.has_value())
    absl::StrAppend(&info_.acceleration_report, "Update:\n", update_->Report());
  if (options_.acceleration == Acceleration::kAuto && (padded_batches_ > 0 || !why_not_.empty())) {
    absl::StrAppend(&info_.acceleration_report, kByItself, network_.AccelerationReport());
  }
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
