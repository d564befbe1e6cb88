// Activations: one function applied to every element.
//
//   ReluLayer(), LeakyReluLayer(0.1), ClippedReluLayer(6), EluLayer(), PReluLayer(), GeluLayer(),
//   SoftplusLayer(), SwishLayer(), TanhLayer(), SigmoidLayer(), and SoftmaxLayer() over C
//
// Sizes and labels stay. They are Formattable though they look at no label (but softmax): labels
// pass through as they are. Sources of the formulas: framework/ops/activation.h and elementwise.h.
// Errors of the constructors: "layer:InvalidSetting". Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_ACTIVATION_LAYERS_H_
#define FRAMEWORK_LAYERS_ACTIVATION_LAYERS_H_

#include <string>

#include "framework/layers/layer.h"
#include "framework/layers/settings.h"
#include "framework/ops/activation.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/softmax.h"

namespace lamina {

/// max(x, 0).
struct ReluLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Relu(x); }
};

/// x where positive, else scale * x; the scale is 0 or more and below 1.
struct LeakyReluLayer : Layer, Formattable, Acceleratable {
  Property<double> scale{*this, "Scale", 0.01};

  explicit LeakyReluLayer(double scale_of_negative = 0.01) {
    internal::RequireInterval("LeakyReluLayer", "Scale", scale_of_negative, 0, 1);
    scale = scale_of_negative;
  }
  DlArray Predict(const DlArray& x) const { return LeakyRelu(x, scale); }
};

/// x between 0 and the ceiling, else the nearer of the two.
struct ClippedReluLayer : Layer, Formattable, Acceleratable {
  Property<double> ceiling{*this, "Ceiling", 6};

  explicit ClippedReluLayer(double largest = 6) {
    internal::RequirePositive("ClippedReluLayer", "Ceiling", largest);
    ceiling = largest;
  }
  DlArray Predict(const DlArray& x) const { return ClippedRelu(x, ceiling); }
};

/// x where positive, else alpha * (exp(x) - 1).
struct EluLayer : Layer, Formattable, Acceleratable {
  Property<double> alpha{*this, "Alpha", 1};

  explicit EluLayer(double factor = 1) {
    internal::RequirePositive("EluLayer", "Alpha", factor);
    alpha = factor;
  }
  DlArray Predict(const DlArray& x) const { return Elu(x, alpha); }
};

/// x where positive, else Alpha * x with a trained Alpha for each channel, at first 0.25. Source:
/// He et al., arXiv:1502.01852.
struct PReluLayer : Layer, Formattable, Acceleratable {
  Learnable alpha{*this, "Alpha"};

  void Initialize(const NetworkDataLayout& layout) {
    if (alpha.empty()) alpha = Full(layout.Only('C'), 0.25);
  }
  DlArray Predict(const DlArray& x) const { return Where(x > 0, x, alpha * x); }
};

/// x times the probability that a standard normal number is below x; "none" computes it as it is,
/// "tanh" by the usual approximation.
struct GeluLayer : Layer, Formattable, Acceleratable {
  Property<std::string> approximation{*this, "Approximation", "none"};

  explicit GeluLayer(const std::string& how = "none") {
    internal::RequireOneOf("GeluLayer", "Approximation", how, {"none", "tanh"});
    approximation = how;
  }
  DlArray Predict(const DlArray& x) const {
    return Gelu(x, approximation == "tanh" ? GeluForm::kTanh : GeluForm::kErf);
  }
};

/// log(1 + exp(x)).
struct SoftplusLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Softplus(x); }
};

/// x / (1 + exp(-x)).
struct SwishLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Swish(x); }
};

struct TanhLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Tanh(x); }
};

/// 1 / (1 + exp(-x)).
struct SigmoidLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Sigmoid(x); }
};

/// exp(x) over its sum along C: scores to probabilities. x needs a C dim.
struct SoftmaxLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Softmax(x); }
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_ACTIVATION_LAYERS_H_
