#include "framework/layers/convolution_layers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/layers/initializers.h"
#include "framework/layers/settings.h"
#include "framework/ops/convolution.h"

namespace lamina::internal {

ConvolutionLayer::ConvolutionLayer(const char* class_name, int rank)
    : class_name_(class_name), rank_(rank) {
  SetL2Factor("Bias", 0);
}

ConvolutionLayer::ConvolutionLayer(const char* class_name, int rank, const Sizes& filter,
                                   int64_t filters, const ConvolutionOptions& options)
    : ConvolutionLayer(class_name, rank) {
  RequireEach(class_name, "FilterSize", filter, rank, 1);
  RequireAtLeast(class_name, "NumFilters", filters, 1);
  RequireEach(class_name, "Stride", options.stride, rank, 1);
  RequireEach(class_name, "DilationFactor", options.dilation, rank, 1);
  RequireAtLeast(class_name, "NumGroups", options.groups, 1);
  CheckInitializer(options.weights_initializer);
  CheckInitializer(options.bias_initializer);
  const PaddingSetting padding = PaddingSetting::Of(class_name, options.padding, rank);
  filter_size = ForEachDim(filter, rank);
  num_filters = filters;
  stride = ForEachDim(options.stride, rank);
  dilation = ForEachDim(options.dilation, rank);
  padding_mode = padding.mode;
  padding_size = padding.size;
  num_groups = options.groups;
  weights_initializer = options.weights_initializer;
  bias_initializer = options.bias_initializer;

  std::string text = absl::StrCat(filters, " ", ToString(filter_size.get()), " convolutions");
  if (options.groups > 1) absl::StrAppend(&text, " in ", options.groups, " groups");
  absl::StrAppend(&text, " with stride ", Bracketed(stride));
  const bool dilated =
      std::any_of(dilation->begin(), dilation->end(), [](int64_t d) { return d > 1; });
  if (dilated) absl::StrAppend(&text, ", dilation factor ", Bracketed(dilation));
  SetDescription(absl::StrCat(text, dilated ? ", and padding " : " and padding ", padding.Text()));
}

void ConvolutionLayer::Initialize(const NetworkDataLayout& layout) {
  RequireAtLeast(class_name_, "NumFilters", num_filters, 1);
  RequireAtLeast(class_name_, "NumGroups", num_groups, 1);
  ArraySpec spec;
  spec.sizes = layout.sizes();
  spec.format = layout.format();
  MovesOverTime(class_name_, rank_, spec);
  const int64_t channels = layout.FindDim('C') < 0 ? 1 : layout.Size('C');
  if (channels % num_groups != 0 || num_filters % num_groups != 0) {
    throw Error("layer:InvalidSetting",
                absl::StrCat(class_name_, ": NumGroups divides the channels and NumFilters."),
                absl::StrCat(internal::Counted(num_groups, "group"), " came for ",
                             internal::Counted(channels, "channel"), " and ",
                             internal::Counted(num_filters, "filter"), "."),
                "");
  }
  const int64_t elements = NumElements(filter_size);
  const Fans fans = {elements * channels / num_groups, elements * num_filters / num_groups};
  Sizes sizes = filter_size;
  sizes.push_back(channels / num_groups);
  sizes.push_back(num_filters);
  if (weights.empty()) weights = InitialValue(weights_initializer, sizes, fans);
  if (bias.empty()) bias = InitialValue(bias_initializer, {num_filters, 1}, fans);
}

DlArray ConvolutionLayer::Predict(const DlArray& x) const {
  ConvOptions options;
  options.stride = stride;
  options.dilation = dilation;
  options.padding = ToPadding(padding_mode, padding_size);
  options.groups = num_groups;
  options.over_time = MovesOverTime(class_name_, rank_, x.spec());
  return DlConv(x, weights, bias, options);
}

}  // namespace lamina::internal
