// What a trained network says about many observations, batch by batch.
//
//   const DlArray scores = MiniBatchPredict(network, images);
//   const std::vector<std::string> labels = ScoresToLabel(scores, names);      // labels.h
//   const double accuracy = TestNet(network, Dataset(images, targets), {"accuracy"})[0];
//
// Sequences are run in batches of equal length, so that no padding touches a result: it is that of
// each sequence alone, to rounding.
//
// Each batch begins with the states that the network has. Errors: those of data.h, of the network
// and of the metrics. Threads: pure functions, but that random layers draw from the current source.
#ifndef FRAMEWORK_TRAINNET_PREDICT_H_
#define FRAMEWORK_TRAINNET_PREDICT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "framework/acceleration/acceleration.h"
#include "framework/network/network.h"
#include "framework/trainnet/data.h"
#include "framework/trainnet/loss_function.h"
#include "framework/trainnet/metrics.h"

namespace lamina {

/// `outputs` counts for MiniBatchPredict alone.
struct PredictOptions {
  int64_t mini_batch_size = 128;
  /// Names of outputs ("conv1", "lstm/out2"); empty: the network's.
  std::vector<std::string> outputs{};
  /// The network is recorded and compiled when that is worth it.
  Acceleration acceleration = Acceleration::kAuto;
};

/// The outputs of Predict for all observations along B, in their order. Errors: also
/// "data:Unlabelled" for an output without B when there are several batches.
DlArrays MiniBatchPredict(const DlNetwork& network, const DlArrays& inputs,
                          const PredictOptions& options = {});
/// The one output for one input. Errors: also "network:OutputCount".
DlArray MiniBatchPredict(const DlNetwork& network, const DlArray& x,
                         const PredictOptions& options = {});

/// The one output for sequences: an output with a T dim as a list again, in the member `sequences`;
/// another one as an array with the sequences along B. Errors: also "network:OutputCount".
///
///   const DlArray scores = MiniBatchPredict(network, Sequences(recordings));
Observations MiniBatchPredict(const DlNetwork& network, const Sequences& x,
                              const PredictOptions& options = {});

/// The metrics of all data, in their order.
std::vector<double> TestNet(const DlNetwork& network, const Dataset& data,
                            const std::vector<AnyMetric>& metrics,
                            const PredictOptions& options = {});
/// The loss of all data: the mean of the losses of the batches, weighted by their observations and
/// time steps.
double TestLoss(const DlNetwork& network, const Dataset& data, const LossFunction& loss,
                const PredictOptions& options = {});

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_PREDICT_H_
