// What a derivative reads of its function: kept from the run of the function, or computed again.
//
// Reading an array from memory costs more than a comparison or a sum, so what some cheap steps give
// from values at hand is computed again. For a chain of elementwise functions nothing but the
// inputs is kept. Used by trace_recording.cc. Threads: a plain value.
#ifndef FRAMEWORK_ACCELERATION_RECOMPUTATION_H_
#define FRAMEWORK_ACCELERATION_RECOMPUTATION_H_

#include <set>
#include <vector>

#include "framework/graph/graph.h"

namespace lamina::internal {

class Recomputation {
 public:
  /// The first `boundary` steps of the graph are the function; `read` are the values that the steps
  /// of the derivative read. Inputs, constants and outputs of the graph are at hand in any case.
  Recomputation(const Graph& graph, size_t boundary, const std::set<int>& read);

  /// The values of the function's steps that are kept; in increasing order.
  std::vector<int> Kept() const;
  /// The steps of the function that are done again; in increasing order.
  std::vector<size_t> Steps() const { return {steps_.begin(), steps_.end()}; }

 private:
  bool IsAtHand(int value, int depth) const;
  void Need(int value);

  const Graph& graph_;
  std::vector<int> step_of_;  // For each value the step of the function that makes it, or -1.
  std::vector<bool> kept_;
  std::set<size_t> steps_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_RECOMPUTATION_H_
