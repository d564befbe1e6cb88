// Graph: what a function of arrays does, as a list of ops on sizes, labels and types, without
// values.
//
// A graph is recorded by running the function once with arrays that have no values: each op that
// gets one of them is written down instead of run. Since gradients are array functions, a function
// that takes gradients is recorded like any other. Ops on arrays that do have values are run at
// once, and their results are constants of the graph.
//
//   Graph graph = RecordGraph([](Arrays x) { return DlArrays{Tanh(x[0]) + x[1]}; },
//                             {ArraySpec{DataType::kSingle, {3, 2}, "CB"}, ...});
//   std::cout << ToString(graph);
//   DlArrays y = graph.Evaluate({a, b});
//
// Threads: recording listens to its own thread; a finished graph may be read and evaluated from any
// number of threads.
#ifndef FRAMEWORK_GRAPH_GRAPH_H_
#define FRAMEWORK_GRAPH_GRAPH_H_

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/ops/op.h"

namespace lamina {

/// An array of a graph, named by its number: an input, a constant, or an output of a step.
struct GraphValue {
  ArraySpec spec;
  DlArray constant;  ///< Set for constants, which may have no elements; unset for others.
  bool is_constant() const { return constant.data().get() != internal::ArrayData::Unset().get(); }
};

/// One op applied to values, in the order of execution.
struct GraphStep {
  OpPtr op;
  std::vector<int> inputs;
  std::vector<int> outputs;
};

class Graph {
 public:
  Graph() = default;
  /// A graph of parts that fit together: check_graph.h says when they do.
  Graph(std::vector<GraphValue> values, std::vector<GraphStep> steps, std::vector<int> inputs,
        std::vector<int> outputs)
      : values_(std::move(values)),
        steps_(std::move(steps)),
        inputs_(std::move(inputs)),
        outputs_(std::move(outputs)) {}

  const std::vector<GraphValue>& values() const { return values_; }
  const std::vector<GraphStep>& steps() const { return steps_; }
  /// Numbers of the values that the function was given, and of those that it returned.
  const std::vector<int>& inputs() const { return inputs_; }
  const std::vector<int>& outputs() const { return outputs_; }

  /// Runs the steps on these values. Random numbers are drawn afresh. Errors: "graph:InputCount",
  /// "graph:InputSpec" when an input differs in size, labels or type from what was recorded; those
  /// of the ops.
  DlArrays Evaluate(Arrays inputs) const;

  /// Puts the inputs in another order, and makes other values the outputs. `inputs` holds all of
  /// the graph's inputs.
  void SetInterface(std::vector<int> inputs, std::vector<int> outputs) {
    inputs_ = std::move(inputs);
    outputs_ = std::move(outputs);
  }

 private:
  friend class GraphRecorder;
  std::vector<GraphValue> values_;
  std::vector<GraphStep> steps_;
  std::vector<int> inputs_, outputs_;
};

/// Records `function` on inputs of these specs. Errors: "dlarray:NoValues" when the function reads
/// an array's value, even where it catches that Error itself; those of the function.
Graph RecordGraph(const std::function<DlArrays(Arrays)>& function,
                  std::span<const ArraySpec> inputs);

/// Whether a function is being recorded in this thread.
bool IsRecording();

/// One line for each step: "%4 = times(%0, %3)   24(S) x 20(C) single DlArray".
std::string ToString(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_GRAPH_H_
