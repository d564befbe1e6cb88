#include "framework/layers/fully_connected_layer.h"

#include "absl/strings/str_cat.h"
#include "framework/layers/initializers.h"
#include "framework/layers/settings.h"
#include "framework/ops/matmul.h"

namespace lamina {

FullyConnectedLayer::FullyConnectedLayer() { SetL2Factor("Bias", 0); }

FullyConnectedLayer::FullyConnectedLayer(int64_t outputs, const FullyConnectedOptions& options)
    : FullyConnectedLayer() {
  internal::RequireAtLeast("FullyConnectedLayer", "OutputSize", outputs, 1);
  CheckInitializer(options.weights_initializer);
  CheckInitializer(options.bias_initializer);
  output_size = outputs;
  weights_initializer = options.weights_initializer;
  bias_initializer = options.bias_initializer;
  SetDescription(absl::StrCat(outputs, " fully connected outputs"));
}

void FullyConnectedLayer::Initialize(const NetworkDataLayout& layout) {
  internal::RequireAtLeast("FullyConnectedLayer", "OutputSize", output_size, 1);
  const bool has_features = layout.FindDim('S') >= 0 || layout.FindDim('C') >= 0;
  const int64_t in = layout.Count(has_features ? "SC" : "U"), out = output_size;
  if (weights.empty()) weights = InitialValue(weights_initializer, {out, in}, {in, out});
  if (bias.empty()) bias = InitialValue(bias_initializer, {out, 1}, {in, out});
}

DlArray FullyConnectedLayer::Predict(const DlArray& x) const {
  return FullyConnect(x, weights, bias);
}

}  // namespace lamina
