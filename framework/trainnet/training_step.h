// One iteration of a training: a mini-batch goes through Forward, the loss is differentiated with
// respect to the learnables, and the solver takes a step. It is a function of arrays, which is
// recorded and compiled as a whole (acceleration/repeated_call.h), on a device where the training
// runs there.
//
//   TrainingStep step(options, loss, ranks, network);
//   TrainingStep::Data data = step.DataOf(batch);
//   const TrainingStep::Result result = step(data, 0.01, 1, 99, [] {});
//   if (!result.finite) ...  // Nothing changed.
#ifndef FRAMEWORK_TRAINNET_TRAINING_STEP_H_
#define FRAMEWORK_TRAINNET_TRAINING_STEP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "framework/acceleration/repeated_call.h"
#include "framework/network/network.h"
#include "framework/trainnet/data.h"
#include "framework/trainnet/loss_function.h"
#include "framework/trainnet/solver.h"
#include "framework/trainnet/training_options.h"
#include "framework/trainnet/training_ranks.h"
#include "framework/trainnet/updates.h"

namespace lamina {

class TrainingStep {
 public:
  /// What a step takes of a mini-batch.
  struct Data {
    MiniBatch batch, of_rank;  ///< The whole, and where there are several ranks the part of this.
    DlArrays arrays;           ///< The weight of that part, inputs, targets.
  };
  struct Result {
    double loss = 0;      ///< Of the whole mini-batch.
    bool finite = false;  ///< The loss is. If not, nothing changed.
    /// Of the whole mini-batch, for metrics; empty without them. With padding, if there was any.
    DlArrays outputs;
  };

  /// `network` is initialised, lives longer, and has its learnables and states changed by each
  /// step. `ranks`: null for one. Errors: "gpu:NoDevice"; "trainnet:NothingToLearn".
  TrainingStep(const TrainingOptions& options, const LossFunction& loss, TrainingRanks* ranks,
               DlNetwork& network);
  TrainingStep(const TrainingStep&) = delete;
  TrainingStep& operator=(const TrainingStep&) = delete;

  Data DataOf(MiniBatch batch) const;
  /// To the device of the network, if it lies on one: not waiting for what is computed there.
  /// Errors: "gpu:OutOfMemory"; then a step brings over what is missing.
  void BringOver(Data& data) const;

  /// `data` loses its arrays. `calls_left`: how many steps will follow, by which it is judged
  /// whether compiling pays. `meanwhile` is called once, before the results of a device are waited
  /// for, and when the memory of `data` there can be taken for other data; not without a device.
  /// Errors: "trainnet:LossUntraced"; those of network, loss and ranks.
  using Meanwhile = absl::FunctionRef<void()>;
  Result operator()(Data& data, double learn_rate, int64_t iteration, int64_t calls_left,
                    Meanwhile meanwhile);

  /// After a loss that is not finite, with the random source as it was before that step: where the
  /// mini-batch is not finite either; or the first op that gave NaN, or else infinity, or got it,
  /// when the loss is computed again op by op. Of several ranks each looks at its own part; ""
  /// where nothing is found.
  std::string FindNotFinite(const Data& data);

  /// Learnables and states of the network lie on a device.
  bool on_gpu() const { return on_gpu_; }
  double initial_learn_rate() const { return solver_.initial_learn_rate(); }
  /// What was recorded and compiled, and what was not and why; in lines.
  std::string Report() const;

 private:
  void PrepareRanks();
  DlArray Loss(const DlNetwork& network, Arrays inputs, DlArrays targets, NetworkOutput* out) const;
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
  DlArrays Run(const DlArrays& in, int64_t calls_left, bool padded);

  const TrainingOptions& options_;
  const LossFunction& loss_;
  TrainingRanks* const ranks_;
  DlNetwork& network_;
  const bool on_gpu_;
  const bool with_outputs_;
  const Solver solver_;
  DlArrays solver_state_;
  // The arrays that are trained, in place in network_.
  const ParameterList parameters_;
  std::optional<RepeatedCall> compute_;  // WholeStep; with several ranks Differentiate.
  std::optional<RepeatedCall> update_;   // With several ranks with devices.
  std::vector<bool> averaged_;           // Which states are, over ranks.
  const MiniBatch* batch_ = nullptr;     // Of this step and rank; only masks are read.
  int64_t padded_batches_ = 0;
  std::string why_not_;  // Steps are not recorded as a whole.
  // A step that is not recorded leaves it to the network to accelerate what it can.
  Acceleration of_network_ = Acceleration::kNone;
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_TRAINING_STEP_H_
