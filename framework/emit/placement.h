// Placement: which values of a graph get memory, and which are computed where they are read.
//
// Used by program.cc. Threads: plain values.
#ifndef FRAMEWORK_EMIT_PLACEMENT_H_
#define FRAMEWORK_EMIT_PLACEMENT_H_

#include <set>
#include <vector>

#include "framework/graph/graph.h"

namespace lamina::internal {

/// What a step's Write does with an output.
enum class Form : uint8_t {
  kGiven,    ///< An input of the graph or a constant: no step makes it.
  kDefined,  ///< Each element from others.
  kView,     ///< The elements of another value, in the same order.
  kLoops,    ///< Loops store it.
};

struct ValueForm {
  Form form = Form::kGiven;
  int step = -1;
  int viewed = -1;  ///< Of a view: the other value.
};

struct Placement {
  std::vector<bool> needed;      ///< For each step.
  std::vector<bool> has_memory;  ///< For each value; false for views.
  std::vector<int> num_reads;    ///< For each value: how often steps read it, through views too.
};

/// The steps that the outputs need.
std::vector<bool> NeededSteps(const Graph& graph);

/// `forms` has an entry for each value, `reads_once` one for each step.
Placement Place(const Graph& graph, const std::vector<ValueForm>& forms,
                const std::vector<bool>& reads_once);

/// The value whose elements a view shows, through any number of views; others are themselves.
int ViewedRoot(const std::vector<ValueForm>& forms, int value);

/// Equal sizes but for dims of size 1, wherever they stand.
bool SameButForOnes(const Sizes& a, const Sizes& b);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_PLACEMENT_H_
