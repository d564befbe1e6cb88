// The derivative of SReLU, written by hand, wrong.
#include "checks/faulty/fault.h"
#include "checks/faulty/spoiled.h"
#include "layers/srelu_backward/srelu_backward_layer.h"

namespace lamina::faulty {
namespace {

using L = SReluBackwardLayer;
// Of x, the left and right slopes, the left and right thresholds.
using D = std::array<DlArray, 5>;
using Call = BackwardCall<L>;
template <auto kSpoil>
using Spoiled = SpoiledBackward<L, kSpoil>;

DlArray Left(const Call& c) { return Where(c.memory[0], c.dy, 0); }
DlArray Right(const Call& c) { return Where(c.memory[0] | c.memory[1], 0, c.dy); }

struct SlopesSwapped : Spoiled<[](D& d, const Call&) { std::swap(d[1], d[2]); }> {};
struct ThresholdsSwapped : Spoiled<[](D& d, const Call&) { std::swap(d[3], d[4]); }> {};
struct LeftRightSlopeInX : Spoiled<[](D& d, const Call& c) {
  d[0] = Where(c.memory[0], c.layer.right_slope * c.dy,
               Where(c.memory[1], c.dy, c.layer.left_slope * c.dy));
}> {};
struct MiddleForgotten : Spoiled<[](D& d, const Call& c) {
  d[0] = Where(c.memory[0], c.layer.left_slope * c.dy, c.layer.right_slope * c.dy);
}> {};
struct SlopeWithoutThreshold
    : Spoiled<[](D& d, const Call& c) { d[1] = SumTo(Left(c) * c.x, c.layer.left_slope.spec()); }> {
};
struct SlopeOfThresholdMinusX : Spoiled<[](D& d, const Call&) { d[2] = -d[2]; }> {};
struct ThresholdForgetsSlope
    : Spoiled<[](D& d, const Call& c) { d[3] = SumTo(Left(c), c.layer.left_threshold.spec()); }> {};
struct ThresholdForgetsOne : Spoiled<[](D& d, const Call& c) {
  d[4] = SumTo(-Right(c) * c.layer.right_slope, c.layer.right_threshold.spec());
}> {};
struct ThresholdIsConstant : Spoiled<[](D& d, const Call&) { d[3] = ZerosLike(d[3]); }> {};
struct RightMaskOfLeft : Spoiled<[](D& d, const Call& c) {
  d[2] = SumTo(Left(c) * (c.x - c.layer.right_threshold), c.layer.right_slope.spec());
}> {};
struct MiddleCountsAsRight : Spoiled<[](D& d, const Call& c) {
  d[2] = SumTo(Where(c.memory[0], 0, c.dy) * (c.x - c.layer.right_threshold),
               c.layer.right_slope.spec());
}> {};
struct SlopeNotSummed
    : Spoiled<[](D& d, const Call& c) { d[1] = Left(c) * (c.x - c.layer.left_threshold); }> {};
struct SlopeSummedOverChannels : Spoiled<[](D& d, const Call&) { d[2] = Sum(d[2]); }> {};
/// The mean over the dims before the channels, not the sum.
struct SlopeAveraged : Spoiled<[](D& d, const Call& c) {
  d[1] = d[1] / static_cast<double>(c.x.size(0) * c.x.size(1));
}> {};
struct DerivativeOfFirstObservation : Spoiled<[](D& d, const Call& c) {
  d[4] = SumTo(Slice(Right(c) * (1 - c.layer.right_slope), c.x.rank() - 1, 0, 1),
               c.layer.right_threshold.spec());
}> {};
struct DoubleDerivatives : Spoiled<[](D& d, const Call&) { d[0] = Double(d[0]); }> {};
/// The right piece in single, with a constant of its own.
struct SingleSlope : Spoiled<[](D& d, const Call&) { d[2] = d[2] * 1.0f; }> {};
struct DerivativeOfXLost : Spoiled<[](D& d, const Call&) { d[0] = ZerosLike(d[0]); }> {};
struct DerivativeOfReluInstead
    : Spoiled<[](D& d, const Call& c) { d[0] = Where(c.x > 0, c.dy, 0); }> {};
/// Masks in the other order.
struct MasksSwapped : L {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    auto [y, memory] = L::Forward(x);
    return {y, Memory{memory[1], memory[0]}};
  }
};
/// Which piece an element belongs to, asked of the output.
struct MasksOfOutput : L {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray y = L::Forward(x).first;
    return {y, Memory{y <= left_slope, y < right_threshold}};
  }
};
/// The masks are those of the last call.
struct MasksInMembers : L {
  mutable DlArray left, middle;
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    auto [y, memory] = L::Forward(x);
    left = memory[0];
    middle = memory[1];
    return {y, Memory()};
  }
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory&) const {
    return L::Backward(x, Unused(), dy, Memory{left, middle});
  }
};
struct ForwardIsRelu : L {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    return {Relu(x), L::Forward(x).second};
  }
};
struct FourDerivatives : L {
  DlArrays Backward(const DlArrays& a, const Memory& memory) const {
    const D d = L::Backward(a[0], Unused(), a[2], memory);
    return {d[0], d[1], d[2], d[3]};
  }
};
struct DerivativeOfInputLast : L {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    const auto [dx, da, db, ds, dt] = L::Backward(x, Unused(), dy, memory);
    return {da, db, ds, dt, dx};
  }
};

}  // namespace

FaultGroup SReluBackwardFaults() {
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const size = "backwardIsConsistentInSize";
  const char* const type = "backwardIsConsistentInType";
  const char* const lost = "gradientsAreNotLost";
  // In some of eight channels the thresholds lie so that all three pieces are met.
  const Layouts in = {NetworkDataLayout({4, 3, 8, 5}, "SSCB")};
  return {"The derivative of SReLU by hand",
          {
              Of<L, SlopesSwapped>("derivatives of the two slopes swapped", in, numeric),
              Of<L, ThresholdsSwapped>("derivatives of the two thresholds swapped", in, numeric),
              Of<L, LeftRightSlopeInX>("the slopes swapped in dLdX", in, numeric),
              Of<L, MiddleForgotten>("the middle piece has the right slope", in, numeric),
              Of<L, SlopeWithoutThreshold>("x in place of x - t", in, numeric),
              Of<L, SlopeOfThresholdMinusX>("t - x in place of x - t", in, numeric),
              Of<L, ThresholdForgetsSlope>("1 in place of 1 - a", in, numeric),
              Of<L, ThresholdForgetsOne>("-a in place of 1 - a", in, numeric),
              Of<L, ThresholdIsConstant>("zeros for one threshold", in, lost),
              Of<L, RightMaskOfLeft>("the mask of the other piece", in, numeric),
              Of<L, MiddleCountsAsRight>("a mask that covers two pieces", in, numeric),
              Of<L, SlopeNotSummed>("not summed over the dims a slope is repeated along", in, size),
              Of<L, SlopeSummedOverChannels>("summed over the channels too", in, size),
              Of<L, SlopeAveraged>("the mean over S, not the sum", in, numeric),
              Of<L, DerivativeOfFirstObservation>("the first observation alone", in, numeric),
              Of<L, DoubleDerivatives>("always double", in, type),
              Of<L, SingleSlope>("a constant in single", in, type),
              Of<L, DerivativeOfXLost>("zeros for the input", in, lost),
              Of<L, DerivativeOfReluInstead>("the derivative of ReLU", in, numeric),
              Of<L, MasksSwapped>("the memory in another order", in, numeric),
              Of<L, MasksOfOutput>("masks made from the output and a slope", in, numeric),
              Of<L, MasksInMembers>("the memory of the last call", in, "backwardIsRepeatable"),
              Of<L, ForwardIsRelu>("Forward computes something else", in, numeric),
              Of<L, FourDerivatives>("one derivative too few", in, "functionSyntaxesAreCorrect"),
              Of<L, DerivativeOfInputLast>("dLdX last", in, size),
          }};
}

}  // namespace lamina::faulty
