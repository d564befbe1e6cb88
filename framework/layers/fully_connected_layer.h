// Each output a weighted sum of all features.
//
//   y = Weights x + Bias,   Weights out x in, Bias out x 1
//
//   FullyConnectedLayer(10)                                      // "SSCB" or "CB" gives 10(C) x B
//   FullyConnectedLayer(64, {.weights_initializer = "he"})
//
// The S and C dims of an observation are its features; B and T stay, and each time step is
// transformed alike. Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_FULLY_CONNECTED_LAYER_H_
#define FRAMEWORK_LAYERS_FULLY_CONNECTED_LAYER_H_

#include <string>

#include "framework/layers/layer.h"

namespace lamina {

struct FullyConnectedOptions {
  std::string weights_initializer = "glorot";  ///< A name of initializers.h.
  std::string bias_initializer = "zeros";
};

class FullyConnectedLayer : public Layer, public Formattable, public Acceleratable {
 public:
  Property<int64_t> output_size{*this, "OutputSize", 0};
  Property<std::string> weights_initializer{*this, "WeightsInitializer", "glorot"};
  Property<std::string> bias_initializer{*this, "BiasInitializer", "zeros"};
  Learnable weights{*this, "Weights"};
  Learnable bias{*this, "Bias"};  ///< Its L2 factor is 0 unless set.

  FullyConnectedLayer();
  /// Errors: "layer:InvalidSetting" for a size below 1, "layer:InvalidInitializer".
  explicit FullyConnectedLayer(int64_t output_size, const FullyConnectedOptions& options = {});

  void Initialize(const NetworkDataLayout& layout);
  DlArray Predict(const DlArray& x) const;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_FULLY_CONNECTED_LAYER_H_
