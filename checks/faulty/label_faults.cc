// Dims found by their positions, where data of other labels come; NaN that disappears.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/channel_dropout/channel_dropout_layer.h"
#include "layers/running_norm/running_norm_layer.h"

namespace lamina::faulty {
namespace {

// --- Positions ----------------------------------------------------------------------------------

struct NormByPosition : RunningNormLayer {
  std::tuple<DlArray, DlArray, DlArray> Forward(const DlArray& x) const {
    auto [y, m, v] = RunningNormLayer::Forward(x);
    const DlArray centre = Mean(x, DimSet({0, 1, 3}));
    return {x - centre, Reshape(centre, mean.sizes()), v};
  }
};
struct DropoutByPosition : ChannelDropoutLayer {
  DlArray Forward(const DlArray& x) const {
    const DlArray stays = Rand({1, 1, x.size(2), x.size(3)}) >= probability;
    return Where(DlArray(BroadcastTo(stays, {DataType::kLogical, x.sizes(), {}}), Dims(x)),
                 x / (1 - probability), 0);
  }
};

// --- NaN ----------------------------------------------------------------------------------------

struct NanBecomesZero : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = TanhScaleLayer::Predict(x);
    return Where(IsNan(y), 0, y);
  }
};
struct NanIsClipped : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray z = scale * x;
    return Where(z < 0.5, Where(z > -0.5, z, -0.5), 0.5) + offset;
  }
};
struct NanIsLeftOutOfMean : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const {
    return SpatialMeanLayer::Predict(Where(Equal(x, x), x, 0));
  }
};

}  // namespace

FaultGroup LabelFaults() {
  const char* const labels = "dimsAreFoundByLabel";
  return {
      "Dims by position",
      {
          Of<RunningNormLayer, NormByPosition>("statistics over dims 0, 1 and 3", Image(), labels),
          Of<ChannelDropoutLayer, DropoutByPosition>("a mask for dims 2 and 3", Image(), labels),
      }};
}

FaultGroup NanFaults() {
  const char* const nan = "nanIsPassedOn";
  return {"NaN that disappears",
          {
              Of<TanhScaleLayer, NanBecomesZero>("NaN becomes 0", Image(), nan),
              Of<TanhScaleLayer, NanIsClipped>("NaN becomes the clipping bound", Image(), nan),
              Of<SpatialMeanLayer, NanIsLeftOutOfMean>("NaN is left out of the mean", Image(), nan),
          }};
}

}  // namespace lamina::faulty
