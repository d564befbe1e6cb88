// Element types: a layer computes in the type of its inputs.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "checks/faulty/spoiled.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

struct AlwaysDouble : SpoiledPredict<TanhScaleLayer, [](const DlArray& y) { return Double(y); }> {};
struct AlwaysSingle : SpoiledPredict<SReluLayer, [](const DlArray& y) { return Single(y); }> {};
/// 0.1f is a single constant, and single with double gives single.
struct SingleConstant : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Tanh(scale * x) * 0.1f + offset; }
};
/// An array that was made without a type.
struct UntypedZeros : SReluLayer {
  DlArray Predict(const DlArray& x) const { return SReluLayer::Predict(x) + Zeros(x.sizes()); }
};
struct LogicalOutput : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Tanh(scale * x) > 0.25 + offset; }
};
struct IntegerOutput : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const {
    return Cast(SpatialMeanLayer::Predict(x) * 255, DataType::kInt32);
  }
};
struct ForwardSingle : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Single(Predict(x)); }
};
/// The loop starts from zeros of a fixed type, the state from the last call's.
struct SingleState : LeakyIntegratorLayer {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, Single(h)};
  }
};
struct DoubleStatistics : CenterLayer {
  std::pair<DlArray, DlArray> Forward(const DlArray& x) const {
    auto [y, m] = CenterLayer::Forward(x);
    return {y, Double(m)};
  }
};

}  // namespace

FaultGroup TypeFaults() {
  const char* const predict = "predictIsConsistentInType";
  const char* const forward = "forwardIsConsistentInType";
  return {
      "Element types",
      {
          Of<TanhScaleLayer, AlwaysDouble>("always double", Image(), predict),
          Of<SReluLayer, AlwaysSingle>("always single", Image(), predict),
          Of<TanhScaleLayer, SingleConstant>("a constant in single", Image(), predict),
          Of<SReluLayer, UntypedZeros>("zeros made without a type", Image(), predict),
          Of<TanhScaleLayer, LogicalOutput>("a comparison returned as it is", Image(), predict),
          Of<SpatialMeanLayer, IntegerOutput>("integers", Image(), predict),
          Of<TanhScaleLayer, ForwardSingle>("Forward always single", Image(), forward),
          Of<LeakyIntegratorLayer, SingleState>("the new state always single", Sequence(), predict),
          Of<CenterLayer, DoubleStatistics>("Forward's new state always double", Image(), forward),
      }};
}

}  // namespace lamina::faulty
