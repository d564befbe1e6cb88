#include "framework/layers/network_data_layout.h"

#include <algorithm>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lamina {

NetworkDataLayout::NetworkDataLayout(const Sizes& sizes, std::string_view format) {
  for (int64_t s : sizes) {
    if (s < 1 && s != kUnknown) {
      throw Error("layout:InvalidSize", "Sizes of a layout are 1 or more, or kUnknown.",
                  absl::StrCat("Sizes [", absl::StrJoin(sizes, " "), "] came."),
                  "Write kUnknown where a size may be any.");
    }
  }
  if (!format.empty() && format.size() != sizes.size()) {
    throw Error(
        "layout:FormatRank", "A layout has one label for each size.",
        absl::StrCat("\"", std::string(format), "\" came with sizes ", ToString(sizes), "."),
        "Give each size its label.");
  }
  spec_.sizes = sizes;
  if (format.empty()) return;
  spec_.format = Format::Sorted(format);
  const std::vector<int> order = Format::SortingPermutation(format);
  for (size_t i = 0; i < order.size(); ++i) spec_.sizes[i] = sizes[order[i]];
}

NetworkDataLayout NetworkDataLayout::Of(const DlArray& x) {
  return NetworkDataLayout(x.sizes(), x.format().str());
}

int64_t NetworkDataLayout::Size(char label) const {
  const int dim = FindDim(label);
  if (dim < 0) {
    throw Error("layout:LabelNotFound",
                absl::StrCat("The size of dim '", std::string(1, label), "' was asked for."),
                absl::StrCat("The layout is ", ToString(*this), "."),
                "Give the layer data with this label.");
  }
  if (spec_.sizes[dim] == kUnknown) {
    throw Error("layout:UnknownSize",
                absl::StrCat("The size of dim '", std::string(1, label), "' must be known."),
                absl::StrCat("The layout is ", ToString(*this), "."),
                "Give a layout with this size.");
  }
  return spec_.sizes[dim];
}

Sizes NetworkDataLayout::Only(char label) const {
  Size(label);
  Sizes sizes(spec_.sizes.size(), 1);
  for (int d = 0; d < format().rank(); ++d) {
    if (format()[d] == label) sizes[d] = spec_.sizes[d];
  }
  while (sizes.size() > 1 && sizes.back() == 1) sizes.pop_back();
  return sizes;
}

int64_t NetworkDataLayout::Count(std::string_view labels) const {
  int64_t n = 1;
  for (int d = 0; d < format().rank(); ++d) {
    if (labels.find(format()[d]) == std::string_view::npos) continue;
    if (spec_.sizes[d] == kUnknown) Size(format()[d]);
    n *= spec_.sizes[d];
  }
  return n;
}

bool NetworkDataLayout::has_unknown() const {
  return std::count(spec_.sizes.begin(), spec_.sizes.end(), kUnknown) > 0;
}

NetworkDataLayout NetworkDataLayout::WithUnknown(int64_t size) const {
  NetworkDataLayout out = *this;
  std::replace(out.spec_.sizes.begin(), out.spec_.sizes.end(), kUnknown, size);
  return out;
}

std::string ToString(const NetworkDataLayout& layout) {
  std::string text;
  for (int d = 0; d < layout.rank(); ++d) {
    if (d > 0) text += " x ";
    absl::StrAppend(&text, layout.sizes()[d] == kUnknown ? "NaN" : absl::StrCat(layout.sizes()[d]));
    if (!layout.format().empty())
      absl::StrAppend(&text, "(", std::string(1, layout.format()[d]), ")");
  }
  return text.empty() ? "scalar" : text;
}

std::ostream& operator<<(std::ostream& out, const NetworkDataLayout& layout) {
  return out << ToString(layout);
}

}  // namespace lamina
