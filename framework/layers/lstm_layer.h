// The long short-term memory layer.
//
//   LstmLayer(128)                                // "CBT": the hidden state of each step
//   LstmLayer(128, {.output_mode = "last"})       // of the last step alone, "CB"
//
// The formulas and the order of the gates are those of framework/ops/lstm.h. HiddenState and
// CellState go on from call to call, H x 1 (alike for all observations) at first and after
// ResetState, H x B after a call. Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_LSTM_LAYER_H_
#define FRAMEWORK_LAYERS_LSTM_LAYER_H_

#include <string>
#include <tuple>

#include "framework/layers/layer.h"

namespace lamina {

struct LstmOptions {
  std::string output_mode = "sequence";  ///< Or "last".
  std::string input_weights_initializer = "glorot";
  std::string recurrent_weights_initializer = "orthogonal";
  std::string bias_initializer = "unit-forget-gate";
};

class LstmLayer : public Layer, public Formattable, public Acceleratable {
 public:
  Property<int64_t> num_hidden_units{*this, "NumHiddenUnits", 0};
  Property<std::string> output_mode{*this, "OutputMode", "sequence"};
  Property<std::string> input_weights_initializer{*this, "InputWeightsInitializer", "glorot"};
  Property<std::string> recurrent_weights_initializer{*this, "RecurrentWeightsInitializer",
                                                      "orthogonal"};
  Property<std::string> bias_initializer{*this, "BiasInitializer", "unit-forget-gate"};
  Learnable input_weights{*this, "InputWeights"};          ///< 4H x C
  Learnable recurrent_weights{*this, "RecurrentWeights"};  ///< 4H x H
  Learnable bias{*this, "Bias"};                           ///< 4H x 1; its L2 factor is 0.
  State hidden_state{*this, "HiddenState"};
  State cell_state{*this, "CellState"};

  LstmLayer();
  /// Errors: "layer:InvalidSetting", "layer:InvalidInitializer".
  explicit LstmLayer(int64_t num_hidden_units, const LstmOptions& options = {});

  void Initialize(const NetworkDataLayout& layout);
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const;
  /// The states back to zero.
  void ResetState();
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_LSTM_LAYER_H_
