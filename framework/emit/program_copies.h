// What a program for a device computes only to copy it into a larger array is computed in its place
// there.
//
// The outputs of the time steps of a recurrent layer are put together to one array, and so are
// their derivatives for the products that give the gradients of the weights: each copy would be a
// launch. Copies that remain, and that go from neighbours to neighbours, are one.
//
// Used by program.cc. (kernel_copies.h does the same to the processor's calls.) Threads: a pure
// function but for its argument.
#ifndef FRAMEWORK_EMIT_PROGRAM_COPIES_H_
#define FRAMEWORK_EMIT_PROGRAM_COPIES_H_

#include "framework/emit/program.h"
#include "framework/graph/graph.h"

namespace lamina::internal {

/// Takes out the copies of scratch arrays that can lie in the array that they are copied to: they
/// are not stored to afterwards, and nothing but the step that copies them stores there. What an op
/// or a library is called with begins at a multiple of kCallAlignment elements. Code, `array_of`
/// and `first_of` are changed; memory must not have been planned yet.
void PlaceCopies(const Graph& graph, Program* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_PROGRAM_COPIES_H_
