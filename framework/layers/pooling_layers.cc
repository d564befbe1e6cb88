#include "framework/layers/pooling_layers.h"

#include "absl/strings/str_cat.h"
#include "framework/layers/settings.h"
#include "framework/ops/pooling.h"
#include "framework/ops/shape.h"

namespace lamina::internal {

PoolingLayer::PoolingLayer(const char* class_name, Kind kind, int rank, const Sizes& window,
                           const PoolingOptions& options)
    : PoolingLayer(class_name, kind, rank) {
  RequireEach(class_name, "PoolSize", window, rank, 1);
  RequireEach(class_name, "Stride", options.stride, rank, 1);
  const PaddingSetting padding = PaddingSetting::Of(class_name, options.padding, rank);
  RequireOneOf(class_name, "PaddingMode", padding.mode, {"manual", "same"});
  pool_size = ForEachDim(window, rank);
  stride = ForEachDim(options.stride, rank);
  padding_mode = padding.mode;
  padding_size = padding.size;
  SetDescription(absl::StrCat(ToString(pool_size.get()),
                              kind == kMax ? " max pooling" : " average pooling", " with stride ",
                              Bracketed(stride), " and padding ", padding.Text()));
}

DlArray PoolingLayer::Predict(const DlArray& x) const {
  PoolOptions options;
  options.window = pool_size;
  options.stride = stride;
  options.padding = ToPadding(padding_mode, padding_size);
  options.over_time = MovesOverTime(class_name_, rank_, x.spec());
  return kind_ == kMax ? MaxPool(x, options) : AvgPool(x, options);
}

GlobalPoolingLayer::GlobalPoolingLayer(const char* class_name, Kind kind, int rank)
    : class_name_(class_name), kind_(kind), rank_(rank) {
  SetDescription(
      absl::StrCat(rank, kind == kMax ? "-d global max pooling" : "-d global average pooling"));
}

DlArray GlobalPoolingLayer::Predict(const DlArray& x) const {
  PoolOptions options;
  options.global = true;
  options.over_time = MovesOverTime(class_name_, rank_, x.spec());
  const DlArray y = kind_ == kMax ? MaxPool(x, options) : AvgPool(x, options);
  if (!options.over_time) return y;
  // T has size 1 now and means nothing.
  Sizes sizes;
  std::string labels;
  for (int d = 0; d < y.rank(); ++d) {
    if (y.format()[d] == 'T') continue;
    sizes.push_back(y.size(d));
    labels += y.format()[d];
  }
  return Reshape(y, sizes, labels);
}

}  // namespace lamina::internal
