#include "framework/ops/data_format.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

namespace lamina::internal {

FormattedInput::FormattedInput(std::string_view function, const DlArray& x,
                               std::string_view format) {
  if (x.format().empty()) {
    if (format.empty()) {
      throw Error("ops:FormatNeeded",
                  absl::StrCat(std::string(function), " needs to know what each dim means."),
                  absl::StrCat("A ", ToString(x.spec()), " without labels came, and no format."),
                  "Label the array, as in DlArray(x, \"SSCB\"), or give the format argument.");
    }
    x_ = DlArray(x, format);
    format_ = format;
    return;
  }
  if (!format.empty() && !(x.format() == Format::Sorted(format))) {
    throw Error("dlarray:FormatMismatch",
                absl::StrCat(std::string(function),
                             " takes the format argument for arrays without labels."),
                absl::StrCat("A ", ToString(x.spec()), " and the format \"", std::string(format),
                             "\" came."),
                "Leave the format argument out, or strip the labels.");
  }
  x_ = x;
}

DlArray FormattedInput::Like(const DlArray& other) const {
  const bool same_word = !format_.empty() && other.format().empty() &&
                         other.rank() == static_cast<int>(format_.size());
  return same_word ? DlArray(other, format_) : other;
}

DlArray FormattedInput::Finish(const DlArray& y) const {
  if (format_.empty()) return y;
  if (y.format() == format_) return StripDims(y);
  // The labels of the result in the order of the word; those that it lacks come last, and labels
  // that the result lacks give no dim.
  std::string order;
  for (char label : format_) {
    const std::string_view labels = y.format().str();
    const auto count = [label](std::string_view word) {
      return std::count(word.begin(), word.end(), label);
    };
    if (count(order) < count(labels)) order += label;
  }
  for (char label : y.format().str()) {
    if (order.find(label) == std::string::npos) order += label;
  }
  return StripDims(y, order);
}

DlArray ToFloating(const DlArray& x) {
  return IsFloating(x.type()) ? x : Cast(x, DataType::kSingle);
}

void RequireReal(std::string_view function, const DlArray& x) {
  if (!IsComplex(x.type())) return;
  throw Error("ops:UnsupportedType", absl::StrCat(std::string(function), " works on real arrays."),
              absl::StrCat("A ", ToString(x.spec()), " came."),
              "Take Real, Imag or Abs of it first.");
}

void RequireLabel(std::string_view function, const DlArray& x, char label) {
  if (x.format().Find(label) >= 0) return;
  throw Error("dlarray:FormatMismatch",
              absl::StrCat(std::string(function), " expects an array with a \"",
                           std::string(1, label), "\" dim."),
              absl::StrCat("A ", ToString(x.spec()), " came."),
              "Relabel the array, or add the dim with size 1.");
}

}  // namespace lamina::internal
