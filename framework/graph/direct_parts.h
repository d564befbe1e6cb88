// A pass that takes parts of arrays from where they come from.
//
//   graph = TakePartsDirectly(graph);
//
// A loop that puts each result behind those of before, y = Cat(y, h), copies all of them in each
// step, and its gradient takes a slice of a slice of a slice. Recorded, the loop is one Cat of all
// results, and each gradient one slice. Likewise a part of arrays that were just put side by side
// is one of them: what one layer of a recurrent network gives, the next one takes, step by step.
//
// Every bit of the results stays.
//
// Threads: a pure function.
#ifndef FRAMEWORK_GRAPH_DIRECT_PARTS_H_
#define FRAMEWORK_GRAPH_DIRECT_PARTS_H_

#include "framework/graph/graph.h"

namespace lamina {

/// A Cat among the parts of another along the same dim gives it its own parts, where nothing else
/// reads it. A slice of a slice along one dim is one slice, and a slice within one part of a Cat is
/// a slice of that part, or all of it.
Graph TakePartsDirectly(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_DIRECT_PARTS_H_
