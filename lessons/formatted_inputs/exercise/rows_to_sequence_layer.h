// Your turn: a picture as a sequence of its rows, so that a recurrent layer can read it from top to
// bottom.
//
//   x: H(S) x W(S) x C(C) x N(B)        y: W*C(C) x N(B) x H(T)
//   y(j + W k, n, i) = x(i, j, k, n)    row i, column j, channel k, observation n, from 0
//
// As it stands it builds, and hands its input on.
#ifndef LESSONS_FORMATTED_INPUTS_EXERCISE_ROWS_TO_SEQUENCE_LAYER_H_
#define LESSONS_FORMATTED_INPUTS_EXERCISE_ROWS_TO_SEQUENCE_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// 1. The layer gets labels and returns others: what must it derive from, too?
struct RowsToSequenceLayer : Layer, Acceleratable {
  // 2. Without labels, the rows last: Permute(StripDims(x), ...) brings dims into another order.
  // 3. Columns and channels become one dim: Reshape(..., "CBT").
  DlArray Predict(const DlArray& x) const { return x; }
};

}  // namespace lamina

#endif  // LESSONS_FORMATTED_INPUTS_EXERCISE_ROWS_TO_SEQUENCE_LAYER_H_
