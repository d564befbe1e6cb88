// Where data enters a network: the size and labels that it must have, and how it is scaled.
//
//   ImageInputLayer({28, 28, 1})                             // "SSCB"
//   FeatureInputLayer(21, {.normalization = "zscore"})       // "CB"
//   SequenceInputLayer(12)                                   // "CBT", any length
//   SequenceInputLayer({28, 28, 3})                          // "SSCBT"
//   InputLayer({20, kUnknown}, "CU")                         // any labels; kUnknown: any size
//
// Normalization is "none", "zerocenter" (x - mean), "zscore" ((x - mean) / standard deviation),
// "rescale-zero-one" ((x - min) / (max - min)) or "rescale-symmetric" (the same onto -1 to 1). The
// statistics are settings, saved with the layer: training computes them from its data
// (input_statistics.h), or you set them: one number, one for each channel, or one for each element
// of an observation, column-major. A channel that never varies is not divided.
//
// Integer and logical data becomes single. Data without labels is labelled if it has as many dims
// as the layer's labels. Errors of Predict: "layer:InputFormat" for other sizes or labels;
// "layer:NoStatistics" when a normalization has none. Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_INPUT_LAYERS_H_
#define FRAMEWORK_LAYERS_INPUT_LAYERS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/layers/layer.h"

namespace lamina {

struct InputOptions {
  std::string normalization = "none";
  /// What shares its statistics: "channel" (each channel has its own), "element" (each element of
  /// an observation has), "all" (one for all). "auto" is "channel".
  std::string normalization_dimension = "auto";
};

namespace internal {

/// What input layers of a known size have in common. `labels` are those of a batch: "SSCB".
class SizedInput : public Layer, public Formattable, public Acceleratable {
 public:
  Property<Sizes> input_size{*this, "InputSize"};  ///< S dims, then C.
  Property<std::string> normalization{*this, "Normalization", "none"};
  Property<std::string> normalization_dimension{*this, "NormalizationDimension", "auto"};
  Property<std::vector<double>> mean{*this, "Mean"};
  Property<std::vector<double>> standard_deviation{*this, "StandardDeviation"};
  Property<std::vector<double>> min{*this, "Min"};
  Property<std::vector<double>> max{*this, "Max"};

 protected:
  SizedInput() = default;
  SizedInput(std::string_view class_name, const Sizes& size, const InputOptions& options);

  DlArray Accept(std::string_view class_name, std::string_view labels, const DlArray& x) const;
  /// The batch and time sizes unknown.
  NetworkDataLayout Layout(std::string_view labels) const;

 private:
  DlArray Normalized(const DlArray& x) const;
};

}  // namespace internal

/// Errors of all constructors: "layer:InvalidSetting".
class FeatureInputLayer : public internal::SizedInput {
 public:
  FeatureInputLayer() = default;
  explicit FeatureInputLayer(int64_t num_features, const InputOptions& options = {});
  DlArray Predict(const DlArray& x) const;
  /// What network, analysis and initialisation start from.
  std::optional<NetworkDataLayout> InputLayout() const { return Layout("CB"); }
};

/// Height, width and channels.
class ImageInputLayer : public internal::SizedInput {
 public:
  ImageInputLayer() = default;
  explicit ImageInputLayer(const Sizes& size, const InputOptions& options = {});
  DlArray Predict(const DlArray& x) const;
  std::optional<NetworkDataLayout> InputLayout() const { return Layout("SSCB"); }
};

/// Height, width, depth and channels.
class Image3dInputLayer : public internal::SizedInput {
 public:
  Image3dInputLayer() = default;
  explicit Image3dInputLayer(const Sizes& size, const InputOptions& options = {});
  DlArray Predict(const DlArray& x) const;
  std::optional<NetworkDataLayout> InputLayout() const { return Layout("SSSCB"); }
};

/// Sequences of features, or (with height, width, channels) of images; of any length.
class SequenceInputLayer : public internal::SizedInput {
 public:
  SequenceInputLayer() = default;
  explicit SequenceInputLayer(int64_t num_features, const InputOptions& options = {})
      : SequenceInputLayer(Sizes{num_features}, options) {}
  explicit SequenceInputLayer(const Sizes& size, const InputOptions& options = {});
  DlArray Predict(const DlArray& x) const;
  std::optional<NetworkDataLayout> InputLayout() const { return Layout(Labels()); }

 private:
  std::string Labels() const;
};

/// Data with any labels, handed on as it is.
class InputLayer : public Layer, public Formattable, public Acceleratable {
 public:
  Property<Sizes> input_size{*this, "InputSize"};  ///< kUnknown where a size may be any.
  Property<std::string> format{*this, "Format"};   ///< In the order S C B T U, as input_size is.

  InputLayer() = default;
  /// Errors: those of NetworkDataLayout.
  InputLayer(const Sizes& size, std::string_view format);
  DlArray Predict(const DlArray& x) const;
  std::optional<NetworkDataLayout> InputLayout() const {
    return NetworkDataLayout(input_size, format);
  }
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_INPUT_LAYERS_H_
