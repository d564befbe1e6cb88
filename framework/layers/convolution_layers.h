// Layers that move filters over data: along one, two or three dims.
//
//   Convolution2dLayer({3, 3}, 16, {.padding = "same"})          // "SSCB": 16 channels, same size
//   Convolution2dLayer(5, 32, {.stride = {2, 2}, .groups = 4})   // 5x5 filters
//   Convolution1dLayer(3, 8, {.padding = "causal"})              // "CBT": along time
//
// A convolution of k dims moves along k S dims, or along k - 1 S dims and T. The arithmetic is that
// of DlConv (framework/ops/convolution.h): Weights are filter sizes x channels of a group x
// filters, Bias has one element for each filter. Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_CONVOLUTION_LAYERS_H_
#define FRAMEWORK_LAYERS_CONVOLUTION_LAYERS_H_

#include <string>

#include "framework/layers/layer.h"
#include "framework/ops/window.h"

namespace lamina {

struct ConvolutionOptions {
  Sizes stride = {1};    ///< One number for all dims, or one for each.
  Sizes dilation = {1};  ///< Likewise: distance of neighbouring filter elements in the data.
  Padding padding = 0;   ///< Numbers, "same", or along one dim "causal".
  int64_t groups = 1;    ///< The channels in so many groups, each with its own filters.
  std::string weights_initializer = "glorot";  ///< A name of initializers.h.
  std::string bias_initializer = "zeros";
};

namespace internal {

/// What the three have in common.
class ConvolutionLayer : public Layer, public Formattable, public Acceleratable {
 public:
  Property<Sizes> filter_size{*this, "FilterSize"};
  Property<int64_t> num_filters{*this, "NumFilters", 0};
  Property<Sizes> stride{*this, "Stride", {1}};
  Property<Sizes> dilation{*this, "DilationFactor", {1}};
  Property<std::string> padding_mode{*this, "PaddingMode", "manual"};  ///< See PaddingSetting.
  Property<Sizes> padding_size{*this, "PaddingSize"};
  Property<int64_t> num_groups{*this, "NumGroups", 1};
  Property<std::string> weights_initializer{*this, "WeightsInitializer", "glorot"};
  Property<std::string> bias_initializer{*this, "BiasInitializer", "zeros"};
  Learnable weights{*this, "Weights"};
  Learnable bias{*this, "Bias"};  ///< Its L2 factor is 0 unless set.

  /// Errors: "layer:InputFormat" for other dims than it moves along; "layer:InvalidSetting" when
  /// the groups do not divide the channels and the filters.
  void Initialize(const NetworkDataLayout& layout);
  DlArray Predict(const DlArray& x) const;

 protected:
  ConvolutionLayer(const char* class_name, int rank);
  ConvolutionLayer(const char* class_name, int rank, const Sizes& filter, int64_t filters,
                   const ConvolutionOptions& options);

 private:
  const char* class_name_;
  int rank_;
};

}  // namespace internal

/// Filters along "SCB" or, over time, "CBT". Errors of all: "layer:InvalidSetting",
/// "layer:InvalidInitializer".
class Convolution1dLayer : public internal::ConvolutionLayer {
 public:
  Convolution1dLayer() : ConvolutionLayer("Convolution1dLayer", 1) {}
  Convolution1dLayer(int64_t filter_size, int64_t num_filters,
                     const ConvolutionOptions& options = {})
      : ConvolutionLayer("Convolution1dLayer", 1, {filter_size}, num_filters, options) {}
};

/// Filters over "SSCB", each time step of "SSCBT", or "SCBT".
class Convolution2dLayer : public internal::ConvolutionLayer {
 public:
  Convolution2dLayer() : ConvolutionLayer("Convolution2dLayer", 2) {}
  /// One size for both dims, or height and width.
  Convolution2dLayer(int64_t filter_size, int64_t num_filters,
                     const ConvolutionOptions& options = {})
      : Convolution2dLayer(Sizes{filter_size}, num_filters, options) {}
  Convolution2dLayer(const Sizes& filter_size, int64_t num_filters,
                     const ConvolutionOptions& options = {})
      : ConvolutionLayer("Convolution2dLayer", 2, filter_size, num_filters, options) {}
};

/// Filters over "SSSCB", each time step of "SSSCBT", or "SSCBT".
class Convolution3dLayer : public internal::ConvolutionLayer {
 public:
  Convolution3dLayer() : ConvolutionLayer("Convolution3dLayer", 3) {}
  Convolution3dLayer(int64_t filter_size, int64_t num_filters,
                     const ConvolutionOptions& options = {})
      : Convolution3dLayer(Sizes{filter_size}, num_filters, options) {}
  Convolution3dLayer(const Sizes& filter_size, int64_t num_filters,
                     const ConvolutionOptions& options = {})
      : ConvolutionLayer("Convolution3dLayer", 3, filter_size, num_filters, options) {}
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_CONVOLUTION_LAYERS_H_
