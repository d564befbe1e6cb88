#include "framework/trainnet/loss_function.h"

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/loss.h"
#include "framework/trainnet/option_check.h"

namespace lamina {

LossFunction::LossFunction(std::string_view name) : name_(name) {
  internal::CheckChoice(
      "loss", name,
      {"crossentropy", "binary-crossentropy", "index-crossentropy", "mse", "mean-squared-error",
       "mae", "mean-absolute-error", "l1loss", "l2loss", "huber"});
  using A = const DlArray&;
  if (name == "crossentropy") {
    single_ = [](A y, A t) {
      return IsInteger(t.type()) ? IndexCrossEntropy(y, t) : CrossEntropy(y, t);
    };
  } else if (name == "binary-crossentropy") {
    single_ = [](A y, A t) { return BinaryCrossEntropy(y, t); };
  } else if (name == "index-crossentropy") {
    single_ = [](A y, A t) { return IndexCrossEntropy(y, t); };
  } else if (name == "mse" || name == "mean-squared-error") {
    single_ = [](A y, A t) { return Mse(y, t); };
  } else if (name == "l2loss") {
    single_ = [](A y, A t) { return L2Loss(y, t); };
  } else if (name == "huber") {
    single_ = [](A y, A t) { return Huber(y, t); };
  } else {
    single_ = [](A y, A t) { return L1Loss(y, t); };
  }
}

DlArray LossFunction::operator()(const DlArrays& y, const DlArrays& t) const {
  if (!single_ && !several_) internal::ThrowInvalidOption("loss", "a function", "None");
  if (single_ && (y.size() != 1 || t.size() != 1)) {
    throw Error("trainnet:LossOutputs",
                absl::StrCat("The loss \"", name_, "\" compares one output with one target."),
                absl::StrCat(internal::Counted(y.size(), "output"), " and ",
                             internal::Counted(t.size(), "target"), " came."),
                "Give a function of two DlArrays, all outputs and all targets.");
  }
  DlArray loss;
  try {
    loss = single_ ? single_(y[0], t[0]) : several_(y, t);
  } catch (Error& e) {
    std::string got;
    for (const DlArray& x : y) absl::StrAppend(&got, got.empty() ? "" : ", ", ToString(x.spec()));
    got += " and targets ";
    for (size_t i = 0; i < t.size(); ++i) {
      absl::StrAppend(&got, i == 0 ? "" : ", ", ToString(t[i].spec()));
    }
    e.AddPlace(absl::StrCat("Loss \"", name_, "\" of outputs ", got));
    throw;
  }
  if (loss.numel() != 1 || !IsRealFloating(loss.type())) {
    throw Error("trainnet:LossNotScalar", "A loss is one real number.",
                absl::StrCat("A ", ToString(loss.spec()), " came."),
                "Sum or average what the function returns.");
  }
  return loss;
}

}  // namespace lamina
