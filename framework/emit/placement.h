// Placement: which loops compute a graph's values, which values get memory, and which are computed
// where they are read.
//
// A value whose only reader computes each of its elements once is absorbed: computed where it is
// read. All others stand in groups. A group is one nest of loops over a space of indices, in which
// elementwise values and sums over the same space are computed together, so that what they read is
// loaded once; an op that writes loops of its own, or that is called, is a group by itself. What
// only its own group reads needs no memory; what is cheap and can be had again from memory is
// computed again by each group that reads it.
//
// Used by program.cc. Threads: plain values.
#ifndef FRAMEWORK_EMIT_PLACEMENT_H_
#define FRAMEWORK_EMIT_PLACEMENT_H_

#include <vector>

#include "framework/graph/graph.h"

namespace lamina::internal {

/// What a step does with an output.
enum class Form : uint8_t {
  kGiven,    ///< An input of the graph or a constant: no step makes it.
  kDefined,  ///< Each element from others.
  kView,     ///< The elements of another value, in the same order.
  kSummed,   ///< Sums of elements that are computed from others.
  kLoops,    ///< Loops store it.
  kCalled,   ///< The op is called.
};

struct ValueForm {
  Form form = Form::kGiven;
  int step = -1;
  int viewed = -1;           ///< Of a view: the other value.
  Sizes space = {};          ///< Of defined and summed values: the loops' sizes, without ones.
  uint32_t summed_dims = 0;  ///< Of summed values: bit d for dim d of `space`.
  int cost = 0;              ///< Of defined values: about the operations of one element.
};

/// How a step reads.
struct StepReads {
  bool once = false;  ///< Of loops: each element of each input at most once.
  /// Of loops, for each input: it must have memory nevertheless. Empty: none must.
  std::vector<bool> in_memory = {};
  /// Of defined and summed values, for each input: only at the indices of the loops.
  std::vector<bool> aligned = {};
  /// Of defined and summed values, for each input: bit d where its indices depend on dim d of the
  /// loops.
  std::vector<uint32_t> dims = {};
};

struct Group {
  Sizes space;
  uint32_t summed_dims = 0;
  std::vector<int> members;  ///< Values, in the order of the graph.
  int step = -1;             ///< The step that is a group by itself.
};

struct Placement {
  std::vector<bool> has_memory;  ///< For each value; false for views.
  std::vector<int> num_reads;    ///< For each value: how often steps read it, through views too.
  std::vector<int> group_of;     ///< For each value its group; -1 for absorbed ones and views.
  std::vector<Group> groups;     ///< In the order of execution.
};

/// The steps that the outputs need. With `keep_random` also those that draw random numbers: they
/// move the generator on.
std::vector<bool> NeededSteps(const Graph& graph, bool keep_random);

/// `forms` has an entry for each value, `reads` and `needed` (NeededSteps) one for each step.
Placement Place(const Graph& graph, const std::vector<ValueForm>& forms,
                const std::vector<StepReads>& reads, const std::vector<bool>& needed);

/// The value whose elements a view shows, through any number of views; others are themselves.
int ViewedRoot(const std::vector<ValueForm>& forms, int value);

/// Sizes without those that are 1.
Sizes WithoutOnes(const Sizes& sizes);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_PLACEMENT_H_
