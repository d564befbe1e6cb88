// Names of classes, class numbers, and vectors with a single 1.
//
//   const std::vector<std::string> names = ClassNames(labels);     // {"cat", "dog"}
//   const DlArray targets = OneHotEncode(labels, names);           // 2(C) x N(B)
//   const std::vector<std::string> found = ScoresToLabel(scores, names);
//
// Class numbers count from 0. From numbers to vectors: OneHot (framework/ops/one_hot.h).
// Threads: pure functions.
#ifndef FRAMEWORK_TRAINNET_LABELS_H_
#define FRAMEWORK_TRAINNET_LABELS_H_

#include <string>
#include <vector>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// The different labels, sorted.
std::vector<std::string> ClassNames(const std::vector<std::string>& labels);

/// The number of each label among `class_names`, int64 "B". Errors: "data:Empty" without labels,
/// "data:UnknownClass" for a label that is not among the names, "data:DuplicateClass".
DlArray ClassIndices(const std::vector<std::string>& labels,
                     const std::vector<std::string>& class_names);
/// 1 at the label's class and 0 elsewhere, "CB". Errors: as ClassIndices; those of OneHot for
/// `type`.
DlArray OneHotEncode(const std::vector<std::string>& labels,
                     const std::vector<std::string>& class_names,
                     DataType type = DataType::kSingle);

/// The number of the largest element along C, the first of equals; int64, the dims of `x` but C.
/// Errors: "data:Unlabelled" without a C dim.
DlArray OneHotDecode(const DlArray& x);
/// The name of the class with the largest score, for each observation (and time step) in the order
/// in which they stand. Errors: as OneHotDecode; "data:ClassCount" unless there is one name for
/// each channel.
std::vector<std::string> ScoresToLabel(const DlArray& scores,
                                       const std::vector<std::string>& class_names);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_LABELS_H_
