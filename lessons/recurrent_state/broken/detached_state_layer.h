// The peephole LSTM with a mistake that people make: the state is cut off in each step.
#ifndef LESSONS_RECURRENT_STATE_BROKEN_DETACHED_STATE_LAYER_H_
#define LESSONS_RECURRENT_STATE_BROKEN_DETACHED_STATE_LAYER_H_

#include <tuple>

#include "layers/peephole_lstm/peephole_lstm_layer.h"

namespace lamina {

struct DetachedStateLayer : PeepholeLstmLayer {
  using PeepholeLstmLayer::PeepholeLstmLayer;

  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const int64_t n = num_hidden_units, batch = Size(x, 'B'), steps = Size(x, 'T');
    const DlArray flat = Reshape(StripDims(x, "CBT"), {Size(x, 'C'), batch * steps});
    const DlArrays inputs = Split(MatMul(input_weights, flat) + bias, 1, Sizes(steps, batch));
    const DlArrays p = Split(peephole_weights, 0, {n, n, n});
    DlArray h = hidden_state, c = cell_state;
    DlArrays y;
    // [region loop]
    for (const DlArray& input : inputs) {
      // The state is what the last step left: plain values, which saves memory.
      h = ExtractData(h);
      c = ExtractData(c);
      const DlArrays z = Split(input + MatMul(recurrent_weights, h), 0, {n, n, n, n});
      // [endregion]
      const DlArray i = Sigmoid(z[0] + p[0] * c), f = Sigmoid(z[1] + p[1] * c);
      c = f * c + i * Tanh(z[2]);
      h = Sigmoid(z[3] + p[2] * c) * Tanh(c);
      y.push_back(h);
    }
    if (output_mode == "last") return {DlArray(h, "CB"), h, c};
    return {Reshape(Cat(1, y), {n, batch, steps}, "CBT"), h, c};
  }
};

}  // namespace lamina

#endif  // LESSONS_RECURRENT_STATE_BROKEN_DETACHED_STATE_LAYER_H_
