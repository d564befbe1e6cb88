// Layers that drop, flatten, or pass on.
//
//   DropoutLayer(0.5), FlattenLayer(), IdentityLayer()
//
// Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_UTILITY_LAYERS_H_
#define FRAMEWORK_LAYERS_UTILITY_LAYERS_H_

#include "framework/layers/layer.h"

namespace lamina {

/// In training sets each element to zero with this probability and divides the others by one minus
/// it, so that the expected value stays; at prediction time passes its input on. Draws from the
/// calling thread's random source. Source: Srivastava et al., "Dropout: A Simple Way to Prevent
/// Neural Networks from Overfitting", 2014.
class DropoutLayer : public Layer,
                     public Formattable,
                     public Acceleratable,
                     public DrawsRandomNumbers {
 public:
  Property<double> probability{*this, "Probability", 0.5};

  /// Errors: "layer:InvalidSetting" unless 0 <= probability < 1.
  explicit DropoutLayer(double probability = 0.5);
  DlArray Predict(const DlArray& x) const { return x; }
  DlArray Forward(const DlArray& x) const;
};

/// The S dims and C of each observation as one C dim: 4(S) x 4(S) x 8(C) x 32(B) gives
/// 128(C) x 32(B). B and T stay. Errors: "layer:InputFormat" for data with U dims.
class FlattenLayer : public Layer, public Formattable, public Acceleratable {
 public:
  DlArray Predict(const DlArray& x) const;
};

/// Its input.
class IdentityLayer : public Layer, public Formattable, public Acceleratable {
 public:
  DlArray Predict(const DlArray& x) const { return x; }
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_UTILITY_LAYERS_H_
