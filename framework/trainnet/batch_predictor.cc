#include "framework/trainnet/batch_predictor.h"

#include <utility>

#include "framework/autodiff/tape.h"

namespace lamina {
namespace {

// What a loss is a mean over: observations and time steps.
double WeightOf(const DlArrays& targets, int64_t num_observations) {
  if (targets.empty()) return static_cast<double>(num_observations);
  return static_cast<double>(Size(targets[0], 'B') * Size(targets[0], 'T'));
}

}  // namespace

BatchPredictor::BatchPredictor(const DlNetwork& network, std::vector<std::string> outputs,
                               Acceleration acceleration)
    : network_(network),
      outputs_(std::move(outputs)),
      num_inputs_(network.InputNames().size()),
      why_not_(WhyNotAccelerated(acceleration, network)),
      // A network that cannot be recorded as a whole accelerates what it can.
      of_network_(why_not_.empty() ? Acceleration::kNone : acceleration),
      call_([this](Arrays in) { return Compute(in); }, why_not_) {}

DlArrays BatchPredictor::operator()(const DlNetwork& network, Arrays inputs, int64_t calls_left) {
  if (inputs.size() != num_inputs_ || !network.IsInitialized()) {
    return network.PredictAll(inputs, outputs_, Acceleration::kNone)
        .outputs;  // Throws what there is to say.
  }
  DlArrays in(inputs.begin(), inputs.end());
  for (const DlArrays& list : {network.LearnableValues(), network.State().values()}) {
    in.insert(in.end(), list.begin(), list.end());
  }
  DlArrays outputs = call_(in, calls_left);
  for (DlArray& y : outputs) y = Gather(y);
  return outputs;
}

DlArrays BatchPredictor::Compute(Arrays in) {
  size_t next = num_inputs_;
  network_.ForEachLearnable([&](DlArray& w) { w = in[next++]; });
  network_.ForEachState([&](DlArray& s) { s = in[next++]; });
  return network_.PredictAll(in.first(num_inputs_), outputs_, of_network_).outputs;
}

std::string BatchPredictor::Report() const {
  std::string report = call_.Report();
  if (of_network_ == Acceleration::kAuto) {
    report += "but for what the network recorded by itself:\n" + network_.AccelerationReport();
  }
  return report;
}

double Evaluate(BatchPredictor& predict, const DlNetwork& network, MiniBatchQueue& queue,
                const LossFunction* loss, std::vector<AnyMetric>& metrics, int64_t passes_left,
                TrainingRanks* ranks) {
  for (AnyMetric& m : metrics) m.Reset();
  double sum = 0, weights = 0;
  const NoGradient pause;
  int64_t batches_left = queue.NumBatches() * (1 + passes_left);
  for (queue.Reset(); queue.HasData();) {
    const MiniBatch batch = queue.Next();
    --batches_left;
    DlArrays outputs, targets = batch.targets;
    if (ranks == nullptr) {
      outputs = predict(network, batch.inputs, batches_left);
    } else {
      outputs = predict(network, ranks->PartOf(batch).inputs, batches_left);
      outputs = ranks->Together(batch, outputs);
    }
    LeaveOutPadding(batch, outputs, targets);
    for (AnyMetric& m : metrics) m.Update(outputs, targets);
    if (loss == nullptr) continue;
    const double weight = WeightOf(targets, batch.num_observations);
    sum += weight * (*loss)(outputs, targets).Scalar();
    weights += weight;
  }
  return sum / weights;
}

}  // namespace lamina
