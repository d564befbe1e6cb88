#include "framework/layers/input_layers.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/layers/settings.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace internal {
namespace {

// Labels and sizes fit `layout`; B and T may be missing.
bool Fits(const ArraySpec& x, const NetworkDataLayout& layout) {
  const auto kept = [](char label) { return label != 'B' && label != 'T'; };
  Sizes had, wanted;
  std::string had_labels, wanted_labels;
  for (int d = 0; d < x.format.rank(); ++d) {
    if (!kept(x.format[d]) && layout.FindDim(x.format[d]) < 0) return false;
    if (kept(x.format[d])) had.push_back(x.sizes[d]), had_labels += x.format[d];
  }
  for (int d = 0; d < layout.rank(); ++d) {
    if (!kept(layout.format()[d])) continue;
    wanted.push_back(layout.sizes()[d]);
    wanted_labels += layout.format()[d];
  }
  if (had_labels != wanted_labels) return false;
  for (size_t i = 0; i < had.size(); ++i) {
    // A size below 0 is not known yet: the layout of a layout.
    if (wanted[i] >= 0 && had[i] >= 0 && wanted[i] != had[i]) return false;
  }
  return true;
}

DlArray AcceptLayout(std::string_view class_name, const NetworkDataLayout& layout,
                     const DlArray& x) {
  const DlArray labelled =
      x.format().empty() && x.rank() <= layout.rank() && !layout.format().empty()
          ? DlArray(x, layout.format().str())
          : x;
  if (!Fits(labelled.spec(), layout)) {
    WrongFormat(class_name,
                absl::StrCat(ToString(layout), layout.has_unknown() ? ", NaN being any size" : ""),
                labelled.spec());
  }
  return IsFloating(labelled.type()) ? labelled : Single(labelled);
}

[[noreturn]] void WrongStatistics(const char* which, size_t count, const ArraySpec& x) {
  throw Error("layer:NoStatistics",
              absl::StrCat("The normalization needs ", which,
                           ": one number, one for each channel, or one for each element."),
              count == 0 ? "None are set." : absl::StrCat(count, " came for a ", ToString(x), "."),
              "Train the network, which computes them from its data, or set the property.");
}

// The numbers as an array that meets x.
DlArray Statistic(const char* which, const std::vector<double>& values, const DlArray& x) {
  const int64_t count = static_cast<int64_t>(values.size()), channels = Size(x, 'C'),
                elements = Size(x, 'S') * channels;
  std::string labels = "C";
  Sizes sizes = {count};
  if (count == elements && count != channels) {
    sizes.clear();
    labels.clear();
    for (int d = 0; d < x.rank(); ++d) {
      if (x.format()[d] != 'S' && x.format()[d] != 'C') continue;
      sizes.push_back(x.size(d));
      labels += x.format()[d];
    }
  } else if (count == 1) {
    return DlArray(values[0]);
  } else if (count != channels) {
    WrongStatistics(which, values.size(), x.spec());
  }
  return Cast(DlArray::FromVector(values, sizes, labels), ToReal(x.type()));
}

// Never 0: what does not vary is not divided.
std::vector<double> Divisors(std::vector<double> values) {
  std::replace(values.begin(), values.end(), 0.0, 1.0);
  return values;
}

}  // namespace

SizedInput::SizedInput(std::string_view class_name, const Sizes& size,
                       const InputOptions& options) {
  RequireEach(class_name, "InputSize", size, static_cast<int>(size.size()), 1);
  RequireOneOf(class_name, "Normalization", options.normalization,
               {"none", "zerocenter", "zscore", "rescale-zero-one", "rescale-symmetric"});
  RequireOneOf(class_name, "NormalizationDimension", options.normalization_dimension,
               {"auto", "channel", "element", "all"});
  input_size = size;
  normalization = options.normalization;
  normalization_dimension = options.normalization_dimension;
}

NetworkDataLayout SizedInput::Layout(std::string_view labels) const {
  Sizes sizes = input_size;
  sizes.resize(labels.size(), kUnknown);
  return NetworkDataLayout(sizes, labels);
}

DlArray SizedInput::Accept(std::string_view class_name, std::string_view labels,
                           const DlArray& x) const {
  return Normalized(AcceptLayout(class_name, Layout(labels), x));
}

DlArray SizedInput::Normalized(const DlArray& x) const {
  if (normalization == "none") return x;
  const bool rescales = normalization == "rescale-zero-one" || normalization == "rescale-symmetric";
  const bool unset =
      rescales ? min->empty() || max->empty()
               : mean->empty() || (normalization == "zscore" && standard_deviation->empty());
  if (unset) {
    // Sizes can be known before statistics are: a network is initialised before it is trained.
    if (!x.has_values()) return x;
    WrongStatistics(rescales ? "Min and Max" : "Mean and StandardDeviation", 0, x.spec());
  }
  if (!rescales) {
    const DlArray centered = x - Statistic("Mean", mean, x);
    if (normalization == "zerocenter") return centered;
    return centered / Statistic("StandardDeviation", Divisors(standard_deviation), x);
  }
  if (min->size() != max->size()) WrongStatistics("as many Min as Max", min->size(), x.spec());
  std::vector<double> range = max;
  for (size_t i = 0; i < range.size(); ++i) range[i] -= min[i];
  const DlArray unit =
      (x - Statistic("Min", min, x)) / Statistic("Max", Divisors(std::move(range)), x);
  return normalization == "rescale-symmetric" ? 2 * unit - 1 : unit;
}

}  // namespace internal

namespace {
void RequireSizes(const char* class_name, const char* what, const Sizes& size, size_t count) {
  if (size.size() == count) return;
  throw Error("layer:InvalidSetting", absl::StrCat(class_name, ": InputSize is ", what, "."),
              absl::StrCat(internal::Bracketed(size), " came."), "");
}
}  // namespace

FeatureInputLayer::FeatureInputLayer(int64_t num_features, const InputOptions& options)
    : SizedInput("FeatureInputLayer", {num_features}, options) {
  SetDescription(internal::Counted(num_features, "feature"));
}
DlArray FeatureInputLayer::Predict(const DlArray& x) const {
  return Accept("FeatureInputLayer", "CB", x);
}

ImageInputLayer::ImageInputLayer(const Sizes& size, const InputOptions& options)
    : SizedInput("ImageInputLayer", size, options) {
  RequireSizes("ImageInputLayer", "height, width and channels", size, 3);
  SetDescription(absl::StrCat(ToString(size), " images"));
}
DlArray ImageInputLayer::Predict(const DlArray& x) const {
  return Accept("ImageInputLayer", "SSCB", x);
}

Image3dInputLayer::Image3dInputLayer(const Sizes& size, const InputOptions& options)
    : SizedInput("Image3dInputLayer", size, options) {
  RequireSizes("Image3dInputLayer", "height, width, depth and channels", size, 4);
  SetDescription(absl::StrCat(ToString(size), " images"));
}
DlArray Image3dInputLayer::Predict(const DlArray& x) const {
  return Accept("Image3dInputLayer", "SSSCB", x);
}

SequenceInputLayer::SequenceInputLayer(const Sizes& size, const InputOptions& options)
    : SizedInput("SequenceInputLayer", size, options) {
  SetDescription(size.size() == 1
                     ? absl::StrCat("Sequences of ", internal::Counted(size[0], "feature"))
                     : absl::StrCat("Sequences of ", ToString(size), " images"));
}
std::string SequenceInputLayer::Labels() const {
  return absl::StrCat(std::string(std::max<size_t>(input_size->size(), 1) - 1, 'S'), "CBT");
}
DlArray SequenceInputLayer::Predict(const DlArray& x) const {
  return Accept("SequenceInputLayer", Labels(), x);
}

InputLayer::InputLayer(const Sizes& size, std::string_view labels) {
  const NetworkDataLayout layout(size, labels);
  input_size = layout.sizes();
  format = layout.format().str();
  SetDescription(absl::StrCat("Data ", ToString(layout)));
}
DlArray InputLayer::Predict(const DlArray& x) const {
  return internal::AcceptLayout("InputLayer", *InputLayout(), x);
}

}  // namespace lamina
