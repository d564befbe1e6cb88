#include "framework/layers/input_statistics.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

const PropertyDescriptor* Find(const Layer& layer, std::string_view name) {
  for (const PropertyDescriptor& p : layer.Properties()) {
    if (p.name == name && p.kind == PropertyKind::kProperty) return &p;
  }
  return nullptr;
}

std::string Word(const Layer& layer, std::string_view name) {
  const PropertyDescriptor* p = Find(layer, name);
  if (p == nullptr) return "";
  const PropertyValue value = layer.GetProperty(*p);
  const std::string* word = std::get_if<std::string>(&value);
  return word == nullptr ? "" : *word;
}

bool IsSet(const Layer& layer, std::string_view name) {
  const PropertyDescriptor* p = Find(layer, name);
  if (p == nullptr) return true;
  const PropertyValue value = layer.GetProperty(*p);
  const auto* numbers = std::get_if<std::vector<double>>(&value);
  return numbers == nullptr || !numbers->empty();
}

}  // namespace

InputStatistics::InputStatistics(const Layer& layer) : type_(layer.Type()) {
  const std::string normalization = Word(layer, "Normalization");
  if (normalization.empty() || normalization == "none") return;
  const bool rescales = normalization.rfind("rescale", 0) == 0;
  needed_ = rescales ? !IsSet(layer, "Min") || !IsSet(layer, "Max")
                     : !IsSet(layer, "Mean") ||
                           (normalization == "zscore" && !IsSet(layer, "StandardDeviation"));
  const std::string dimension = Word(layer, "NormalizationDimension");
  shared_ = dimension == "element" ? "BT" : dimension == "all" ? "SCBT" : "SBT";
}

void InputStatistics::Add(const DlArray& batch) {
  if (!needed_ || batch.empty()) return;
  if (IsComplex(batch.type())) {
    throw Error("ops:UnsupportedType",
                absl::StrCat(type_, " takes the statistics of its normalization from real data."),
                absl::StrCat("A ", ToString(batch.spec()), " came."),
                "Set Normalization to \"none\", or set the statistics yourself.");
  }
  const DlArray x = Double(batch);
  std::string present;
  double n = 1;
  for (int d = 0; d < batch.format().rank(); ++d) {
    const char label = batch.format()[d];
    if (shared_.find(label) == std::string::npos) continue;
    n *= static_cast<double>(x.size(d));
    if (present.find(label) == std::string::npos) present += label;
  }
  // Without a shared dim each element is its own statistic.
  const auto over = [&](DlArray (*f)(const DlArray&, const DimSet&)) {
    return present.empty() ? x : f(x, DimSet(present));
  };
  const std::vector<double> mean = over(Mean).ToVector<double>(),
                            min = over(MinOver).ToVector<double>(),
                            max = over(MaxOver).ToVector<double>();
  std::vector<double> squares(mean.size(), 0);
  if (!present.empty()) {
    squares = Variance(x, DimSet(present)).ToVector<double>();
    for (double& s : squares) s *= n;
  }
  if (count_ == 0) {
    mean_ = mean, squares_ = squares, min_ = min, max_ = max, count_ = n;
    return;
  }
  if (mean.size() != mean_.size()) {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat("All data of an input has the same S and C dims, ", mean_.size(),
                             " statistics in all."),
                absl::StrCat("A ", ToString(batch.spec()), " came."), "");
  }
  const double all = count_ + n;
  for (size_t i = 0; i < mean_.size(); ++i) {
    const double difference = mean[i] - mean_[i];
    mean_[i] += difference * n / all;
    squares_[i] += squares[i] + difference * difference * count_ * n / all;
    min_[i] = std::min(min_[i], min[i]);
    max_[i] = std::max(max_[i], max[i]);
  }
  count_ = all;
}

void InputStatistics::SetIn(Layer& layer) const {
  if (!needed_ || count_ == 0) return;
  std::vector<double> deviation = squares_;
  for (double& d : deviation) d = std::sqrt(d / count_);
  const auto set = [&](std::string_view name, const std::vector<double>& values) {
    const PropertyDescriptor* p = Find(layer, name);
    if (p != nullptr) layer.SetProperty(*p, values);
  };
  set("Mean", mean_);
  set("StandardDeviation", deviation);
  set("Min", min_);
  set("Max", max_);
}

}  // namespace lamina
