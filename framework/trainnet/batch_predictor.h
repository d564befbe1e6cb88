// The Predict of a network for one batch after another, accelerated once that is worth it
// (acceleration.h). What TestNet, MiniBatchPredict and validations run.
//
//   BatchPredictor predict(network, {}, Acceleration::kAuto);
//   DlArrays outputs = predict(network, batch.inputs, batches_left);
//
// Learnables and states are arguments of what is recorded, so the network may be trained between
// the calls. Its layers stay as they were otherwise.
//
// Threads: an object belongs to one thread.
#ifndef FRAMEWORK_TRAINNET_BATCH_PREDICTOR_H_
#define FRAMEWORK_TRAINNET_BATCH_PREDICTOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "framework/acceleration/repeated_call.h"
#include "framework/network/network.h"
#include "framework/trainnet/data.h"
#include "framework/trainnet/loss_function.h"
#include "framework/trainnet/metrics.h"
#include "framework/trainnet/training_ranks.h"

namespace lamina {

class BatchPredictor {
 public:
  /// `outputs` as in PredictAll.
  BatchPredictor(const DlNetwork& network, std::vector<std::string> outputs,
                 Acceleration acceleration);
  BatchPredictor(const BatchPredictor&) = delete;
  BatchPredictor& operator=(const BatchPredictor&) = delete;

  /// The outputs of `network`, which has the layers of the constructor's. About `calls_left` calls
  /// come after this one. Errors: those of PredictAll.
  DlArrays operator()(const DlNetwork& network, Arrays inputs, int64_t calls_left);
  std::string Report() const;

 private:
  DlArrays Compute(Arrays in);

  DlNetwork network_;  // A place for the arrays.
  const std::vector<std::string> outputs_;
  const size_t num_inputs_;
  const std::string why_not_;
  const Acceleration of_network_;
  RepeatedCall call_;
};

/// Loss and metrics in one pass over `queue`, which is reset first. The metrics are reset too.
/// About `passes_left` passes come after this one. With `ranks` each predicts its part of a batch,
/// and all get loss and metrics of the whole.
double Evaluate(BatchPredictor& predict, const DlNetwork& network, MiniBatchQueue& queue,
                const LossFunction* loss, std::vector<AnyMetric>& metrics, int64_t passes_left,
                TrainingRanks* ranks = nullptr);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_BATCH_PREDICTOR_H_
