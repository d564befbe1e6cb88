// Passes that compute many terms of an addition at once.
//
//   graph = JoinSums(JoinProducts(graph));
//
// Terms are found in whole trees of additions, however these are nested, as long as nothing else
// reads what is added. So the derivative of a parameter that every time step of a recurrent layer
// uses, which is a term for each step, becomes one large product or sum. What the joined terms read
// has to be kept until then, and the order of the additions changes, and with it the last bits.
//
// Threads: pure functions.
#ifndef FRAMEWORK_GRAPH_JOIN_TERMS_H_
#define FRAMEWORK_GRAPH_JOIN_TERMS_H_

#include "framework/graph/graph.h"

namespace lamina {

/// A sum of products of matrices as one product of longer matrices:
///   A1 B1 + A2 B2 + ... = [A1 A2 ...] [B1; B2; ...].
/// So the gradient of a recurrent layer's weights is one large product, not one for each time step.
Graph JoinProducts(const Graph& graph);

/// A sum of sums as one sum of a longer array:
///   Sum(x1, dims) + Sum(x2, dims) + ... = Sum(Cat(x1, x2, ...), dims).
/// So the gradients of what a recurrent layer adds or multiplies with element by element (biases,
/// peepholes) are a sum after all time steps, and the steps themselves are elementwise: a device
/// computes all elements of a step at once, where its kernel had a loop for each sum. Joined are
/// four sums or more, each of at most 2^16 elements. The joined sum has the error bound of Sum,
/// which is less than that of the sums that are added up one after another.
Graph JoinSums(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_JOIN_TERMS_H_
