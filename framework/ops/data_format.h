// Labels for data that has none: the `format` argument of the deep-learning functions.
//
// A function that must know which dim is the channels, the batch or the time takes a labelled
// array, or an unlabelled one and a word with a label for each of its dims. The result of
// unlabelled data is unlabelled again, its dims in the order in which the word names them.
//
//   const internal::FormattedInput input("Softmax", x, format);
//   return input.Finish(SoftmaxOfLabelled(input.x()));
//
// Threads: plain values, usable in any thread. For those who write functions, not layers.
#ifndef FRAMEWORK_OPS_DATA_FORMAT_H_
#define FRAMEWORK_OPS_DATA_FORMAT_H_

#include <string>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina::internal {

class FormattedInput {
 public:
  /// `function` names the caller in errors. Errors: "ops:FormatNeeded" when neither x has labels
  /// nor `format`; "dlarray:FormatMismatch" when both have, and differ; "dlarray:FormatRank",
  /// "dlarray:InvalidLabel" and "dlarray:DuplicateLabel" of labelling.
  FormattedInput(std::string_view function, const DlArray& x, std::string_view format);

  /// The labelled data.
  const DlArray& x() const { return x_; }
  /// A further array of the call: labelled by the same word if it has no labels, as many dims as
  /// the word has labels, and the data came with it; else as it is.
  DlArray Like(const DlArray& other) const;
  /// The labelled result `y` as the caller gets it: as it is for labelled data, else without
  /// labels, its dims in the order of `format`, labels that `format` lacks last.
  DlArray Finish(const DlArray& y) const;

 private:
  DlArray x_;
  std::string format_;  // Empty: the data came with labels.
};

/// x when its type is a floating one, else its elements as single.
DlArray ToFloating(const DlArray& x);

/// Errors: "ops:UnsupportedType" when x is complex, for functions that need an order or a real
/// derivative; the message names the function.
void RequireReal(std::string_view function, const DlArray& x);

/// Errors: "dlarray:FormatMismatch" when x has no dim with this label.
void RequireLabel(std::string_view function, const DlArray& x, char label);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_DATA_FORMAT_H_
