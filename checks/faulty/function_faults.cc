// Operations with a backward of their own (DifferentiableFunction), wrong.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

using D = std::array<DlArray, 2>;

/// The derivatives as they should be, both.
D Both(const DlArray& x, const DlArray& beta, const DlArray& dy) {
  return SwishFunction().Backward(x, beta, Unused(), dy, Unused(), NeededGradients());
}

/// SwishLayer with another operation in it.
template <class Function>
struct SwishBy : SwishLayer {
  DlArray Predict(const DlArray& x) const { return DifferentiableFunction(Function())(x, beta); }
};
/// The operation with the derivatives spoiled.
template <auto kSpoil>
struct Spoiled {
  DlArray Forward(const DlArray& x, const DlArray& beta) const {
    return SwishFunction().Forward(x, beta);
  }
  D Backward(const DlArray& x, const DlArray& beta, Unused, const DlArray& dy, Unused) const {
    D d = Both(x, beta, dy);
    kSpoil(d, x, beta, dy);
    return d;
  }
};
using A = const DlArray&;

struct FunctionForgetsProductRule
    : SwishBy<Spoiled<[](D& d, A x, A beta, A dy) { d[0] = dy * Sigmoid(beta * x); }>> {};
struct FunctionWrongSign : SwishBy<Spoiled<[](D& d, A, A, A) { d[1] = -d[1]; }>> {};
struct FunctionForgetsFactor : SwishBy<Spoiled<[](D& d, A x, A beta, A dy) {
  const DlArray s = Sigmoid(beta * x);
  d[0] = dy * (s + x * s * (1 - s));
}>> {};
struct FunctionNotSummed : SwishBy<Spoiled<[](D& d, A x, A beta, A dy) {
  const DlArray s = Sigmoid(beta * x);
  d[1] = dy * x * x * s * (1 - s);
}>> {};
struct FunctionLosesLearnable : SwishBy<Spoiled<[](D& d, A, A, A) { d[1] = 0 * d[1]; }>> {};
struct FunctionIgnoresDerivative
    : SwishBy<Spoiled<[](D& d, A x, A beta, A) { d = Both(x, beta, 1 + 0 * x); }>> {};

struct FunctionDetaches
    : SwishBy<Spoiled<[](D& d, A x, A beta, A dy) { d = Both(ExtractData(x), beta, dy); }>> {};

/// Asks for the wrong one: unset where somebody asked.
struct MaskSwapped : SwishFunction {
  D Backward(const DlArray& x, const DlArray& beta, Unused, const DlArray& dy, Unused,
             const NeededGradients& needed) const {
    D d = Both(x, beta, dy);
    if (needed[0]) d[1] = DlArray();
    return d;
  }
};
struct FunctionMaskSwapped : SwishBy<MaskSwapped> {};
/// The output taken for the input.
struct ReadsOutput : SwishFunction {
  D Backward(Unused, const DlArray& beta, const DlArray& y, const DlArray& dy, Unused) const {
    return Both(y, beta, dy);
  }
};
struct FunctionReadsOutput : SwishBy<ReadsOutput> {};
/// Keeps the sigmoid of x, where Backward means that of beta x.
struct KeepsOther {
  std::pair<DlArray, Memory> Forward(const DlArray& x, const DlArray& beta) const {
    return {SwishFunction().Forward(x, beta), Memory{Sigmoid(x)}};
  }
  D Backward(const DlArray& x, const DlArray& beta, Unused, const DlArray& dy,
             const Memory& memory) const {
    const DlArray s = memory[0], slope = s * (1 - s);
    return {dy * (s + beta * x * slope), SumTo(dy * x * x * slope, beta.spec())};
  }
};
struct FunctionKeepsOther : SwishBy<KeepsOther> {};

}  // namespace

FaultGroup FunctionFaults() {
  using L = SwishLayer;
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const taken = "backwardPropagationDoesNotError";
  return {
      "Operations with a backward of their own",
      {
          Of<L, FunctionForgetsProductRule>("one part of the product rule", Image(), numeric),
          Of<L, FunctionWrongSign>("a derivative has the wrong sign", Image(), numeric),
          Of<L, FunctionForgetsFactor>("the factor of the inner function left out", Image(),
                                       numeric),
          Of<L, FunctionNotSummed>("not summed to the size of the learnable", Image(), taken),
          Of<L, FunctionLosesLearnable>("zeros for the learnable", Image(), "gradientsAreNotLost"),
          Of<L, FunctionIgnoresDerivative>("dLdY is taken to be 1", Image(), numeric),
          Of<L, FunctionMaskSwapped>("nothing where a derivative is needed", Image(),
                                     "gradientsAreNotLost"),
          Of<L, FunctionReadsOutput>("the output taken for the input", Image(), numeric),
          Of<L, FunctionDetaches>("Backward takes the input for a constant", Image(),
                                  "secondDerivativesAreNumericallyCorrect"),
          Of<L, FunctionKeepsOther>("another value is kept than Backward means", Image(), numeric),
      }};
}

}  // namespace lamina::faulty
