// Records a function together with its vector-Jacobian product, and takes the recording apart.
// Used by trace.cc.
//
// Threads: pure functions.
#ifndef FRAMEWORK_ACCELERATION_TRACE_RECORDING_H_
#define FRAMEWORK_ACCELERATION_TRACE_RECORDING_H_

#include <memory>
#include <string>
#include <vector>

#include "framework/acceleration/trace.h"

namespace lamina::internal {

/// A function, and, where gradients are wanted, its derivative in the same graph.
struct JointRecording {
  Graph graph;  ///< Returns the outputs, then the derivatives.
  size_t num_forward_steps = 0;
  size_t num_outputs = 0;
  std::vector<bool> depends;           ///< For each output: on a watched input?
  std::vector<int> derivative_inputs;  ///< For each output the value that stands for its
                                       ///< derivative; -1 where it is not wanted.
  std::vector<int> gradient_of;        ///< For each derivative the input that it is for.
};

/// Records `function`. `wanted` is null for all gradients that there are. Where the derivative
/// cannot be recorded, the recording is of the function alone. Null, with the reason in `why`,
/// where the function cannot be recorded.
std::unique_ptr<JointRecording> RecordJoint(const TracedFunction& function,
                                            const std::vector<ArraySpec>& specs,
                                            const std::vector<bool>& watched,
                                            const WantedGradients* wanted, NotTraced* why);

/// The two parts of a recording as graphs of their own. What the derivative reads is handed over,
/// unless it can compute it again by a few cheap steps. They run on `device`, or null.
std::unique_ptr<TraceVariant> Split(const JointRecording& joint,
                                    const std::shared_ptr<GraphDevice>& device);

/// Notes `weights[k]` as the derivatives of `outputs[k]` and takes those of `variables`. The tape
/// listens.
DlArrays VectorJacobianOfAll(Tape& tape, const DlArrays& outputs, const DlArrays& weights,
                             const DlArrays& variables, const GradientOptions& options);

/// "plus(3, 4) -> 5" for each step of the function itself.
std::vector<std::string> ForwardSteps(const JointRecording& joint);

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_TRACE_RECORDING_H_
