// Layers that take the largest or the mean element of a moving window, or of all.
//
//   MaxPooling2dLayer({2, 2}, {.stride = {2, 2}})      // "SSCB": half the height and width
//   AveragePooling1dLayer(3, {.padding = "same"})      // "SCB", or along time "CBT"
//   GlobalAveragePooling2dLayer()                      // "SSCB": 1(S) x 1(S)
//   GlobalMaxPooling1dLayer()                          // "CBT" gives "CB"
//
// A pooling of k dims moves along k S dims, or along k - 1 S dims and T. The arithmetic is that of
// framework/ops/pooling.h. Global pooling over time drops the T dim. Errors of the constructors:
// "layer:InvalidSetting"; of Predict: "layer:InputFormat" for other dims. Threads: as any layer
// (layer.h).
#ifndef FRAMEWORK_LAYERS_POOLING_LAYERS_H_
#define FRAMEWORK_LAYERS_POOLING_LAYERS_H_

#include <string>

#include "framework/layers/layer.h"
#include "framework/ops/window.h"

namespace lamina {

struct PoolingOptions {
  Sizes stride = {1};   ///< One number for all dims, or one for each.
  Padding padding = 0;  ///< Numbers smaller than the window, or "same".
};

namespace internal {

/// What pooling layers have in common.
class PoolingLayer : public Layer, public Formattable, public Acceleratable {
 public:
  Property<Sizes> pool_size{*this, "PoolSize", {1}};
  Property<Sizes> stride{*this, "Stride", {1}};
  Property<std::string> padding_mode{*this, "PaddingMode", "manual"};  ///< See PaddingSetting.
  Property<Sizes> padding_size{*this, "PaddingSize", {0, 0}};

  DlArray Predict(const DlArray& x) const;

 protected:
  enum Kind { kMax, kAverage };
  PoolingLayer(const char* class_name, Kind kind, int rank)
      : class_name_(class_name), kind_(kind), rank_(rank) {}
  PoolingLayer(const char* class_name, Kind kind, int rank, const Sizes& window,
               const PoolingOptions& options);

 private:
  const char* class_name_;
  Kind kind_;
  int rank_;
};

class GlobalPoolingLayer : public Layer, public Formattable, public Acceleratable {
 public:
  DlArray Predict(const DlArray& x) const;

 protected:
  enum Kind { kMax, kAverage };
  GlobalPoolingLayer(const char* class_name, Kind kind, int rank);

 private:
  const char* class_name_;
  Kind kind_;
  int rank_;
};

}  // namespace internal

/// The largest element of each window.
class MaxPooling1dLayer : public internal::PoolingLayer {
 public:
  MaxPooling1dLayer() : PoolingLayer("MaxPooling1dLayer", kMax, 1) {}
  explicit MaxPooling1dLayer(int64_t pool_size, const PoolingOptions& options = {})
      : PoolingLayer("MaxPooling1dLayer", kMax, 1, {pool_size}, options) {}
};
class MaxPooling2dLayer : public internal::PoolingLayer {
 public:
  MaxPooling2dLayer() : PoolingLayer("MaxPooling2dLayer", kMax, 2) {}
  /// One size for both dims, or height and width.
  explicit MaxPooling2dLayer(int64_t pool_size, const PoolingOptions& options = {})
      : MaxPooling2dLayer(Sizes{pool_size}, options) {}
  explicit MaxPooling2dLayer(const Sizes& pool_size, const PoolingOptions& options = {})
      : PoolingLayer("MaxPooling2dLayer", kMax, 2, pool_size, options) {}
};
class MaxPooling3dLayer : public internal::PoolingLayer {
 public:
  MaxPooling3dLayer() : PoolingLayer("MaxPooling3dLayer", kMax, 3) {}
  explicit MaxPooling3dLayer(int64_t pool_size, const PoolingOptions& options = {})
      : MaxPooling3dLayer(Sizes{pool_size}, options) {}
  explicit MaxPooling3dLayer(const Sizes& pool_size, const PoolingOptions& options = {})
      : PoolingLayer("MaxPooling3dLayer", kMax, 3, pool_size, options) {}
};

/// The mean of each window; padding counts as zeros.
class AveragePooling1dLayer : public internal::PoolingLayer {
 public:
  AveragePooling1dLayer() : PoolingLayer("AveragePooling1dLayer", kAverage, 1) {}
  explicit AveragePooling1dLayer(int64_t pool_size, const PoolingOptions& options = {})
      : PoolingLayer("AveragePooling1dLayer", kAverage, 1, {pool_size}, options) {}
};
class AveragePooling2dLayer : public internal::PoolingLayer {
 public:
  AveragePooling2dLayer() : PoolingLayer("AveragePooling2dLayer", kAverage, 2) {}
  explicit AveragePooling2dLayer(int64_t pool_size, const PoolingOptions& options = {})
      : AveragePooling2dLayer(Sizes{pool_size}, options) {}
  explicit AveragePooling2dLayer(const Sizes& pool_size, const PoolingOptions& options = {})
      : PoolingLayer("AveragePooling2dLayer", kAverage, 2, pool_size, options) {}
};
class AveragePooling3dLayer : public internal::PoolingLayer {
 public:
  AveragePooling3dLayer() : PoolingLayer("AveragePooling3dLayer", kAverage, 3) {}
  explicit AveragePooling3dLayer(int64_t pool_size, const PoolingOptions& options = {})
      : AveragePooling3dLayer(Sizes{pool_size}, options) {}
  explicit AveragePooling3dLayer(const Sizes& pool_size, const PoolingOptions& options = {})
      : PoolingLayer("AveragePooling3dLayer", kAverage, 3, pool_size, options) {}
};

/// The largest element, the mean of each channel.
struct GlobalMaxPooling1dLayer : internal::GlobalPoolingLayer {
  GlobalMaxPooling1dLayer() : GlobalPoolingLayer("GlobalMaxPooling1dLayer", kMax, 1) {}
};
struct GlobalMaxPooling2dLayer : internal::GlobalPoolingLayer {
  GlobalMaxPooling2dLayer() : GlobalPoolingLayer("GlobalMaxPooling2dLayer", kMax, 2) {}
};
struct GlobalMaxPooling3dLayer : internal::GlobalPoolingLayer {
  GlobalMaxPooling3dLayer() : GlobalPoolingLayer("GlobalMaxPooling3dLayer", kMax, 3) {}
};
struct GlobalAveragePooling1dLayer : internal::GlobalPoolingLayer {
  GlobalAveragePooling1dLayer() : GlobalPoolingLayer("GlobalAveragePooling1dLayer", kAverage, 1) {}
};
struct GlobalAveragePooling2dLayer : internal::GlobalPoolingLayer {
  GlobalAveragePooling2dLayer() : GlobalPoolingLayer("GlobalAveragePooling2dLayer", kAverage, 2) {}
};
struct GlobalAveragePooling3dLayer : internal::GlobalPoolingLayer {
  GlobalAveragePooling3dLayer() : GlobalPoolingLayer("GlobalAveragePooling3dLayer", kAverage, 3) {}
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_POOLING_LAYERS_H_
