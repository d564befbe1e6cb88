// The peephole LSTM: a long short-term memory layer whose gates also see the cell state.
//
//   i  = sigmoid(Wi x + Ri h + pi * c + bi)        f = sigmoid(Wf x + Rf h + pf * c + bf)
//   g  = tanh(Wg x + Rg h + bg)                    c' = f * c + i * g
//   o  = sigmoid(Wo x + Ro h + po * c' + bo)       h' = o * tanh(c')
//
// for each time step; h and c are those of the step before, and * multiplies element by element.
// Source: Gers, Schraudolph and Schmidhuber, Learning Precise Timing with LSTM Recurrent Networks,
// 2002; the formulas as in Greff et al., arXiv:1503.04069, section 2.
//
//   AnyLayer layer = PeepholeLstmLayer(100, "last");
//   layer.Initialize({NetworkDataLayout({8, kUnknown, kUnknown}, "CBT")});
//   DlArray y = layer.Predict({x}).outputs[0];           // 100(C) x B, of the last step
//
// Input: "CBT"; without "B" or "T" there is one observation or step. Output: "CBT" with H hidden
// units for channels, or "CB" in mode "last". The states go on from call to call: H x 1, zeros for
// all observations, at first and after ResetState, then H x B. Errors: "layer:InvalidSetting" for
// another mode. Threads: as every layer.
#ifndef LAYERS_PEEPHOLE_LSTM_PEEPHOLE_LSTM_LAYER_H_
#define LAYERS_PEEPHOLE_LSTM_PEEPHOLE_LSTM_LAYER_H_

#include <string>
#include <tuple>
#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct PeepholeLstmLayer : Layer, Formattable, Acceleratable {
  // [region properties]
  Property<int64_t> num_hidden_units{*this, "NumHiddenUnits"};
  Property<std::string> output_mode{*this, "OutputMode"};  // "sequence" or "last"
  Learnable input_weights{*this, "InputWeights"};          // 4H x C: rows of i, f, g, o
  Learnable recurrent_weights{*this, "RecurrentWeights"};  // 4H x H
  Learnable peephole_weights{*this, "PeepholeWeights"};    // 3H x 1: i, f, o
  Learnable bias{*this, "Bias"};                           // 4H x 1
  State hidden_state{*this, "HiddenState"};                // h
  State cell_state{*this, "CellState"};                    // c
  // [endregion]

  // [region constructor]
  PeepholeLstmLayer() = default;  // Files set all properties.
  explicit PeepholeLstmLayer(int64_t hidden_units, std::string mode = "sequence") {
    if (mode != "sequence" && mode != "last") {
      throw Error("layer:InvalidSetting", "OutputMode is \"sequence\" or \"last\".",
                  "\"" + mode + "\" came.", "");
    }
    num_hidden_units = hidden_units;
    output_mode = std::move(mode);
    ResetState();
  }
  // [endregion]

  // [region initialize]
  void Initialize(const NetworkDataLayout& layout) {
    const int64_t h = num_hidden_units, c = layout.Size('C');
    if (input_weights.empty()) input_weights = GlorotUniform({4 * h, c}, c, 4 * h);
    if (recurrent_weights.empty()) recurrent_weights = Orthogonal({4 * h, h});
    if (peephole_weights.empty()) peephole_weights = GlorotUniform({3 * h, 1}, 1, 3 * h);
    if (bias.empty()) bias = UnitForgetGate(h);
  }
  // [endregion]

  // [region predict]
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const int64_t n = num_hidden_units, batch = Size(x, 'B'), steps = Size(x, 'T');
    // What the steps have in common comes before the loop: one product for all inputs.
    const DlArray flat = Reshape(StripDims(x, "CBT"), {Size(x, 'C'), batch * steps});
    const DlArrays inputs = Split(MatMul(input_weights, flat) + bias, 1, Sizes(steps, batch));
    const DlArrays p = Split(peephole_weights, 0, {n, n, n});
    DlArray h = hidden_state, c = cell_state;
    DlArrays y;
    for (const DlArray& input : inputs) {
      const DlArrays z = Split(input + MatMul(recurrent_weights, h), 0, {n, n, n, n});
      const DlArray i = Sigmoid(z[0] + p[0] * c), f = Sigmoid(z[1] + p[1] * c);
      c = f * c + i * Tanh(z[2]);
      h = Sigmoid(z[3] + p[2] * c) * Tanh(c);
      y.push_back(h);
    }
    if (output_mode == "last") return {DlArray(h, "CB"), h, c};
    return {Reshape(Cat(1, y), {n, batch, steps}, "CBT"), h, c};
  }
  // [endregion]

  // [region reset_state]
  void ResetState() {
    hidden_state = Zeros({num_hidden_units, 1});
    cell_state = Zeros({num_hidden_units, 1});
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_PEEPHOLE_LSTM_PEEPHOLE_LSTM_LAYER_H_
