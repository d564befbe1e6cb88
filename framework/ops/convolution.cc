#include "framework/ops/convolution.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/convolution_op.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using internal::ConvParameters;
using internal::WindowedInput;

// Labelled weights carry the labels that their dims mean; they are then used by position.
void CheckWeightLabels(std::string_view function, const DlArray& w, int rank) {
  const std::string expected = std::string(rank, 'S') + "CU";
  if (w.format().empty() || w.format() == expected || w.format() == expected + "U") return;
  throw Error("dlarray:FormatMismatch",
              absl::StrCat(std::string(function), " expects weights without labels, or labelled \"",
                           expected, "\" or \"", expected, "U\"."),
              absl::StrCat("Weights ", ToString(w.spec()), " came."), "Strip their labels.");
}

// The groups that `options` and a last dim of the weights tell.
int64_t Groups(std::string_view function, const DlArray& w, int rank, int64_t told) {
  if (w.rank() > rank + 3) {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat(std::string(function), " along ", internal::Counted(rank, "dim"),
                             " expects weights of ", rank + 2, " dims, or of ", rank + 3,
                             " with the groups last."),
                absl::StrCat("Weights ", ToString(w.spec()), " came."),
                "Check how many dims of the data are labelled S.");
  }
  const int64_t last = w.size(rank + 2);
  if (told < 1 || (last != 1 && told != 1 && told != last)) {
    throw Error(
        "ops:InvalidGroups",
        absl::StrCat(std::string(function), " expects one number of groups, at least 1."),
        absl::StrCat("Weights ", ToString(w.spec()), " came, and the option groups = ", told, "."),
        "Give the groups in the options or in the last dim of the weights.");
  }
  return std::max(told, last);
}

// The bias as the op takes it: `count` elements, or none.
// `single` gets a bias of one element that is meant for all.
void SplitBias(std::string_view function, const DlArray& bias, int64_t count, DlArray* each,
               DlArray* single) {
  if (bias.empty()) return;
  if (bias.numel() == count) {
    *each = bias;
  } else if (bias.numel() == 1) {
    *single = Reshape(bias, {});
  } else {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat(std::string(function), " expects a bias of ",
                             internal::Counted(count, "element"),
                             " (one for each channel of the result), of one, or none."),
                absl::StrCat("A bias ", ToString(bias.spec()), " came."),
                "Check the number of filters.");
  }
}

DataType CommonType(const DlArray& x, const DlArray& w, const DlArray& bias) {
  const DataType type = Promote(x.type(), w.type());
  const DataType all = bias.empty() ? type : Promote(type, bias.type());
  return IsFloating(all) ? all : DataType::kSingle;
}

}  // namespace

DlArray DlConv(const DlArray& x, const DlArray& weights, const DlArray& bias,
               const ConvOptions& options) {
  constexpr std::string_view kName = "DlConv";
  const WindowedInput input(kName, x, options.format, options.over_time);
  const int rank = input.rank();
  CheckWeightLabels(kName, weights, rank);
  ConvParameters p;
  p.groups = Groups(kName, weights, rank, options.groups);
  Sizes filter(rank);
  int64_t count = 1;
  for (int d = 0; d < rank; ++d) filter[d] = weights.size(d);
  for (int d = rank + 1; d < weights.rank(); ++d) count *= weights.size(d);
  p.window = WindowGeometry::Resolve(kName, input.moved(), filter, options.stride, options.dilation,
                                     options.padding);
  DlArray each, single;
  SplitBias(kName, bias, count, &each, &single);
  const DataType type = CommonType(x, weights, bias);
  const auto op = std::make_shared<internal::ConvOp>(std::move(p));
  const DlArray data = Cast(input.x(), type), w = Cast(weights, type);
  DlArray y = each.empty() ? internal::ApplyProduct(op, {data, w})
                           : internal::ApplyProduct(op, {data, w, Cast(each, type)});
  if (!single.empty()) y = y + single;
  return input.Finish(y);
}

DlArray DlTranspConv(const DlArray& x, const DlArray& weights, const DlArray& bias,
                     const TranspConvOptions& options) {
  constexpr std::string_view kName = "DlTranspConv";
  const WindowedInput input(kName, x, options.format, options.over_time);
  const int rank = input.rank();
  CheckWeightLabels(kName, weights, rank);
  ConvParameters p;
  p.groups = Groups(kName, weights, rank, options.groups);
  Sizes filter(rank);
  int64_t channels = 1;
  for (int d = 0; d < rank; ++d) filter[d] = weights.size(d);
  for (int d = rank + 1; d < weights.rank(); ++d) channels *= weights.size(d);
  if (Size(input.x(), 'C') != channels) {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat(std::string(kName),
                             " expects weights as filter sizes, channels of "
                             "the result for each group, channels of the data."),
                absl::StrCat("Data ", ToString(x.spec()), " and weights ", ToString(weights.spec()),
                             " came."),
                "Make the last dim of the weights the number of channels of the data.");
  }
  // The result is what a convolution would have made x of.
  const Sizes n = input.moved();
  Sizes full(rank);
  const Sizes stride =
      internal::ExpandOption(kName, "ops:InvalidStride", "stride", options.stride, rank, 1);
  const Sizes dilation = internal::ExpandOption(kName, "ops:InvalidDilation", "dilation factor",
                                                options.dilation, rank, 1);
  const bool same = options.cropping == Padding("same");
  for (int d = 0; d < rank; ++d) {
    const int64_t extent = (filter[d] - 1) * dilation[d] + 1;
    full[d] = same ? stride[d] * n[d] : stride[d] * (n[d] - 1) + extent;
  }
  if (options.cropping == Padding("causal")) {
    throw Error("ops:InvalidPadding", "A cropping is a number, numbers or \"same\".",
                "\"causal\" came.", "Crop at the end: Padding::BeginEnd({0}, {n}).");
  }
  if (same) {
    p.window = WindowGeometry::Resolve(kName, full, filter, stride, dilation, "same");
  } else {
    const auto [begin, end] = options.cropping.Explicit(kName, rank);
    for (int d = 0; d < rank; ++d) {
      full[d] -= begin[d] + end[d];
      if (full[d] < 1) {
        throw Error("ops:InvalidPadding", "A cropping leaves at least one element.",
                    absl::StrCat("Along dim ", d, " of ", full[d] + begin[d] + end[d],
                                 " elements, ", begin[d], " + ", end[d], " are cut off."),
                    "Crop less.");
      }
    }
    p.window = WindowGeometry::Resolve(kName, full, filter, stride, dilation,
                                       Padding::BeginEnd(begin, end));
  }
  const int64_t result_channels = weights.size(rank) * p.groups;
  ArraySpec spec = input.x().spec();
  spec.type = CommonType(x, weights, bias);
  std::string labels(rank, 'S');
  spec.sizes.assign(full.begin(), full.end());
  labels += 'C';
  spec.sizes.push_back(result_channels);
  for (int d = rank; d < input.x().rank(); ++d) {
    const char label = input.x().format()[d];
    if (label == 'C') continue;
    labels += label;
    spec.sizes.push_back(input.x().size(d));
  }
  spec.format = Format(labels);

  DlArray data = Cast(input.x(), spec.type);
  if (data.format().Find('C') < 0) {  // The op wants what a convolution gives: with a C dim.
    Sizes sizes = data.sizes();
    sizes.insert(sizes.begin() + rank, 1);
    data = Reshape(data, sizes, labels);
  }
  DlArray each, single;
  SplitBias(kName, bias, result_channels, &each, &single);
  DlArray y =
      internal::ApplyProduct(std::make_shared<internal::ConvBackwardDataOp>(std::move(p), spec),
                             {data, Cast(weights, spec.type)});
  if (!each.empty()) y = y + Reshape(each, {result_channels}, "C");
  if (!single.empty()) y = y + single;
  return input.Finish(y);
}

}  // namespace lamina
