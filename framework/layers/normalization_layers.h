// Layers that bring groups of elements to mean 0 and variance 1, then scale and shift each channel.
//
//   BatchNormalizationLayer(), LayerNormalizationLayer(), GroupNormalizationLayer(4),
//   InstanceNormalizationLayer()
//
// What forms a group, and the formula: framework/ops/normalization.h. Scale and Offset are C x 1,
// at first ones and zeros. Errors of the constructors: "layer:InvalidSetting". Threads: as any
// layer (layer.h).
#ifndef FRAMEWORK_LAYERS_NORMALIZATION_LAYERS_H_
#define FRAMEWORK_LAYERS_NORMALIZATION_LAYERS_H_

#include <string>
#include <tuple>

#include "framework/layers/layer.h"

namespace lamina {

struct BatchNormalizationOptions {
  double mean_decay = 0.1;      ///< Weight of the newest batch in TrainedMean.
  double variance_decay = 0.1;  ///< Likewise in TrainedVariance.
  double epsilon = 1e-5;        ///< Added to the variance.
};

namespace internal {

/// A trained scale and offset for each channel.
class ScaleAndOffset : public Layer, public Formattable, public Acceleratable {
 public:
  Property<double> epsilon{*this, "Epsilon", 1e-5};
  Learnable offset{*this, "Offset"};
  Learnable scale{*this, "Scale"};

  void Initialize(const NetworkDataLayout& layout);

 protected:
  ScaleAndOffset() = default;
};

}  // namespace internal

/// In training each channel is normalized by the mean and variance of the batch, and the states
/// gather them: trained = (1 - decay) trained + decay * batch, the batch's variance taken as an
/// estimate for all data (divided by n - 1). At prediction time the states are used.
class BatchNormalizationLayer : public internal::ScaleAndOffset, public JoinsObservations {
 public:
  Property<double> mean_decay{*this, "MeanDecay", 0.1};
  Property<double> variance_decay{*this, "VarianceDecay", 0.1};
  State trained_mean{*this, "TrainedMean"};          ///< C x 1, at first zeros.
  State trained_variance{*this, "TrainedVariance"};  ///< C x 1, at first ones.

  /// Decays are from 0 to 1.
  explicit BatchNormalizationLayer(const BatchNormalizationOptions& options = {});

  void Initialize(const NetworkDataLayout& layout);
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const;
  std::tuple<DlArray, DlArray, DlArray> Forward(const DlArray& x) const;
};

struct LayerNormalizationOptions {
  double epsilon = 1e-5;
  /// "channel-only", "spatial-channel" or "batch-excluded"; "auto": the channels for data with T or
  /// at most one S dim, else S and C.
  std::string operation_dimension = "auto";
};

/// Each observation by its own mean and variance.
class LayerNormalizationLayer : public internal::ScaleAndOffset {
 public:
  Property<std::string> operation_dimension{*this, "OperationDimension", "auto"};

  explicit LayerNormalizationLayer(const LayerNormalizationOptions& options = {});
  DlArray Predict(const DlArray& x) const;
};

struct EpsilonOption {
  double epsilon = 1e-5;
};

/// Each observation, and in it each of `num_groups` runs of neighbouring channels, by its own mean
/// and variance.
class GroupNormalizationLayer : public internal::ScaleAndOffset {
 public:
  Property<int64_t> num_groups{*this, "NumGroups", 1};

  explicit GroupNormalizationLayer(int64_t num_groups = 1, const EpsilonOption& options = {});
  DlArray Predict(const DlArray& x) const;
};

/// Each observation and channel by its own mean and variance.
class InstanceNormalizationLayer : public internal::ScaleAndOffset {
 public:
  explicit InstanceNormalizationLayer(const EpsilonOption& options = {});
  DlArray Predict(const DlArray& x) const;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_NORMALIZATION_LAYERS_H_
