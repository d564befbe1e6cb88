// Observations: the output of one follows from that one alone.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

struct MixesObservations : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x - Mean(x)); }
};
struct SumsObservations : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Sum(TanhScaleLayer::Predict(x), 3); }
};
/// Softmax over the observations, which stand where the channels were thought to.
struct SoftmaxOverObservations : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    return SoftmaxOver(SReluLayer::Predict(x), x.rank() - 1);
  }
};
/// Reshaped in the wrong order: channels and observations change places.
struct ReshapesForTransposes : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = StripDims(SpatialMeanLayer::Predict(x));
    return DlArray(Transpose(Reshape(y, {y.size(1), y.size(0)})), "CB");
  }
};
/// Each observation gets the value of its neighbour.
struct ShiftsObservations : SReluLayer {
  DlArray Predict(const DlArray& x) const { return Flip(SReluLayer::Predict(x), x.rank() - 1); }
};

}  // namespace

FaultGroup ObservationFaults() {
  const char* const apart = "predictKeepsObservationsApart";
  return {
      "Observations",
      {
          Of<TanhScaleLayer, MixesObservations>("the mean of the batch taken off", Image(), apart),
          Of<TanhScaleLayer, SumsObservations>("summed over observations", Image(), apart),
          Of<SReluLayer, SoftmaxOverObservations>("softmax over observations", Image(), apart),
          Of<SpatialMeanLayer, ReshapesForTransposes>("reshaped where a transpose is meant",
                                                      Image(), apart),
          Of<SReluLayer, ShiftsObservations>("observations in the reverse order", Image(), apart),
      }};
}

}  // namespace lamina::faulty
