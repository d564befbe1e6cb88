// A residual block: a small network learns what to add to its input, not what to put in its place.
//
//   y = relu(f(x) + s(x))             x: H(S) x W(S) x C(C) x N(B)
//                                     y: H/stride x W/stride x F x N, sizes rounded up
//   f: 3x3 convolution to F channels, normalization, ReLU, 3x3 convolution, normalization
//   s: x itself; where f changes the size (a stride, or F is not C) a 1x1 convolution
//
// Source: He et al., Deep Residual Learning for Image Recognition, arXiv:1512.03385, section 3. The
// two blocks differ in the normalization. ResidualBlockLayer normalizes each observation by itself
// (Wu, He, Group Normalization, arXiv:1803.08494), so its network has learnables alone.
// BatchNormResidualBlockLayer normalizes by the batch, as the source does: its network has states
// too, the mean and variance for prediction, and Forward returns them anew.
//
//   AnyLayer block = ResidualBlockLayer(16);
//   AnyLayer smaller = ResidualBlockLayer(32, {.stride = 2, .include_skip_convolution = true});
//   block.Initialize({NetworkDataLayout({28, 28, 16, kUnknown}, "SSCB")});
//   block->SetLearnRateFactor("Network/convolution2d/Weights", 0.5);
//
// Threads: as every layer.
#ifndef LAYERS_RESIDUAL_BLOCK_RESIDUAL_BLOCK_LAYER_H_
#define LAYERS_RESIDUAL_BLOCK_RESIDUAL_BLOCK_LAYER_H_

#include <utility>

#include "framework/lamina.h"
#include "framework/layers/builtin_layers.h"

namespace lamina {

// [region options]
struct ResidualBlockOptions {
  int64_t stride = 1;                     ///< Of the first convolution.
  bool include_skip_convolution = false;  ///< Brings x to the size of f(x).
};
// [endregion]

namespace residual_block {

// [region networks]
/// f, normalized by layers like `normalization`.
inline DlNetwork Residual(int64_t num_filters, const AnyLayer& normalization, int64_t stride) {
  return DlNetwork({Convolution2dLayer(3, num_filters, {.stride = {stride}, .padding = "same"}),
                    normalization, ReluLayer(),
                    Convolution2dLayer(3, num_filters, {.padding = "same"}), normalization});
}

/// s: hands x on, or brings it to the size of f(x).
inline DlNetwork Skip(int64_t num_filters, const ResidualBlockOptions& options) {
  if (!options.include_skip_convolution) return DlNetwork({IdentityLayer()});
  return DlNetwork({Convolution2dLayer(1, num_filters, {.stride = {options.stride}})});
}
// [endregion]

// [region initialize]
/// Errors: "residualBlock:SizeMismatch" when f(x) and s(x) differ in size. Their sum might exist
/// all the same, an x of one channel added to each of f's, and would not be what was meant.
inline void Initialize(const NetworkDataLayout& x, DlNetwork& network, DlNetwork& skip) {
  network.Initialize(x);
  skip.Initialize(x);
  const NetworkDataLayout f = network.PropagateLayouts({&x, 1}).back()[0];
  const NetworkDataLayout s = skip.PropagateLayouts({&x, 1}).back()[0];
  if (f == s) return;
  throw Error("residualBlock:SizeMismatch", "A residual block adds two arrays of one size.",
              ToString(x) + " comes, its network makes " + ToString(f) +
                  " of it and the skip connection " + ToString(s) + ".",
              "Set include_skip_convolution where filters or stride change the size.");
}
// [endregion]

}  // namespace residual_block

// [region layer]
struct ResidualBlockLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network"};
  LearnableNetwork skip{*this, "Skip"};

  ResidualBlockLayer() = default;  // For files, which set the networks afterwards.
  explicit ResidualBlockLayer(int64_t num_filters, const ResidualBlockOptions& options = {}) {
    network = residual_block::Residual(num_filters, GroupNormalizationLayer(1), options.stride);
    skip = residual_block::Skip(num_filters, options);
  }

  void Initialize(const NetworkDataLayout& x) { residual_block::Initialize(x, network, skip); }

  DlArray Predict(const DlArray& x) const { return Relu(network.Predict(x) + skip.Predict(x)); }
  DlArray Forward(const DlArray& x) const { return Relu(network.Forward(x) + skip.Forward(x)); }
};
// [endregion]

// [region batch_norm]
struct BatchNormResidualBlockLayer : Layer, Formattable, Acceleratable, JoinsObservations {
  LearnableStateNetwork network{*this, "Network"};
  LearnableNetwork skip{*this, "Skip"};

  BatchNormResidualBlockLayer() = default;
  explicit BatchNormResidualBlockLayer(int64_t num_filters,
                                       const ResidualBlockOptions& options = {}) {
    network = residual_block::Residual(num_filters, BatchNormalizationLayer(), options.stride);
    skip = residual_block::Skip(num_filters, options);
  }

  void Initialize(const NetworkDataLayout& x) { residual_block::Initialize(x, network, skip); }

  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    const auto [y, state] = network.PredictWithState(x);
    return {Relu(y + skip.Predict(x)), state};
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    const auto [y, state] = network.ForwardWithState(x);
    return {Relu(y + skip.Forward(x)), state};
  }
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_RESIDUAL_BLOCK_RESIDUAL_BLOCK_LAYER_H_
