// Settings that files lose.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/siamese_pair/siamese_pair_layer.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

/// A setting that is no Property, set by Initialize.
struct MemberFromInitialize : TanhScaleLayer {
  double channels = 1;
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    channels = static_cast<double>(layout.Size('C'));
  }
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x) / channels; }
};
/// Random directions that are no property.
struct DirectionsInMember : TanhScaleLayer {
  DlArray directions;
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    directions = Randn(layout.Only('C'));
  }
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) + Cast(directions, x.type());
  }
};
/// The twin of a network, copied by Initialize where it should be used twice.
struct TwinNetworks : SiamesePairLayer {
  DlNetwork twin;
  TwinNetworks() : SiamesePairLayer(DlNetwork({FullyConnectedLayer(3)})) {}
  void Initialize(const NetworkDataLayout& left, const NetworkDataLayout& right) {
    SiamesePairLayer::Initialize(left, right);
    twin = network;
  }
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    return Abs(network.Predict(left) - twin.Predict(right));
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const { return Predict(left, right); }
};
/// A number of calls of Initialize decides.
struct CountsInitialize : SReluLayer {
  int initialized = 0;
  void Initialize(const NetworkDataLayout& layout) {
    SReluLayer::Initialize(layout);
    initialized = 1;
  }
  DlArray Predict(const DlArray& x) const {
    return initialized == 1 ? SReluLayer::Predict(x) : Relu(x);
  }
};

}  // namespace

FaultGroup StorageFaults() {
  const char* const storage = "savingAndLoadingKeepTheLayer";
  return {
      "Settings that files lose",
      {
          Of<TanhScaleLayer, MemberFromInitialize>("a number in a plain member", Image(), storage),
          Of<TanhScaleLayer, DirectionsInMember>("an array in a plain member", Image(), storage),
          Of<SiamesePairLayer, TwinNetworks>("a network in a plain member", TwoFeatures(), storage),
          Of<SReluLayer, CountsInitialize>("whether Initialize was called", Image(), storage),
      }};
}

}  // namespace lamina::faulty
