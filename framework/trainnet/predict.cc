#include "framework/trainnet/predict.h"

#include "absl/strings/str_cat.h"
#include "framework/ops/shape.h"

namespace lamina {

DlArrays MiniBatchPredict(const DlNetwork& network, const DlArrays& inputs,
                          const PredictOptions& options) {
  MiniBatchQueue queue(Dataset(inputs, {}), {.mini_batch_size = options.mini_batch_size});
  std::vector<DlArrays> parts;  // For each output.
  const NoGradient pause;
  while (queue.HasData()) {
    DlArrays outputs = network.PredictAll(queue.Next().inputs, options.outputs).outputs;
    parts.resize(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) parts[i].push_back(std::move(outputs[i]));
  }
  DlArrays results;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() == 1) {
      results.push_back(parts[i][0]);
      continue;
    }
    if (FindDim(parts[i][0], 'B') < 0) {
      throw Error("data:Unlabelled",
                  "Outputs of several batches are put together along their dim \"B\".",
                  absl::StrCat("Output ", i + 1, " is a ", ToString(parts[i][0].spec()), "."),
                  "Ask for a mini_batch_size that takes all observations.");
    }
    results.push_back(Cat('B', parts[i]));
  }
  return results;
}

DlArray MiniBatchPredict(const DlNetwork& network, const DlArray& x,
                         const PredictOptions& options) {
  const DlArrays outputs = MiniBatchPredict(network, DlArrays{x}, options);
  if (outputs.size() == 1) return outputs[0];
  throw Error("network:OutputCount", "One output is returned for one input.",
              absl::StrCat("The network has ", outputs.size(), " outputs."),
              "Give the inputs as DlArrays, or name one output in the options.");
}

double Evaluate(const DlNetwork& network, MiniBatchQueue& queue, const LossFunction* loss,
                std::vector<AnyMetric>& metrics) {
  for (AnyMetric& m : metrics) m.Reset();
  double sum = 0, weights = 0;
  const NoGradient pause;
  for (queue.Reset(); queue.HasData();) {
    const MiniBatch batch = queue.Next();
    const DlArrays outputs = network.PredictAll(batch.inputs).outputs;
    for (AnyMetric& m : metrics) m.Update(outputs, batch.targets);
    if (loss == nullptr) continue;
    const double weight = static_cast<double>(batch.num_observations);
    sum += weight * (*loss)(outputs, batch.targets).Scalar();
    weights += weight;
  }
  return sum / weights;
}

std::vector<double> TestNet(const DlNetwork& network, const Dataset& data,
                            const std::vector<AnyMetric>& metrics, const PredictOptions& options) {
  MiniBatchQueue queue(data, {.mini_batch_size = options.mini_batch_size});
  std::vector<AnyMetric> own = metrics;
  Evaluate(network, queue, nullptr, own);
  std::vector<double> values;
  for (const AnyMetric& m : own) values.push_back(m.Evaluate());
  return values;
}

double TestLoss(const DlNetwork& network, const Dataset& data, const LossFunction& loss,
                const PredictOptions& options) {
  MiniBatchQueue queue(data, {.mini_batch_size = options.mini_batch_size});
  std::vector<AnyMetric> none;
  return Evaluate(network, queue, &loss, none);
}

}  // namespace lamina
