#include "framework/layers/lstm_layer.h"

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/layers/initializers.h"
#include "framework/layers/settings.h"
#include "framework/ops/creation.h"
#include "framework/ops/lstm.h"
#include "framework/ops/shape.h"

namespace lamina {

LstmLayer::LstmLayer() { SetL2Factor("Bias", 0); }

LstmLayer::LstmLayer(int64_t hidden_units, const LstmOptions& options) : LstmLayer() {
  internal::RequireAtLeast("LstmLayer", "NumHiddenUnits", hidden_units, 1);
  internal::RequireOneOf("LstmLayer", "OutputMode", options.output_mode, {"sequence", "last"});
  CheckInitializer(options.input_weights_initializer);
  CheckInitializer(options.recurrent_weights_initializer);
  CheckInitializer(options.bias_initializer);
  num_hidden_units = hidden_units;
  output_mode = options.output_mode;
  input_weights_initializer = options.input_weights_initializer;
  recurrent_weights_initializer = options.recurrent_weights_initializer;
  bias_initializer = options.bias_initializer;
  SetDescription(absl::StrCat("LSTM with ", internal::Counted(hidden_units, "hidden unit"),
                              output_mode == "last" ? ", last step" : ""));
  ResetState();
}

void LstmLayer::Initialize(const NetworkDataLayout& layout) {
  internal::RequireAtLeast("LstmLayer", "NumHiddenUnits", num_hidden_units, 1);
  const int64_t h = num_hidden_units, c = layout.Size('C');
  if (input_weights.empty()) {
    input_weights = InitialValue(input_weights_initializer, {4 * h, c}, {c, 4 * h});
  }
  if (recurrent_weights.empty()) {
    recurrent_weights = InitialValue(recurrent_weights_initializer, {4 * h, h}, {h, 4 * h});
  }
  if (bias.empty()) bias = InitialValue(bias_initializer, {4 * h, 1}, {h, 4 * h});
  if (hidden_state.empty()) hidden_state = Zeros({h, 1});
  if (cell_state.empty()) cell_state = Zeros({h, 1});
}

std::tuple<DlArray, DlArray, DlArray> LstmLayer::Predict(const DlArray& x) const {
  const LstmResult r = Lstm(x, hidden_state, cell_state, input_weights, recurrent_weights, bias);
  const Sizes state = {num_hidden_units, Size(x, 'B')};
  return {output_mode == "last" ? r.hidden_state : r.y, Reshape(r.hidden_state, state),
          Reshape(r.cell_state, state)};
}

void LstmLayer::ResetState() {
  hidden_state = Zeros({num_hidden_units, 1});
  cell_state = Zeros({num_hidden_units, 1});
}

}  // namespace lamina
