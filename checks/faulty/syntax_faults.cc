// Functions that take or return other numbers of arrays than the properties say.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

using Tanh3 = OwnBackwardLayer;
using Leaky = LeakyIntegratorLayer;

/// One derivative too few, in a list, so that only a call shows it.
struct TooFewDerivatives : Tanh3 {
  DlArrays Backward(const DlArrays& a, const Memory& memory) const {
    const auto [dx, dscale, doffset] = Tanh3::Backward(a[0], Unused(), a[2], memory);
    return {dx, dscale};
  }
};
/// The same as the declaration shows it.
struct WrongArity : Tanh3 {
  std::array<DlArray, 2> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    const auto [dx, dscale, doffset] = Tanh3::Backward(x, Unused(), dy, memory);
    return {dx, dscale};
  }
};
/// As the declaration shows: one result where two are needed.
struct StateNotReturned : Leaky {
  DlArray Predict(const DlArray& x) const { return Leaky::Predict(x).first; }
};
/// Only a call shows it.
struct StateNotReturnedInList : Leaky {
  DlArrays Predict(const DlArray& x) const { return {Leaky::Predict(x).first}; }
};
/// The constructor says two outputs; there is one.
struct OutputMissing : TanhScaleLayer {
  OutputMissing() { SetNumOutputs(2); }
};
/// Three inputs declared, two taken.
struct InputMissing : SumAndProductLayer {
  InputMissing() { SetNumInputs(3); }
};
/// A third result that nobody asked for.
struct OneOutputTooMany : SumAndProductLayer {
  DlArrays Predict(const DlArrays& x) const {
    const auto [sum, product] = SumAndProductLayer::Predict(x[0], x[1]);
    return {sum, product, sum + product};
  }
};

}  // namespace

FaultGroup SyntaxFaults() {
  const char* const syntax = "functionSyntaxesAreCorrect";
  return {
      "Numbers of arguments and results",
      {
          Of<Tanh3, TooFewDerivatives>("Backward returns a list that is too short", Image(),
                                       syntax),
          Of<Tanh3, WrongArity>("Backward declares too few results", Image(), syntax),
          Of<Leaky, StateNotReturned>("Predict declares no result for the state", Sequence(),
                                      syntax),
          Of<Leaky, StateNotReturnedInList>("Predict's list lacks the state", Sequence(), syntax,
                                            {"predictDoesNotError"}),
          Of<TanhScaleLayer, OutputMissing>("two outputs declared, one returned", Image(), syntax),
          Of<SumAndProductLayer, InputMissing>("three inputs declared, two taken", ThreeImages(),
                                               syntax),
          Of<SumAndProductLayer, OneOutputTooMany>("a result too many", TwoImages(), syntax,
                                                   {"predictDoesNotError"}),
      }};
}

}  // namespace lamina::faulty
