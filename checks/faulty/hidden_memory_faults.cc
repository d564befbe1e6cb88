// What a layer remembers outside its states, and copies that are none.
#include <random>

#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

struct HiddenCounter : TanhScaleLayer {
  mutable int calls = 0;
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x) * (1.0 / ++calls); }
};
struct RemembersInput : TanhScaleLayer {
  mutable DlArray last;
  DlArray Predict(const DlArray& x) const {
    const DlArray before = SameSizes(last.sizes(), x.sizes()) && last.type() == x.type() ? last : x;
    last = ExtractData(x);
    return TanhScaleLayer::Predict(x) + 0.5 * before;
  }
};
/// Statistics that Forward keeps by itself: no state, and no part of its results.
struct ForwardChangesPredict : TanhScaleLayer {
  mutable DlArray mean = 0.0;
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x) - mean; }
  DlArray Forward(const DlArray& x) const {
    mean = 0.9 * mean + 0.1 * Mean(ExtractData(x));
    return TanhScaleLayer::Predict(x);
  }
};
/// A static variable, shared by all layers of the class.
struct StaticCounter : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    static int calls = 0;
    return SReluLayer::Predict(x) * (1 + 0.01 * (++calls % 7));
  }
};
/// The mask is drawn once and kept for the sizes it was drawn for: it never changes again.
struct KeepsNoise : NoiseLayer {
  mutable DlArray noise;
  DlArray Forward(const DlArray& x) const {
    if (!SameSizes(noise.sizes(), x.sizes()) || noise.type() != x.type()) {
      noise = RandnLike(x);
    } else {
      noise = noise * 0.5;
    }
    return x * (1 + 0.25 * noise);
  }
};
/// What depends on the input is computed in the first call and kept: right, but for the first.
struct CachesFirstNorm : TanhScaleLayer {
  mutable DlArray norm;
  DlArray Predict(const DlArray& x) const {
    if (norm.empty() || norm.type() != x.type()) norm = ExtractData(MaxOver(Abs(x)));
    return TanhScaleLayer::Predict(x) / norm;
  }
};
struct ForeignRandom : NoiseLayer {
  DlArray Forward(const DlArray& x) const {
    static std::mt19937 generator(1);
    return x * (1.0 + static_cast<double>(generator() % 100) / 100);
  }
};
struct CopyForgetsTable : TanhScaleLayer {
  std::vector<double> table;
  CopyForgetsTable() = default;
  CopyForgetsTable(const CopyForgetsTable& other) : TanhScaleLayer(other) {}
  CopyForgetsTable(CopyForgetsTable&&) = default;
  CopyForgetsTable& operator=(const CopyForgetsTable&) = default;
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    table = {2};
  }
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) * (table.empty() ? 1.0 : table[0]);
  }
};

}  // namespace

FaultGroup HiddenMemoryFaults() {
  const char* const predict = "predictIsRepeatable";
  const char* const forward = "forwardIsRepeatable";
  return {"Hidden memory and copies",
          {
              Of<TanhScaleLayer, HiddenCounter>("a mutable counter", Image(), predict),
              Of<TanhScaleLayer, RemembersInput>("the last input is remembered", Image(), predict),
              Of<TanhScaleLayer, ForwardChangesPredict>("Forward keeps what Predict reads", Image(),
                                                        predict),
              Of<SReluLayer, StaticCounter>("a static counter", Image(), predict),
              Of<NoiseLayer, KeepsNoise>("noise is kept from call to call", Image(), forward),
              Of<TanhScaleLayer, CachesFirstNorm>("a value of the first input is kept", Image(),
                                                  predict),
              Of<NoiseLayer, ForeignRandom>("random numbers from elsewhere", Image(), forward),
              Of<TanhScaleLayer, CopyForgetsTable>("a copy forgets a member", Image(),
                                                   "copiesAreIndependent"),
          }};
}

}  // namespace lamina::faulty
