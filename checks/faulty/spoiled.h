// A layer with what one of its functions returns spoiled: faults in one line.
//
//   struct WrongSign : SpoiledBackward<OwnBackwardLayer, [](auto& d, auto&) { d[0] = -d[0]; }> {};
//
// Threads: as every layer.
#ifndef CHECKS_FAULTY_SPOILED_H_
#define CHECKS_FAULTY_SPOILED_H_

#include "framework/lamina.h"

namespace lamina::faulty {

/// What a Backward got.
template <class Base>
struct BackwardCall {
  const Base& layer;
  const DlArray &x, &dy;
  const Memory& memory;
};

/// Of a layer whose Backward takes (x, Unused, dLdY, memory) and returns an array: `kSpoil` gets
/// the right derivatives, to change, and the call.
template <class Base, auto kSpoil>
struct SpoiledBackward : Base {
  auto Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    auto derivatives = Base::Backward(x, Unused(), dy, memory);
    kSpoil(derivatives, BackwardCall<Base>{*this, x, dy, memory});
    return derivatives;
  }
};

/// Of a layer with one input: `kSpoil` takes what the right Predict returns, to return it spoiled.
template <class Base, auto kSpoil>
struct SpoiledPredict : Base {
  auto Predict(const DlArray& x) const { return kSpoil(Base::Predict(x)); }
};

/// The same for Forward.
template <class Base, auto kSpoil>
struct SpoiledForward : Base {
  auto Forward(const DlArray& x) const { return kSpoil(Base::Forward(x)); }
};

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_SPOILED_H_
