// Losses: how far predictions y are from targets t, as one number.
//
//   DlArray loss = CrossEntropy(Softmax(scores), targets);    // both 10(C) x 128(B)
//   DlArray error = Mse(y, t);                                // sum (y - t)^2 / (2 N)
//
// Predictions are labelled, or `options.format` names their dims. Targets have exactly the sizes of
// the predictions: nothing is repeated silently. Unlabelled targets have their dims where the
// predictions have theirs. Types promote; logical and integers count as single. A loss is a scalar
// without dims: the sum over all elements divided by N,
// the number of observations and time steps (size of B times size of T), unless `options` say
// otherwise. Gradients of any order, with respect to predictions, targets and weights.
//
// Errors of all: "ops:FormatNeeded" without labels and format; "dlarray:SizeMismatch" and
// "dlarray:FormatMismatch" when targets, mask or weights do not fit; "ops:EmptyBatch" for a mean
// over no observations; "ops:UnsupportedType" for complex arrays where told.
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_LOSS_H_
#define FRAMEWORK_OPS_LOSS_H_

#include <cstdint>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// What the sum of a loss is divided by.
enum class LossNormalization : uint8_t {
  kObservations,  ///< Size of B times size of T.
  kBatchSize,     ///< Size of B.
  kAllElements,   ///< Number of elements of the predictions.
  kMaskIncluded,  ///< Number of elements that the mask lets through, at least 1.
  kNone,          ///< 1.
};

struct LossOptions {
  LossNormalization normalization = LossNormalization::kObservations;
  /// False: no sum and no division; the result has the sizes and labels of the predictions.
  bool reduce = true;
  /// Elements where this is zero count nothing, also where the loss there is NaN or infinite; sizes
  /// as the predictions, or 1 where it holds for all. Unset: all count.
  DlArray mask = {};
  /// Factors, one for each channel, or sizes as for the mask. Unset: 1.
  DlArray weights = {};
  std::string_view format = "";  ///< The labels of the predictions, when they have none.
};

/// -t log(y) for probabilities y along C and targets t that are one-hot or probabilities. y below
/// the smallest normal number (1.2e-38 in single, 2.2e-308 in double) counts as that: the loss of a
/// prediction of 0 is 87.3 (708.4) and its derivative 0. Real arrays only.
DlArray CrossEntropy(const DlArray& y, const DlArray& t, const LossOptions& options = {});
/// -(t log(y) + (1 - t) log(1 - y)) for each element alone, as for classes that do not exclude each
/// other. Safe at 0 and 1 as CrossEntropy is. Real arrays only.
DlArray BinaryCrossEntropy(const DlArray& y, const DlArray& t, const LossOptions& options = {});
/// CrossEntropy with targets given as class numbers from 0, in an integer type: sizes of y but for
/// C, which is 1 or missing. What the mask leaves out may have any number. Errors: also
/// "ops:UnsupportedType" for targets of other types; "dlarray:IndexOutOfRange" when run.
DlArray IndexCrossEntropy(const DlArray& y, const DlArray& indices,
                          const LossOptions& options = {});

/// Half of the squared difference: sum |y - t|^2 / (2 N). Complex arrays too.
DlArray Mse(const DlArray& y, const DlArray& t, const LossOptions& options = {});
/// |y - t|. Complex arrays too.
DlArray L1Loss(const DlArray& y, const DlArray& t, const LossOptions& options = {});
/// |y - t|^2. Complex arrays too.
DlArray L2Loss(const DlArray& y, const DlArray& t, const LossOptions& options = {});
/// (y - t)^2 / 2 up to a difference of d = `transition`, from there on d |y - t| - d^2 / 2. Errors:
/// also "ops:InvalidTransition" unless it is positive. Real arrays only. Source: Huber, 1964.
DlArray Huber(const DlArray& y, const DlArray& t, double transition = 1.0,
              const LossOptions& options = {});

}  // namespace lamina

#endif  // FRAMEWORK_OPS_LOSS_H_
