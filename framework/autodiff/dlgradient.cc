#include "framework/autodiff/dlgradient.h"

#include "absl/strings/str_cat.h"

namespace lamina {
namespace internal {

FevalScope::FevalScope() : tape_(Tape::Current()) {
  if (tape_ != nullptr) return;
  tape_ = &own_.emplace();
  listening_.emplace(tape_);
}

}  // namespace internal

namespace {

Error Untraced(const DlArray& x, std::string_view role) {
  const bool elsewhere = x.data()->tape_mark.owner != 0;
  return Error(
      "autodiff:Untraced",
      absl::StrCat("DlGradient expects ", std::string(role),
                   " computed from arguments of DlFeval."),
      elsewhere ? absl::StrCat("A ", ToString(x.spec()),
                               " came that belongs to a DlFeval which has ended.")
                : absl::StrCat("An untraced ", ToString(x.spec()), " came."),
      "Pass it to DlFeval as an argument, and compute with it inside without ExtractData and "
      "comparisons. A gradient that is differentiated again is taken with "
      "{.enable_higher_derivatives = true}.");
}

// What both kinds of derivative ask of their arguments.
Tape& CheckedTape(const DlArray& y, const DlArrays& variables, const GradientOptions& options) {
  Tape* tape = Tape::Current();
  if (tape == nullptr) {
    throw Error("autodiff:OutsideDlFeval",
                "DlGradient is called inside a function that DlFeval runs.",
                "It was called outside.",
                "Move the computation and DlGradient into a function f and call DlFeval(f, x).");
  }
  if (!tape->IsWatched(y)) throw Untraced(y, "a value");
  for (const DlArray& x : variables) {
    if (!tape->IsWatched(x)) throw Untraced(x, "variables");
    if (IsComplex(x.type()) && !options.allow_complex) {
      throw Error("autodiff:ComplexVariable",
                  "The variables are real, as allow_complex = false says.",
                  absl::StrCat("A ", ToString(x.spec()), " came."), "Allow complex variables.");
    }
  }
  return *tape;
}

}  // namespace

DlArrays DlGradient(const DlArray& y, const DlArrays& variables, const GradientOptions& options) {
  if (Tape::Current() != nullptr && (y.numel() != 1 || !IsRealFloating(y.type()))) {
    throw Error("autodiff:NotScalar", "The value to differentiate is a real scalar.",
                absl::StrCat("A ", ToString(y.spec()), " came."),
                IsRealFloating(y.type())
                    ? "Sum it, or weight it with DlVectorJacobian(y, weights, x)."
                    : "Take Real, or the sum of Abs, first.");
  }
  return CheckedTape(y, variables, options).Gradient(y, variables, options);
}

DlArrays DlVectorJacobian(const DlArray& y, const DlArray& weights, const DlArrays& variables,
                          const GradientOptions& options) {
  Tape& tape = CheckedTape(y, variables, options);
  if (!(weights.spec() == y.spec())) {
    throw Error(
        "autodiff:WeightsSpec",
        absl::StrCat("Weights have the sizes, labels and type of y, a ", ToString(y.spec()), "."),
        absl::StrCat("A ", ToString(weights.spec()), " came."), "");
  }
  return tape.VectorJacobian(y, weights, variables, options);
}

DlArray DlGradient(const DlArray& y, const DlArray& x, const GradientOptions& options) {
  return DlGradient(y, DlArrays{x}, options)[0];
}

}  // namespace lamina
