// An LSTM whose gates also see the cell state. Source: Greff et al., "LSTM: A Search Space
// Odyssey", arXiv:1503.04069.
//
//   i = sigmoid(Wi x + Ri h + pi c + bi)      f likewise      g = tanh(Wg x + Rg h + bg)
//   c' = f c + i g      o = sigmoid(Wo x + Ro h + po c' + bo)      h' = o tanh(c')
#ifndef FRAMEWORK_NETWORK_SKETCHES_PEEPHOLE_LSTM_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_PEEPHOLE_LSTM_LAYER_H_

#include <string>
#include <tuple>

#include "framework/layers/initializers.h"
#include "framework/layers/layer.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina::sketches {

struct PeepholeLstmLayer : Layer, Formattable {
  Property<int64_t> num_hidden_units{*this, "NumHiddenUnits"};
  Property<std::string> output_mode{*this, "OutputMode", "sequence"};
  Learnable input_weights{*this, "InputWeights"};          // 4H x C: i, f, g, o
  Learnable recurrent_weights{*this, "RecurrentWeights"};  // 4H x H
  Learnable peephole_weights{*this, "PeepholeWeights"};    // 3H x 1: i, f, o
  Learnable bias{*this, "Bias"};                           // 4H x 1
  State hidden_state{*this, "HiddenState"};                // H x B, at first H x 1
  State cell_state{*this, "CellState"};

  explicit PeepholeLstmLayer(int64_t hidden_units, std::string mode = "sequence") {
    num_hidden_units = hidden_units;
    output_mode = std::move(mode);
    ResetState();
  }

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t h = num_hidden_units, c = layout.Size('C');
    if (input_weights.empty()) input_weights = GlorotUniform({4 * h, c}, c, 4 * h);
    if (recurrent_weights.empty()) recurrent_weights = Orthogonal({4 * h, h});
    if (peephole_weights.empty()) peephole_weights = GlorotUniform({3 * h, 1}, 1, 3 * h);
    if (bias.empty()) bias = UnitForgetGate(h);
  }

  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const int64_t n = num_hidden_units, steps = Size(x, 'T');
    const DlArrays xt = Split(StripDims(x, "CBT"), 2, Sizes(steps, 1));
    const DlArrays p = Split(peephole_weights, 0, {n, n, n});
    DlArray h = hidden_state, c = cell_state;
    DlArrays y;
    for (const DlArray& page : xt) {
      const DlArray step = Reshape(page, {page.size(0), page.size(1)});
      const DlArrays z =
          Split(MatMul(input_weights, step) + MatMul(recurrent_weights, h) + bias, 0, {n, n, n, n});
      const DlArray i = Sigmoid(z[0] + p[0] * c), f = Sigmoid(z[1] + p[1] * c);
      c = f * c + i * Tanh(z[2]);
      h = Sigmoid(z[3] + p[2] * c) * Tanh(c);
      y.push_back(h);
    }
    if (output_mode == "last") return {DlArray(h, "CB"), h, c};
    return {DlArray(Cat(2, y), "CBT"), h, c};
  }

  void ResetState() {
    hidden_state = Zeros({num_hidden_units, 1});
    cell_state = Zeros({num_hidden_units, 1});
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_PEEPHOLE_LSTM_LAYER_H_
