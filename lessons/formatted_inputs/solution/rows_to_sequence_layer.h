// A picture as a sequence of its rows, so that a recurrent layer can read it from top to
// bottom.
//
//   x: H(S) x W(S) x C(C) x N(B)        y: W*C(C) x N(B) x H(T)
//   y(j + W k, n, i) = x(i, j, k, n)    row i, column j, channel k, observation n, from 0
#ifndef LESSONS_FORMATTED_INPUTS_SOLUTION_ROWS_TO_SEQUENCE_LAYER_H_
#define LESSONS_FORMATTED_INPUTS_SOLUTION_ROWS_TO_SEQUENCE_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct RowsToSequenceLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    const DlArray rows_last = Permute(StripDims(x), {1, 2, 3, 0});  // W x C x N x H
    const Sizes& size = rows_last.sizes();
    return Reshape(rows_last, {size[0] * size[1], size[2], size[3]}, "CBT");
  }
};

}  // namespace lamina

#endif  // LESSONS_FORMATTED_INPUTS_SOLUTION_ROWS_TO_SEQUENCE_LAYER_H_
