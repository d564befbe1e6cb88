// Layers with an own Backward, y = tanh(scale x) + offset, each with one fault in it.
#ifndef CHECKS_FAULTY_BACKWARD_FAULTS_H_
#define CHECKS_FAULTY_BACKWARD_FAULTS_H_

#include <tuple>

#include "checks/faulty/correct_layers.h"

namespace lamina::faulty {

using Three = std::tuple<DlArray, DlArray, DlArray>;

/// What a Backward gets, and the derivatives as they should be.
struct BackwardCall {
  const OwnBackwardLayer& layer;
  const DlArray &x, &y, &dy;
  DlArray dx, dscale, doffset;
};
inline BackwardCall Right(const OwnBackwardLayer& layer, const DlArray& x, const DlArray& y,
                          const DlArray& dy, const Memory& memory) {
  const auto [dx, dscale, doffset] = layer.Backward(x, Unused(), dy, memory);
  return {layer, x, y, dy, dx, dscale, doffset};
}

/// The layer with the derivatives spoiled.
template <Three (*kSpoil)(const BackwardCall&)>
struct Spoiled : OwnBackwardLayer {
  Three Backward(const DlArray& x, const DlArray& y, const DlArray& dy,
                 const Memory& memory) const {
    return kSpoil(Right(*this, x, y, dy, memory));
  }
};

inline Three WrongSign(const BackwardCall& c) { return {-c.dx, c.dscale, c.doffset}; }
inline Three WrongFactor(const BackwardCall& c) { return {c.dx, 2 * c.dscale, c.doffset}; }
inline Three MeanForSum(const BackwardCall& c) {
  return {c.dx, c.dscale, c.doffset / static_cast<double>(c.x.size(3))};
}
inline Three SwappedLearnables(const BackwardCall& c) { return {c.dx, c.doffset, c.dscale}; }
inline Three MissingChainRule(const BackwardCall& c) {
  return {c.dy * c.layer.scale, c.dscale, c.doffset};
}
inline Three UsesOutputForTanh(const BackwardCall& c) {
  return {c.dy * (1 - Square(c.y)) * c.layer.scale, c.dscale, c.doffset};
}
inline Three AddsDecay(const BackwardCall& c) {
  return {c.dx, c.dscale + 0.001 * c.layer.scale, c.doffset};
}
inline Three ZeroDerivative(const BackwardCall& c) {
  return {c.dx, ZerosLike(c.dscale), c.doffset};
}
inline Three UnsetDerivative(const BackwardCall& c) { return {c.dx, c.dscale, DlArray()}; }
inline Three ForgottenReduction(const BackwardCall& c) { return {c.dx, c.dscale, c.dy}; }
inline Three ReducesAllDims(const BackwardCall& c) { return {c.dx, Sum(c.dscale), c.doffset}; }
inline Three SingleDerivative(const BackwardCall& c) { return {Single(c.dx), c.dscale, c.doffset}; }
inline Three BackwardThrows(const BackwardCall&) {
  throw Error("faulty:Backward", "Two dims are expected.", "Four came.", "Take two.");
}
/// `x` with zeros in the last place along `dim`.
inline DlArray WithoutLast(const DlArray& x, int dim) {
  const int64_t n = x.size(dim);
  return Cat(dim, {Slice(x, dim, 0, n - 1), 0 * Slice(x, dim, n - 1, 1)});
}
/// Wrong in the last column alone, as at a border that a kernel forgets.
inline Three ForgetsBorder(const BackwardCall& c) {
  return {WithoutLast(c.dx, 1), c.dscale, c.doffset};
}
/// Wrong in one observation of many alone, as in a loop that is cut off.
inline Three CutsOffObservations(const BackwardCall& c) {
  return {c.x.size(3) < 8 ? c.dx : WithoutLast(c.dx, 3), c.dscale, c.doffset};
}

/// Forward leaves in a member what Backward reads.
struct StaleMemory : OwnBackwardLayer {
  mutable DlArray last;
  std::tuple<DlArray, Memory> Forward(const DlArray& x) const {
    last = Tanh(scale * x);
    return {last + offset, Memory()};
  }
  Three Backward(const DlArray& x, Unused, const DlArray& dy, const Memory&) const {
    const DlArray dt = dy * (1 - Square(last));
    return {dt * scale, SumTo(dt * x, scale.spec()), SumTo(dy, offset.spec())};
  }
};

/// One derivative too few, in a list, so that only a call shows it.
struct TooFewDerivatives : OwnBackwardLayer {
  DlArrays Backward(const DlArrays& a, const Memory& memory) const {
    const BackwardCall d = Right(*this, a[0], a[1], a[2], memory);
    return {d.dx, d.dscale};
  }
};

/// The same as the declaration shows it.
struct WrongArity : OwnBackwardLayer {
  std::tuple<DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dy,
                                        const Memory& memory) const {
    const BackwardCall d = Right(*this, x, x, dy, memory);
    return {d.dx, d.dscale};
  }
};

/// dLdX1 and dLdX2 in the wrong order.
struct SwappedInputs : OwnBackwardTwoInputsLayer {
  Three Backward(const DlArray& a, const DlArray& b, Unused, const DlArray& dy, Unused) const {
    return {-2 * b * dy, gain * dy, SumTo(a * dy, gain.spec())};
  }
};

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_BACKWARD_FAULTS_H_
