// Learnables and their initialisation.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

struct UnusedLearnable : TanhScaleLayer {
  Learnable shift{*this, "Shift", Full({1, 1}, 0.5)};
};
/// The left slope on both sides.
struct SameSlopeTwice : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    SReluLayer copy = *this;
    copy.right_slope = left_slope;
    return copy.Predict(x);
  }
};
struct InitializeOverwrites : SReluLayer {
  void Initialize(const NetworkDataLayout& layout) {
    for (Learnable* p : {&left_slope, &right_slope, &left_threshold, &right_threshold}) {
      *p = Rand(layout.Only('C'));
    }
  }
};
/// Asks whether one is set, and sets both.
struct InitializeAsksOnce : TanhScaleLayer {
  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Rand(layout.Only('C')) + 0.5;
    offset = Zeros(layout.Only('C'));
  }
};
struct InitializeForgets : TanhScaleLayer {
  Learnable gain{*this, "Gain"};
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) * (gain.empty() ? DlArray(1.0) : DlArray(gain));
  }
};
struct InitializeThrows : TanhScaleLayer {
  void Initialize(const NetworkDataLayout& layout) {
    scale = Rand(layout.Only('T'));
    offset = Zeros(layout.Only('C'));
  }
};
struct InitializeCountsObservations : TanhScaleLayer {
  Learnable bias{*this, "Bias"};
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    if (bias.empty()) bias = Zeros(layout.sizes());
  }
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x) + bias; }
};
/// A bound divided by one observation less than there are.
struct InitializeDividesByZero : TanhScaleLayer {
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    scale = scale / (static_cast<double>(layout.Size('B')) - 1.0);
  }
};
struct InitializesIntegers : TanhScaleLayer {
  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Cast(Ones(layout.Only('C')), DataType::kInt32);
    if (offset.empty()) offset = Zeros(layout.Only('C'));
  }
};

}  // namespace

FaultGroup InitializationFaults() {
  using Scale = TanhScaleLayer;
  return {
      "Learnables and Initialize",
      {
          Of<Scale, UnusedLearnable>("a learnable is never used", Image(), "learnablesAreUsed"),
          Of<SReluLayer, SameSlopeTwice>("one learnable used in place of another", Image(),
                                         "learnablesAreUsed"),
          Of<SReluLayer, InitializeOverwrites>("trained values are overwritten", Image(),
                                               "initializeKeepsSetParameters"),
          Of<Scale, InitializeAsksOnce>("one of two is overwritten", Image(),
                                        "initializeKeepsSetParameters"),
          Of<Scale, InitializeForgets>("one is left unset", Image(), "initializeSetsParameters"),
          Of<Scale, InitializeThrows>("a label that is not there", Image(),
                                      "initializeDoesNotError"),
          Of<Scale, InitializeCountsObservations>("sizes follow the number of observations",
                                                  Image(), "initializeIgnoresObservations"),
          Of<Scale, InitializeDividesByZero>("divides by zero for one observation", Image(),
                                             "initializeSetsParameters"),
          Of<Scale, InitializesIntegers>("integers to be trained", Image(),
                                         "initializeSetsParameters"),
      }};
}

}  // namespace lamina::faulty
