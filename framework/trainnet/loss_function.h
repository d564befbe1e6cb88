// A loss to train with: one of the losses of framework/ops/loss.h by its name, or your own
// function.
//
//   TrainNet(data, network, "crossentropy", options);
//   TrainNet(data, network, [](const DlArray& y, const DlArray& t) { return Huber(y, t, 0.5); },
//            options);
//   TrainNet(data, network, DifferentiableFunction(OwnLoss()), options);
//
// Names: "crossentropy" (targets one-hot, probabilities, or class numbers in an integer type, for
// which it is the same as "index-crossentropy"), "binary-crossentropy", "index-crossentropy",
// "mse" or "mean-squared-error", "mae" or "mean-absolute-error" or "l1loss", "l2loss", "huber"; all
// with the defaults of loss.h. Names serve networks with one output. A function gets the outputs of
// the network and the targets: one array each, or two DlArrays for any number; and returns a real
// scalar. A DifferentiableFunction is one with a backward of its own.
//
// Threads: a value; calls are as free as the function's.
#ifndef FRAMEWORK_TRAINNET_LOSS_FUNCTION_H_
#define FRAMEWORK_TRAINNET_LOSS_FUNCTION_H_

#include <concepts>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "framework/dlarray/dlarray.h"

namespace lamina {

class LossFunction {
 public:
  /// Errors: "trainnet:InvalidOption" for another name.
  LossFunction(std::string_view name);                                      // NOLINT
  LossFunction(const char* name) : LossFunction(std::string_view(name)) {}  // NOLINT
  LossFunction(const std::string& name)                                     // NOLINT
      : LossFunction(std::string_view(name)) {}
  /// A function of one output and one target.
  template <class F>
  requires std::is_invocable_r_v<DlArray, const F&, const DlArray&, const DlArray&> LossFunction(
      F f)  // NOLINT(runtime/explicit)
      : name_("custom"), single_(std::move(f)) {}
  /// A function of lists.
  template <class F>
  requires(std::is_invocable_r_v<DlArray, const F&, const DlArrays&, const DlArrays&> &&
           !std::is_invocable_r_v<DlArray, const F&, const DlArray&, const DlArray&>)
      LossFunction(F f)  // NOLINT(runtime/explicit)
      : name_("custom"), several_(std::move(f)) {}

  const std::string& name() const { return name_; }
  /// The loss of outputs y for targets t. Errors: "trainnet:LossOutputs" when the loss is for one
  /// output and target and others came; "trainnet:LossNotScalar" when a function returns anything
  /// but a real scalar; those of the loss.
  DlArray operator()(const DlArrays& y, const DlArrays& t) const;

 private:
  std::string name_;
  std::function<DlArray(const DlArray&, const DlArray&)> single_;
  std::function<DlArray(const DlArrays&, const DlArrays&)> several_;
};

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_LOSS_FUNCTION_H_
