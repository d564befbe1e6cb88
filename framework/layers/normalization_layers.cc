#include "framework/layers/normalization_layers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/layers/settings.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/normalization.h"
#include "framework/ops/shape.h"

namespace lamina {

void internal::ScaleAndOffset::Initialize(const NetworkDataLayout& layout) {
  const Sizes channels = {layout.Size('C'), 1};
  if (offset.empty()) offset = Zeros(channels);
  if (scale.empty()) scale = Ones(channels);
}

BatchNormalizationLayer::BatchNormalizationLayer(const BatchNormalizationOptions& options) {
  // A decay of 1 keeps the newest batch alone.
  for (auto [setting, decay] : {std::pair("MeanDecay", options.mean_decay),
                                std::pair("VarianceDecay", options.variance_decay)}) {
    if (decay == 1) continue;
    internal::RequireInterval("BatchNormalizationLayer", setting, decay, 0, 1);
  }
  internal::RequirePositive("BatchNormalizationLayer", "Epsilon", options.epsilon);
  mean_decay = options.mean_decay;
  variance_decay = options.variance_decay;
  epsilon = options.epsilon;
  SetDescription("Batch normalization");
}

void BatchNormalizationLayer::Initialize(const NetworkDataLayout& layout) {
  ScaleAndOffset::Initialize(layout);
  const Sizes channels = {layout.Size('C'), 1};
  if (trained_mean.empty()) trained_mean = Zeros(channels);
  if (trained_variance.empty()) trained_variance = Ones(channels);
}

std::tuple<DlArray, DlArray, DlArray> BatchNormalizationLayer::Predict(const DlArray& x) const {
  return {BatchNorm(x, offset, scale, trained_mean, trained_variance, {.epsilon = epsilon}),
          trained_mean, trained_variance};
}

std::tuple<DlArray, DlArray, DlArray> BatchNormalizationLayer::Forward(const DlArray& x) const {
  const BatchNormResult r = BatchNorm(x, offset, scale, {.epsilon = epsilon});
  const double n = static_cast<double>(x.numel()) / static_cast<double>(Size(x, 'C'));
  const double all = n / std::max(n - 1, 1.0);  // A single element says nothing of the spread.
  const DlArray mean = Reshape(r.mean, trained_mean.sizes());
  const DlArray variance = Reshape(r.variance, trained_variance.sizes());
  return {r.y, (1 - mean_decay) * trained_mean + mean_decay * mean,
          (1 - variance_decay) * trained_variance + (variance_decay * all) * variance};
}

LayerNormalizationLayer::LayerNormalizationLayer(const LayerNormalizationOptions& options) {
  internal::RequirePositive("LayerNormalizationLayer", "Epsilon", options.epsilon);
  internal::RequireOneOf("LayerNormalizationLayer", "OperationDimension",
                         options.operation_dimension,
                         {"auto", "channel-only", "spatial-channel", "batch-excluded"});
  epsilon = options.epsilon;
  operation_dimension = options.operation_dimension;
  SetDescription("Layer normalization");
}

DlArray LayerNormalizationLayer::Predict(const DlArray& x) const {
  const LayerNormDims dims =
      operation_dimension == "channel-only"      ? LayerNormDims::kChannelOnly
      : operation_dimension == "spatial-channel" ? LayerNormDims::kSpatialChannel
      : operation_dimension == "batch-excluded"  ? LayerNormDims::kBatchExcluded
                                                 : LayerNormDims::kAuto;
  return LayerNorm(x, offset, scale, {.epsilon = epsilon}, dims);
}

GroupNormalizationLayer::GroupNormalizationLayer(int64_t groups, const EpsilonOption& options) {
  internal::RequireAtLeast("GroupNormalizationLayer", "NumGroups", groups, 1);
  internal::RequirePositive("GroupNormalizationLayer", "Epsilon", options.epsilon);
  num_groups = groups;
  epsilon = options.epsilon;
  SetDescription(absl::StrCat("Group normalization with ", internal::Counted(groups, "group")));
}

DlArray GroupNormalizationLayer::Predict(const DlArray& x) const {
  return GroupNorm(x, num_groups, offset, scale, {.epsilon = epsilon});
}

InstanceNormalizationLayer::InstanceNormalizationLayer(const EpsilonOption& options) {
  internal::RequirePositive("InstanceNormalizationLayer", "Epsilon", options.epsilon);
  epsilon = options.epsilon;
  SetDescription("Instance normalization");
}

DlArray InstanceNormalizationLayer::Predict(const DlArray& x) const {
  return InstanceNorm(x, offset, scale, {.epsilon = epsilon});
}

}  // namespace lamina
