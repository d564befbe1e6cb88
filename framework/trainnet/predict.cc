#include "framework/trainnet/predict.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/batch_predictor.h"

namespace lamina {
namespace {

// Of equal lengths: then no padding touches a result.
MiniBatchOptions BatchOptions(const PredictOptions& options) {
  return {.mini_batch_size = options.mini_batch_size, .sequence_length = "equal"};
}

// Observation i of a batch, without the dim B.
DlArray Alone(const DlArray& batch, int64_t i) {
  const DlArray one = Slice(batch, 'B', i, 1);
  const int b = FindDim(one, 'B');
  Sizes sizes = one.sizes();
  sizes.erase(sizes.begin() + b);
  std::string labels = Dims(one);
  labels.erase(static_cast<size_t>(b), 1);
  return Reshape(one, sizes, labels);
}

// One output of all batches.
struct Parts {
  DlArrays batches;
  std::vector<int64_t> observations;  // Of all batches, one after another.

  // As the data stand: observation i where it is.
  std::vector<int64_t> Places() const {
    std::vector<int64_t> places(observations.size());
    for (size_t k = 0; k < places.size(); ++k) places[observations[k]] = static_cast<int64_t>(k);
    return places;
  }
  Sequences List() const {
    DlArrays list(observations.size());
    size_t k = 0;
    for (const DlArray& batch : batches) {
      for (int64_t i = 0; i < Size(batch, 'B'); ++i) list[observations[k++]] = Alone(batch, i);
    }
    return Sequences(std::move(list));
  }
  DlArray Together() const { return batches.size() == 1 ? batches[0] : Cat('B', batches); }
};

std::vector<Observations> PredictData(const DlNetwork& network, const Dataset& data,
                                      const PredictOptions& options) {
  bool of_sequences = false;
  for (const Observations& x : data.inputs) of_sequences = of_sequences || !x.sequences.empty();
  MiniBatchQueue queue(data, BatchOptions(options));
  std::vector<Parts> parts;  // For each output.
  const NoGradient pause;
  BatchPredictor predict(network, options.outputs, options.acceleration);
  int64_t batches_left = queue.NumBatches();
  while (queue.HasData()) {
    const MiniBatch batch = queue.Next();
    DlArrays outputs = predict(network, batch.inputs, --batches_left);
    parts.resize(outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      parts[i].batches.push_back(std::move(outputs[i]));
      parts[i].observations.insert(parts[i].observations.end(), batch.observations.begin(),
                                   batch.observations.end());
    }
  }
  std::vector<Observations> results;
  for (size_t i = 0; i < parts.size(); ++i) {
    const DlArray& first = parts[i].batches[0];
    const bool has_observations = FindDim(first, 'B') >= 0;
    if (parts[i].batches.size() > 1 && !has_observations) {
      throw Error("data:Unlabelled",
                  "Outputs of several batches are put together along their dim \"B\".",
                  absl::StrCat("Output ", i + 1, " is a ", ToString(first.spec()), "."),
                  "Ask for a mini_batch_size that takes all observations.");
    }
    if (!of_sequences || !has_observations) {
      results.push_back(parts[i].Together());
    } else if (FindDim(first, 'T') >= 0) {
      results.push_back(parts[i].List());
    } else {
      const std::vector<int64_t> places = parts[i].Places();
      const int64_t n = static_cast<int64_t>(places.size());
      results.push_back(
          Gather(parts[i].Together(), 'B', DlArray::FromVector<int64_t>(places, {n})));
    }
  }
  return results;
}

Observations OneOutput(const DlNetwork& network, const Dataset& data,
                       const PredictOptions& options) {
  std::vector<Observations> outputs = PredictData(network, data, options);
  if (outputs.size() == 1) return std::move(outputs[0]);
  throw Error("network:OutputCount", "One output is returned for one input.",
              absl::StrCat("The network has ", outputs.size(), " outputs."),
              "Give the inputs as DlArrays, or name one output in the options.");
}

}  // namespace

DlArrays MiniBatchPredict(const DlNetwork& network, const DlArrays& inputs,
                          const PredictOptions& options) {
  const std::vector<Observations> outputs = PredictData(network, Dataset(inputs, {}), options);
  return DlArrays(outputs.begin(), outputs.end());
}

DlArray MiniBatchPredict(const DlNetwork& network, const DlArray& x,
                         const PredictOptions& options) {
  return OneOutput(network, Dataset(DlArrays{x}, {}), options);
}

Observations MiniBatchPredict(const DlNetwork& network, const Sequences& x,
                              const PredictOptions& options) {
  Dataset data;
  data.inputs = {x};
  return OneOutput(network, data, options);
}

std::vector<double> TestNet(const DlNetwork& network, const Dataset& data,
                            const std::vector<AnyMetric>& metrics, const PredictOptions& options) {
  MiniBatchQueue queue(data, BatchOptions(options));
  std::vector<AnyMetric> own = metrics;
  BatchPredictor predict(network, {}, options.acceleration);
  Evaluate(predict, network, queue, nullptr, own, 0);
  std::vector<double> values;
  for (const AnyMetric& m : own) values.push_back(m.Evaluate());
  return values;
}

double TestLoss(const DlNetwork& network, const Dataset& data, const LossFunction& loss,
                const PredictOptions& options) {
  MiniBatchQueue queue(data, BatchOptions(options));
  std::vector<AnyMetric> none;
  BatchPredictor predict(network, {}, options.acceleration);
  return Evaluate(predict, network, queue, &loss, none, 0);
}

}  // namespace lamina
