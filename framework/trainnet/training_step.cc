#include "framework/trainnet/training_step.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/coordinates.h"
#include "framework/ops/finite_check.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"

namespace lamina {
namespace {

constexpr char kByItself[] = "but for what the network recorded by itself:\n";

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

// "Input 1 of the mini-batch is not finite at 0(C), 3(B), in observation number 17 of the data.",
// or
// "" when all inputs and targets are.
std::string WhereDataAreNotFinite(const MiniBatch& batch) {
  const auto look = [&batch](const DlArrays& arrays, std::string_view name) {
    std::string text;
    for (size_t i = 0; i < arrays.size() && text.empty(); ++i) {
      const DlArray& x = arrays[i];
      int64_t index = FirstNotFinite(x);
      if (index < 0) continue;
      absl::StrAppend(&text, std::string(name), " ", i, " of the mini-batch is not finite at ",
                      Coordinates(x.spec(), index));
      const int b = FindDim(x, 'B');
      for (int d = 0; d < b; ++d) index /= x.sizes()[d];
      if (b >= 0) {
        absl::StrAppend(&text, ", in observation number ", batch.observations[index % x.sizes()[b]],
                        " of the data");
      }
      text += ".";
    }
    return text;
  };
  const std::string of_inputs = look(batch.inputs, "Input");
  return of_inputs.empty() ? look(batch.targets, "Target") : of_inputs;
}

// Whether steps run on a device. Errors: "gpu:NoDevice".
bool ChooseDevice(ExecutionEnvironment where, TrainingRanks* ranks) {
  switch (where) {
    case ExecutionEnvironment::kCpu:
    case ExecutionEnvironment::kParallelCpu:
      return false;
    case ExecutionEnvironment::kAuto:
      return ranks == nullptr ? CanUseGpu().ok() : ranks->All(CanUseGpu().ok());
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

}  // namespace

TrainingStep::TrainingStep(const TrainingOptions& options, const LossFunction& loss,
                           TrainingRanks* ranks, DlNetwork& network)
    : options_(options),
      loss_(loss),
      ranks_(ranks),
      network_(network),
      on_gpu_(ChooseDevice(options.execution_environment, ranks)),
      with_outputs_(!options.metrics.empty()),
      solver_(options),
      parameters_(ParameterList::Trained(network)) {
  if (parameters_.size() == 0) {
    throw Error("trainnet:NothingToLearn",
                "A network that is trained has a learnable with a learn rate factor above 0.",
                absl::StrCat("It has ", network_.Learnables().size(), " learnable arrays, ",
                             "none of them with such a factor."),
                "");
  }
  why_not_ = WhyNotAccelerated(options_.acceleration, network_);
  const auto differentiate = [this](Arrays in) { return Differentiate(in); };
  const auto update = [this](Arrays in) { return Update(in); };
  if (ranks_ == nullptr) {
    compute_.emplace(
        [this, differentiate, update](Arrays in) { return WholeStep(in, differentiate, update); },
        why_not_);
    return;
  }
  PrepareRanks();
  compute_.emplace(differentiate, why_not_);
  if (on_gpu_) update_.emplace(update, why_not_);
}

void TrainingStep::PrepareRanks() {
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
}

DlArray TrainingStep::Loss(const DlNetwork& network, Arrays inputs, DlArrays targets,
                           NetworkOutput* out) const {
  *out = network.ForwardAll(inputs, {}, of_network_);
  DlArrays outputs = out->outputs;
  LeaveOutPadding(*batch_, outputs, targets);
  return loss_(outputs, targets);
}

DlArrays TrainingStep::Differentiate(Arrays in) {
  Groups groups(in);
  DlArray weight;
  if (ranks_ != nullptr) weight = groups.Take(1)[0];
  const DlArrays inputs = groups.Take(batch_->inputs.size());
  const DlArrays targets = groups.Take(batch_->targets.size());
  DlArrays watched = groups.Take(parameters_.size());
  network_.SetState(NetworkState(groups.Take(groups.size())));
  NetworkOutput out;
  DlArrays results;
  {
    Tape tape;
    const ScopedTape listening(&tape);
    for (size_t i = 0; i < watched.size(); ++i) {
      watched[i] = tape.Watch(watched[i]);
      *parameters_[i].value = watched[i];
    }
    const DlArray loss = Loss(network_, inputs, targets, &out);
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
  if (with_outputs_) Append(results, out.outputs);
  return results;
}

DlArrays TrainingStep::Update(Arrays in) {
  Groups groups(in);
  const DlArray rates = groups.Take(1)[0];
  DlArrays results = groups.Take(parameters_.size());
  for (size_t i = 0; i < results.size(); ++i) *parameters_[i].value = results[i];
  DlArrays gradients = groups.Take(parameters_.size());
  DlArrays state = groups.Take(groups.size());
  solver_.Step(parameters_, std::move(gradients), rates, state);
  for (size_t i = 0; i < results.size(); ++i) results[i] = *parameters_[i].value;
  Append(results, state);
  return results;
}

DlArrays TrainingStep::WholeStep(Arrays in, Function differentiate, Function update) {
  const size_t num_states = network_.State().values().size(), num_parameters = parameters_.size();
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

DlArrays TrainingStep::Run(const DlArrays& in, int64_t calls_left, bool padded) {
  const ScopedProductPrecision precision(options_.product_precision);
  const auto differentiate = [this](Arrays x) { return Differentiate(x); };
  const auto update = [this](Arrays x) { return Update(x); };
  const auto recorded = [&](Arrays x) { return (*compute_)(x, calls_left); };
  const auto recorded_update = [&](Arrays x) { return (*update_)(x, calls_left); };
  if (ranks_ == nullptr) return padded ? WholeStep(in, differentiate, update) : recorded(in);
  return WholeStep(in, padded ? Function(differentiate) : Function(recorded),
                   update_.has_value() ? Function(recorded_update) : Function(update));
}

TrainingStep::Data TrainingStep::DataOf(MiniBatch batch) const {
  Data data{.batch = std::move(batch), .of_rank = {}, .arrays = {}};
  if (ranks_ != nullptr) {
    data.of_rank = ranks_->PartOf(data.batch);
    data.arrays.push_back(ranks_->WeightOf(data.batch));
  }
  const MiniBatch& part = ranks_ == nullptr ? data.batch : data.of_rank;
  Append(data.arrays, part.inputs);
  Append(data.arrays, part.targets);
  return data;
}

void TrainingStep::BringOver(Data& data) const {
  if (!on_gpu_) return;
  for (DlArray& x : data.arrays) x = GpuArray(x);
}

TrainingStep::Result TrainingStep::operator()(Data& data, double learn_rate, int64_t iteration,
                                              int64_t calls_left, Meanwhile meanwhile) {
  const MiniBatch& batch = data.batch;
  batch_ = ranks_ == nullptr ? &batch : &data.of_rank;
  DlArrays changing;
  for (const ParameterList::Item& item : parameters_.items()) changing.push_back(*item.value);
  const DlArrays states = network_.State().values();
  Append(changing, states);
  Append(changing, solver_state_);
  DlArrays in{solver_.Rates(learn_rate, iteration)};
  Append(in, std::exchange(data.arrays, {}));
  Append(in, changing);
  if (on_gpu_) {
    for (DlArray& x : in) x = GpuArray(x);
  }

  std::optional<FiniteCheck> check;
  if (options_.check_finite) check.emplace();
  const bool padded = HasPadding(batch);
  if (padded) ++padded_batches_;
  of_network_ = padded || !why_not_.empty() ? options_.acceleration : Acceleration::kNone;
  const DlArrays results = Run(in, calls_left, padded);
  check.reset();
  // Work on a device is done in order: what is brought over next may take the memory of this data.
  in.clear();
  if (on_gpu_) meanwhile();
  Result result;
  result.loss = Gather(results[0]).Scalar();
  result.finite = std::isfinite(result.loss);

  Groups groups(result.finite ? Arrays(results).subspan(1) : Arrays(changing));
  for (const ParameterList::Item& item : parameters_.items()) *item.value = groups.Take(1)[0];
  network_.SetState(NetworkState(groups.Take(states.size())));
  if (!result.finite) return result;
  const size_t num_outputs = with_outputs_ ? network_.OutputNames().size() : 0;
  solver_state_ = groups.Take(groups.size() - num_outputs);
  network_.ResetState();
  result.outputs = groups.Take(num_outputs);
  for (DlArray& y : result.outputs) y = Gather(y);
  if (ranks_ != nullptr && with_outputs_) result.outputs = ranks_->Together(batch, result.outputs);
  return result;
}

std::string TrainingStep::FindNotFinite(const Data& data) {
  batch_ = ranks_ == nullptr ? &data.batch : &data.of_rank;
  const DlNetwork here = Gather(network_);
  const ScopedProductPrecision precision(options_.product_precision);
  const std::string of_data = WhereDataAreNotFinite(*batch_);
  if (!of_data.empty()) return of_data;
  return WhatIsNotFinite([&] {
    RandomSource source = CurrentRandomSource();
    const ScopedRandomSource again(source);
    NetworkOutput out;
    Loss(here, batch_->inputs, batch_->targets, &out);
  });
}

std::string TrainingStep::Report() const {
  std::string report =
      ranks_ == nullptr ? "Training:\n" : absl::StrCat("Training, ", ranks_->Name(), ":\n");
  if (padded_batches_ > 0) {
    absl::StrAppend(&report, padded_batches_,
                    " batches had padding in their targets and ran op by op\n");
  }
  report += compute_->Report();
  if (update_.has_value()) absl::StrAppend(&report, "Update:\n", update_->Report());
  if (options_.acceleration == Acceleration::kAuto && (padded_batches_ > 0 || !why_not_.empty())) {
    absl::StrAppend(&report, kByItself, network_.AccelerationReport());
  }
  return report;
}

}  // namespace lamina
