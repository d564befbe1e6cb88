// Small layers that are right, for what no layer under layers/ has, and the list of all layers that
// are right: CheckLayer must find nothing in them.
//
// Threads: as every layer.
#ifndef CHECKS_FAULTY_CORRECT_LAYERS_H_
#define CHECKS_FAULTY_CORRECT_LAYERS_H_

#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "checks/faulty/layouts.h"
#include "framework/lamina.h"

namespace lamina {
struct CheckReport;  // checks/check_report.h
}  // namespace lamina

namespace lamina::faulty {

/// y = tanh(scale x) + offset, one scale and offset for each channel.
struct TanhScaleLayer : Layer {
  Learnable scale{*this, "Scale"};
  Learnable offset{*this, "Offset"};

  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Rand(layout.Only('C')) + 0.5;
    if (offset.empty()) offset = Zeros(layout.Only('C'));
  }
  DlArray Predict(const DlArray& x) const { return Tanh(scale * x) + offset; }
};

/// The same with its own Backward.
struct OwnBackwardLayer : Layer {
  Learnable scale{*this, "Scale"};
  Learnable offset{*this, "Offset"};

  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Rand(layout.Only('C')) + 0.5;
    if (offset.empty()) offset = Zeros(layout.Only('C'));
  }
  DlArray Predict(const DlArray& x) const { return Tanh(scale * x) + offset; }
  std::tuple<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray t = Tanh(scale * x);
    return {t + offset, Memory{t}};
  }
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    const DlArray dt = dy * (1 - Square(memory[0]));
    return {dt * scale, SumTo(dt * x, scale.spec()), SumTo(dy, offset.spec())};
  }
};

/// Two inputs, two outputs: a weighted sum and a product, without labels.
struct SumAndProductLayer : Layer {
  Learnable weights{*this, "Weights", DlArray::FromVector<float>({0.5, -1.5}, {1, 2})};

  SumAndProductLayer() {
    SetNumInputs(2);
    SetNumOutputs(2);
  }
  std::pair<DlArray, DlArray> Predict(const DlArray& a, const DlArray& b) const {
    return {Slice(weights, 1, 0, 1) * a + Slice(weights, 1, 1, 1) * b, a * b};
  }
};

/// Two inputs with an own Backward: y = gain a - b^2.
struct OwnBackwardTwoInputsLayer : Layer {
  Learnable gain{*this, "Gain", Full({1}, 1.5)};

  OwnBackwardTwoInputsLayer() { SetNumInputs(2); }
  DlArray Predict(const DlArray& a, const DlArray& b) const { return gain * a - b * b; }
  std::array<DlArray, 3> Backward(const DlArray& a, const DlArray& b, Unused, const DlArray& dy,
                                  Unused) const {
    return {gain * dy, -2 * b * dy, SumTo(a * dy, gain.spec())};
  }
};

/// y = x sigmoid(beta x), as an operation with a backward of its own.
struct SwishFunction {
  DlArray Forward(const DlArray& x, const DlArray& beta) const { return x * Sigmoid(beta * x); }
  std::array<DlArray, 2> Backward(const DlArray& x, const DlArray& beta, Unused, const DlArray& dy,
                                  Unused, const NeededGradients& needed) const {
    const DlArray s = Sigmoid(beta * x), slope = s * (1 - s);
    DlArray dx, dbeta;
    if (needed[0]) dx = dy * (s + beta * x * slope);
    if (needed[1]) dbeta = SumTo(dy * x * x * slope, beta.spec());
    return {dx, dbeta};
  }
};
struct SwishLayer : Layer {
  Learnable beta{*this, "Beta", Full({1}, 1.5)};

  DlArray Predict(const DlArray& x) const {
    return DifferentiableFunction(SwishFunction())(x, beta);
  }
};

/// Labelled in and out: the mean over space of "SSCB", as "CB".
struct SpatialMeanLayer : Layer, Formattable {
  Learnable gain{*this, "Gain", Full({1, 1}, 2)};

  DlArray Predict(const DlArray& x) const {
    const DlArray m = Mean(x, "S");
    return gain * Reshape(m, {Size(m, 'C'), Size(m, 'B')}, "CB");
  }
};

/// A recurrent layer: level[t] = decay level[t-1] + x[t], y[t] = tanh(level[t]); "CBT".
struct LeakyIntegratorLayer : Layer, Formattable {
  Learnable decay{*this, "Decay", Full({1, 1}, 0.75)};
  State level{*this, "Level"};

  void Initialize(const NetworkDataLayout& layout) {
    if (level.empty()) level = Zeros({layout.Size('C'), 1}, DataType::kSingle);
  }
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    DlArray h = level;
    DlArrays y;
    for (int64_t t = 0; t < Size(x, 'T'); ++t) {
      h = decay * h + StripDims(Slice(x, 'T', t, 1), "CBT");
      y.push_back(DlArray(Tanh(h), "CBT"));
    }
    return {Cat('T', y), h};
  }
  void ResetState() { level = ZerosLike(level); }
};

/// Statistics that Forward gathers and Predict uses: y = x - mean of each channel.
struct CenterLayer : Layer, Formattable, JoinsObservations {
  State mean{*this, "Mean"};
  Property<double> momentum{*this, "Momentum", 0.25};

  void Initialize(const NetworkDataLayout& layout) {
    if (mean.empty()) mean = Zeros(layout.Only('C'));
  }
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const { return {x - mean, mean}; }
  std::pair<DlArray, DlArray> Forward(const DlArray& x) const {
    const DlArray m = SumTo(x, {x.type(), mean.sizes(), {}}) /
                      (static_cast<double>(x.numel()) / static_cast<double>(mean.numel()));
    return {x - m, (1 - momentum) * mean + momentum * m};
  }
};

/// A network inside: y = x + tanh(s2 tanh(s1 x) + ..).
struct ResidualLayer : Layer, Formattable {
  LearnableNetwork network{*this, "Network", {TanhScaleLayer(), TanhScaleLayer()}};

  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  DlArray Predict(const DlArray& x) const { return x + network.Predict(x); }
  DlArray Forward(const DlArray& x) const { return x + network.Forward(x); }
};

/// Noise in training, none in prediction.
struct NoiseLayer : Layer, DrawsRandomNumbers {
  DlArray Predict(const DlArray& x) const { return x; }
  DlArray Forward(const DlArray& x) const { return x * (1 + 0.25 * RandnLike(x)); }
};

/// A layer that is right, and the layouts that it is tried with.
struct CorrectLayer {
  /// The class, and what sets it apart from others of its class: "PeepholeLstmLayer, last step".
  std::string name;
  AnyLayer (*make)();
  /// Without arguments, as a file makes it.
  AnyLayer (*empty)();
  /// Twenty, of different label sets and sizes, ones and odd ones among them.
  std::vector<Layouts> layouts;
  /// Tests that it is meant to fail.
  std::set<std::string> skip_tests{};
};

/// The report of CheckLayer on the layer; never printed.
CheckReport Check(const CorrectLayer& layer, const Layouts& layouts, uint64_t seed);

/// All reference layers in their variants, and the small ones above.
std::vector<CorrectLayer> CorrectLayers();

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_CORRECT_LAYERS_H_
