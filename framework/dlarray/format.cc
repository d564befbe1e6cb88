#include "framework/dlarray/format.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina {
namespace {

constexpr std::string_view kLabels = "SCBTU";

void CheckLabels(std::string_view labels) {
  for (char label : labels) {
    if (kLabels.find(label) == std::string_view::npos) {
      throw Error(
          "dlarray:InvalidLabel",
          "A format is made of the labels S (spatial), C (channel), B (batch), T (time) and "
          "U (unspecified).",
          absl::StrCat("\"", std::string(labels), "\" has '", std::string(1, label), "'."),
          "Write one of these letters for each dim, in upper case.");
    }
  }
  for (char label : {'C', 'B', 'T'}) {
    if (std::count(labels.begin(), labels.end(), label) > 1) {
      throw Error("dlarray:DuplicateLabel", "A format has C, B and T at most once.",
                  absl::StrCat("\"", std::string(labels), "\" has '", std::string(1, label), "' ",
                               std::count(labels.begin(), labels.end(), label), " times."),
                  "Label the other dim S or U.");
    }
  }
}

}  // namespace

std::string ToString(const Sizes& sizes) {
  if (sizes.empty()) return "scalar";
  std::string text;
  for (int64_t s : sizes) {
    if (!text.empty()) text += 'x';
    if (s < 0) {
      text += "NaN";
    } else {
      absl::StrAppend(&text, s);
    }
  }
  return text;
}

Format::Format(std::string_view labels) : labels_(labels) {
  if (labels.empty()) return;
  CheckLabels(labels);
  const Format sorted = Sorted(labels);
  if (sorted.labels_ != labels_) {
    throw Error("dlarray:LabelOrder", "A format has its labels in the order S C B T U.",
                absl::StrCat("\"", labels_, "\" came."),
                absl::StrCat("Write \"", sorted.labels_, "\"."));
  }
}

std::vector<int> Format::SortingPermutation(std::string_view labels) {
  CheckLabels(labels);
  std::vector<int> order(labels.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int a, int b) { return kLabels.find(labels[a]) < kLabels.find(labels[b]); });
  return order;
}

Format Format::Sorted(std::string_view labels) {
  Format format;
  for (int dim : SortingPermutation(labels)) format.labels_ += labels[dim];
  return format;
}

int Format::Count(char label) const {
  return static_cast<int>(std::count(labels_.begin(), labels_.end(), label));
}

Format Combine(const Format& a, const Format& b) {
  if (a == b) return a;
  std::string labels;
  for (char label : kLabels) labels.append(std::max(a.Count(label), b.Count(label)), label);
  return Format(labels);
}

std::vector<int> AlignLabels(const Format& from, const Format& to) {
  std::vector<int> dims(from.rank());
  for (int i = 0, in_block = 0; i < from.rank(); ++i) {
    in_block = i > 0 && from[i] == from[i - 1] ? in_block + 1 : 0;
    dims[i] = to.Find(from[i]) + in_block;
  }
  return dims;
}

std::string ToString(const ArraySpec& spec) {
  std::string text;
  for (int i = 0; i < spec.rank(); ++i) {
    if (i > 0) text += " x ";
    if (spec.sizes[i] < 0) {
      text += "NaN";
    } else {
      absl::StrAppend(&text, spec.sizes[i]);
    }
    if (!spec.format.empty()) absl::StrAppend(&text, "(", std::string(1, spec.format[i]), ")");
  }
  if (text.empty()) text = "scalar";
  return absl::StrCat(text, " ", std::string(Name(spec.type)), " DlArray");
}

bool SameSizes(const Sizes& a, const Sizes& b) {
  const size_t rank = std::max(a.size(), b.size());
  for (size_t i = 0; i < rank; ++i) {
    if ((i < a.size() ? a[i] : 1) != (i < b.size() ? b[i] : 1)) return false;
  }
  return true;
}

Sizes AlignSizes(const ArraySpec& spec, const ArraySpec& out) {
  Sizes sizes(out.sizes.size(), 1);
  if (spec.format.empty() || spec.format == out.format) {
    std::copy_n(spec.sizes.begin(), std::min(spec.sizes.size(), sizes.size()), sizes.begin());
    return sizes;
  }
  const std::vector<int> dims = AlignLabels(spec.format, out.format);
  for (size_t i = 0; i < dims.size(); ++i) sizes[dims[i]] = spec.sizes[i];
  return sizes;
}

namespace {

std::string Both(std::initializer_list<const ArraySpec*> specs) {
  std::string text;
  for (const ArraySpec* spec : specs) {
    if (!text.empty()) text += " and ";
    text += ToString(*spec);
  }
  return text + " came.";
}

int RankWithoutTrailingOnes(const Sizes& sizes) {
  int rank = static_cast<int>(sizes.size());
  while (rank > 0 && sizes[rank - 1] == 1) --rank;
  return rank;
}

}  // namespace

ArraySpec Broadcast(std::string_view name, std::initializer_list<const ArraySpec*> specs) {
  const ArraySpec& first = **specs.begin();
  bool same = true;
  for (const ArraySpec* spec : specs) {
    if (spec->sizes != first.sizes || !(spec->format == first.format)) same = false;
  }
  ArraySpec out;
  if (same) {
    out.sizes = first.sizes;
    out.format = first.format;
    return out;
  }
  size_t rank = 0;
  for (const ArraySpec* spec : specs) {
    out.format = Combine(out.format, spec->format);
    rank = std::max(rank, spec->sizes.size());
  }
  if (!out.format.empty()) {
    rank = out.format.rank();
    for (const ArraySpec* spec : specs) {
      if (spec->format.empty() && RankWithoutTrailingOnes(spec->sizes) > static_cast<int>(rank)) {
        throw Error("dlarray:FormatMismatch",
                    absl::StrCat(std::string(name),
                                 " of a labelled and an unlabelled array matches dims by "
                                 "position; the unlabelled one may not add dims to \"",
                                 out.format.str(), "\"."),
                    Both(specs), "Label both arrays, or reshape the unlabelled one.");
      }
    }
  }
  out.sizes.assign(rank, 1);
  for (const ArraySpec* spec : specs) {
    const Sizes aligned = AlignSizes(*spec, out);
    for (size_t i = 0; i < rank; ++i) {
      if (aligned[i] == out.sizes[i] || aligned[i] == 1) continue;
      if (out.sizes[i] != 1) {
        const std::string dim =
            out.format.empty() ? absl::StrCat("Dim ", i)
                               : absl::StrCat("Dim ", i, " (", std::string(1, out.format[i]), ")");
        throw Error(
            "dlarray:SizeMismatch",
            absl::StrCat(std::string(name), " expects sizes that are equal or 1 in each dim."),
            absl::StrCat(Both(specs), " ", dim, " is ", out.sizes[i], " in one and ", aligned[i],
                         " in another."),
            out.format.empty() ? "Permute or reshape one of them so that the dims match."
                               : "Make the sizes agree, or relabel one of the arrays.");
      }
      out.sizes[i] = aligned[i];
    }
  }
  return out;
}

}  // namespace lamina
