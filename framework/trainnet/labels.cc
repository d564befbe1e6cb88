#include "framework/trainnet/labels.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {

std::vector<std::string> ClassNames(const std::vector<std::string>& labels) {
  std::vector<std::string> names = labels;
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

DlArray ClassIndices(const std::vector<std::string>& labels,
                     const std::vector<std::string>& class_names) {
  if (labels.empty()) throw Error("data:Empty", "There is one label at least.", "None came.", "");
  absl::flat_hash_map<std::string, int64_t> numbers;
  for (size_t i = 0; i < class_names.size(); ++i) {
    if (numbers.emplace(class_names[i], i).second) continue;
    throw Error("data:DuplicateClass", "Names of classes are different.",
                absl::StrCat("\"", class_names[i], "\" came twice."), "");
  }
  std::vector<int64_t> indices;
  indices.reserve(labels.size());
  for (const std::string& label : labels) {
    const auto found = numbers.find(label);
    if (found == numbers.end()) {
      throw Error("data:UnknownClass",
                  absl::StrCat("Each label is one of [", absl::StrJoin(class_names, ", "), "]."),
                  absl::StrCat("Label ", indices.size() + 1, " is \"", label, "\"."),
                  "Add the class.");
    }
    indices.push_back(found->second);
  }
  return DlArray::FromVector(indices, {static_cast<int64_t>(indices.size())}, "B");
}

DlArray OneHotEncode(const std::vector<std::string>& labels,
                     const std::vector<std::string>& class_names, DataType type) {
  return OneHot(ClassIndices(labels, class_names), static_cast<int64_t>(class_names.size()), type);
}

DlArray OneHotDecode(const DlArray& x) {
  if (FindDim(x, 'C') < 0) {
    throw Error("data:Unlabelled", "Scores have their classes along a dim \"C\".",
                absl::StrCat("A ", ToString(x.spec()), " came."),
                "Label the dims: DlArray(x, \"CB\").");
  }
  const DlArray indices = ArgMax(x, 'C');
  Sizes sizes;
  std::string format;
  for (int d = 0; d < indices.rank(); ++d) {
    if (indices.format()[d] == 'C') continue;
    sizes.push_back(indices.size(d));
    format += indices.format()[d];
  }
  return Reshape(indices, sizes, format);
}

std::vector<std::string> ScoresToLabel(const DlArray& scores,
                                       const std::vector<std::string>& class_names) {
  const DlArray indices = OneHotDecode(scores);
  if (Size(scores, 'C') != static_cast<int64_t>(class_names.size())) {
    throw Error("data:ClassCount",
                absl::StrCat("There is one name for each channel of the scores, ",
                             ToString(scores.spec()), "."),
                absl::StrCat(internal::Counted(class_names.size(), "name"), " came."), "");
  }
  std::vector<std::string> labels;
  labels.reserve(indices.numel());
  for (int64_t i : indices.ToVector<int64_t>()) labels.push_back(class_names[i]);
  return labels;
}

}  // namespace lamina
