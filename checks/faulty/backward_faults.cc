// Derivatives written by hand, wrong: signs, factors, sums, order, sizes, types.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "checks/faulty/spoiled.h"

namespace lamina::faulty {
namespace {

// y = tanh(scale x) + offset; the derivatives are those of x, scale and offset.
using Tanh3 = OwnBackwardLayer;
template <auto kSpoil>
using Spoiled = SpoiledBackward<Tanh3, kSpoil>;
using D = std::array<DlArray, 3>;
using Call = BackwardCall<Tanh3>;

struct WrongSign : Spoiled<[](D& d, const Call&) { d[0] = -d[0]; }> {};
struct WrongFactor : Spoiled<[](D& d, const Call&) { d[1] = 2 * d[1]; }> {};
struct MeanForSum
    : Spoiled<[](D& d, const Call& c) { d[2] = d[2] / static_cast<double>(c.x.size(3)); }> {};
struct SwappedLearnables : Spoiled<[](D& d, const Call&) { std::swap(d[1], d[2]); }> {};
struct MissingChainRule : Spoiled<[](D& d, const Call& c) { d[0] = c.dy * c.layer.scale; }> {};
struct MissingInnerDerivative
    : Spoiled<[](D& d, const Call& c) { d[0] = c.dy * (1 - Square(c.memory[0])); }> {};
struct UsesOutputForTanh : Spoiled<[](D& d, const Call& c) {
  d[0] = c.dy * (1 - Square(c.layer.Predict(c.x))) * c.layer.scale;
}> {};
struct SquareForgotten
    : Spoiled<[](D& d, const Call& c) { d[0] = c.dy * (1 - c.memory[0]) * c.layer.scale; }> {};
struct AddsDecay : Spoiled<[](D& d, const Call& c) { d[1] = d[1] + 0.001 * c.layer.scale; }> {};
struct ZeroDerivative : Spoiled<[](D& d, const Call&) { d[1] = ZerosLike(d[1]); }> {};
struct UnsetDerivative : Spoiled<[](D& d, const Call&) { d[2] = DlArray(); }> {};
struct ForgottenReduction : Spoiled<[](D& d, const Call& c) { d[2] = c.dy; }> {};
struct ReducesAllDims : Spoiled<[](D& d, const Call&) { d[1] = Sum(d[1]); }> {};
/// The sum over the channels, where it is over all but the channels.
struct ReducesTheWrongDim
    : Spoiled<[](D& d, const Call& c) { d[2] = 0 * d[2] + Sum(c.dy, 2) * (1 + 0 * d[2]); }> {};
struct SingleDerivative : Spoiled<[](D& d, const Call&) { d[0] = Single(d[0]); }> {};
struct BackwardThrows : Spoiled<[](D&, const Call&) {
  throw Error("faulty:Backward", "Two dims are expected.", "Four came.", "Take two.");
}> {};

/// `x` with zeros in the last place along `dim`.
DlArray WithoutLast(const DlArray& x, int dim) {
  const int64_t n = x.size(dim);
  return Cat(dim, {Slice(x, dim, 0, n - 1), 0 * Slice(x, dim, n - 1, 1)});
}
/// Wrong in the last column alone, as at a border that a kernel forgets.
struct ForgetsBorder : Spoiled<[](D& d, const Call&) { d[0] = WithoutLast(d[0], 1); }> {};
/// Wrong in one observation of many alone, as in a loop that is cut off.
struct CutsOffObservations : Spoiled<[](D& d, const Call&) {
  if (d[0].size(3) >= 8) d[0] = WithoutLast(d[0], 3);
}> {};
/// Clipped without a word; the sums that reach the scale are large enough.
struct ClipsDerivative : Spoiled<[](D& d, const Call&) { d[1] = Max(Min(d[1], 0.125), -0.125); }> {
};

/// dLdX1 and dLdX2 in the wrong order.
struct SwappedInputs : OwnBackwardTwoInputsLayer {
  std::array<DlArray, 3> Backward(const DlArray& a, const DlArray& b, Unused, const DlArray& dy,
                                  Unused) const {
    auto [da, db, dgain] = OwnBackwardTwoInputsLayer::Backward(a, b, Unused(), dy, Unused());
    return {db, da, dgain};
  }
};
/// That of the first input for both.
struct SameForBothInputs : OwnBackwardTwoInputsLayer {
  std::array<DlArray, 3> Backward(const DlArray& a, const DlArray&, Unused, const DlArray& dy,
                                  Unused) const {
    return {gain * dy, gain * dy, SumTo(a * dy, gain.spec())};
  }
};

}  // namespace

FaultGroup BackwardFaults() {
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const size = "backwardIsConsistentInSize";
  return {"Derivatives written by hand",
          {
              Of<Tanh3, WrongSign>("dLdX has the wrong sign", Image(), numeric),
              Of<Tanh3, WrongFactor>("a derivative is twice what it should be", Image(), numeric),
              Of<Tanh3, MeanForSum>("the mean over observations, not the sum", Image(), numeric),
              Of<Tanh3, SwappedLearnables>("derivatives of two learnables in each other's place",
                                           Image(), numeric),
              Of<Tanh3, MissingChainRule>("the derivative of tanh left out", Image(), numeric),
              Of<Tanh3, MissingInnerDerivative>("the factor of the inner function left out",
                                                Image(), numeric),
              Of<Tanh3, UsesOutputForTanh>("the output taken for the tanh in it", Image(), numeric),
              Of<Tanh3, SquareForgotten>("1 - t in place of 1 - t^2", Image(), numeric),
              Of<Tanh3, AddsDecay>("weight decay added to the derivative", Image(), numeric),
              Of<Tanh3, ZeroDerivative>("zeros for one learnable", Image(), "gradientsAreNotLost"),
              Of<Tanh3, UnsetDerivative>("nothing for one learnable", Image(), size,
                                         {"gradientsAreNotLost"}),
              Of<Tanh3, ForgottenReduction>(
                  "not summed over the dims a learnable is repeated along", Image(), size),
              Of<Tanh3, ReducesAllDims>("summed over the channels too", Image(), size),
              Of<Tanh3, ReducesTheWrongDim>("summed over the wrong dim", Image(), size),
              Of<Tanh3, SingleDerivative>("always single", Image(), "backwardIsConsistentInType"),
              Of<Tanh3, BackwardThrows>("Backward throws", Image(), "backwardDoesNotError"),
              Of<Tanh3, ForgetsBorder>("zeros in the last column", Image(), numeric),
              Of<Tanh3, CutsOffObservations>("zeros in the last of many observations", ManyImages(),
                                             numeric),
              Of<Tanh3, ClipsDerivative>("clipped", Image(), numeric),
              Of<OwnBackwardTwoInputsLayer, SwappedInputs>("derivatives of two inputs swapped",
                                                           TwoImages(), numeric),
              Of<OwnBackwardTwoInputsLayer, SameForBothInputs>("the first input's for both",
                                                               TwoImages(), numeric),
          }};
}

}  // namespace lamina::faulty
