// A pass that takes the gradient of a batch normalization apart, so that it shares its sums.
//
// With y the standardized data, z = scale y + offset, g = dL/dz, s the inverse deviation and m the
// mean over a group (a channel), n its number of elements:
//   dL/dx = s (scale g - m(scale g) - y m(scale g y)) = s scale (g - m(g) - y m(g y)),
//   dL/doffset = n m(g),  dL/dscale = n m(g y),
// since the scale is one number in a group. So both means are there already, and the loop that adds
// up g may be that which computes it: two passes over the data instead of four. It is so for every
// normalization whose scale is constant within its groups.
//
//   graph = RemoveDeadSteps(ShareEqualSteps(TakeApartBatchNormGradients(graph)));
#ifndef FRAMEWORK_GRAPH_BATCH_NORM_GRADIENTS_H_
#define FRAMEWORK_GRAPH_BATCH_NORM_GRADIENTS_H_

#include "framework/graph/graph.h"

namespace lamina {

/// The order of operations changes, and with it the last bits; an infinite scale may give infinity
/// where it gave NaN.
Graph TakeApartBatchNormGradients(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_BATCH_NORM_GRADIENTS_H_
