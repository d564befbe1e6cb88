// Layers that declare what they are not, or are what they do not declare.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/split_level/split_level_layer.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina::faulty {
namespace {

struct JoinsInForwardUndeclared : SReluLayer {
  DlArray Forward(const DlArray& x) const { return SReluLayer::Predict(x - Mean(x, x.rank() - 1)); }
};
struct JoinsInBothUndeclared : SplitLevelLayer {
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    return SplitLevelLayer::Predict(x - Mean(x, "B"));
  }
};
struct DeclaresJoining : SReluLayer, JoinsObservations {};
struct DeclaresJoiningInputs : WeightedAdditionLayer, JoinsObservations {};
struct DeclaresSteps : TanhScaleLayer, NotDifferentiableAtPoints {};
struct DeclaresStepsOfMean : SpatialMeanLayer, NotDifferentiableAtPoints {};
/// A mean of the batch in what is meant to be dropout.
struct NoiseOfBatchUndeclared : NoiseLayer {
  DlArray Forward(const DlArray& x) const { return NoiseLayer::Forward(x) - Mean(x, x.rank() - 1); }
};

}  // namespace

FaultGroup DeclarationFaults() {
  const char* const joins = "joinsObservationsAsDeclared";
  const char* const forward = "forwardKeepsObservationsApart";
  const char* const smooth = "isNotDifferentiableAsDeclared";
  return {"What a layer declares",
          {
              Of<SReluLayer, JoinsInForwardUndeclared>("Forward joins observations, not declared",
                                                       Image(), forward),
              Of<NoiseLayer, NoiseOfBatchUndeclared>("Forward joins observations, not declared",
                                                     Image(), forward),
              Of<SplitLevelLayer, JoinsInBothUndeclared>("Predict joins observations, not declared",
                                                         Image(), "predictKeepsObservationsApart"),
              Of<SReluLayer, DeclaresJoining>("declared to join observations, and does not",
                                              Image(), joins),
              Of<WeightedAdditionLayer, DeclaresJoiningInputs>(
                  "declared to join observations, and joins inputs", TwoImages(), joins),
              Of<TanhScaleLayer, DeclaresSteps>("declared to have kinks, and has none", Image(),
                                                smooth),
              Of<SpatialMeanLayer, DeclaresStepsOfMean>("declared to have kinks, and has none",
                                                        Image(), smooth),
          }};
}

}  // namespace lamina::faulty
