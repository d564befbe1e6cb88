// Layers without a Backward of their own, each with one fault: types, sizes, labels, lost
// derivatives, hidden memory, initialisation.
#ifndef CHECKS_FAULTY_FORWARD_FAULTS_H_
#define CHECKS_FAULTY_FORWARD_FAULTS_H_

#include <memory>
#include <random>
#include <vector>

#include "checks/faulty/correct_layers.h"

namespace lamina::faulty {

// --- Types --------------------------------------------------------------------------------------

struct AlwaysDouble : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Double(Tanh(scale * x) + offset); }
};
struct SingleConstant : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Tanh(scale * x) * 0.1f + offset; }
};
struct LogicalOutput : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Tanh(scale * x) > 0.25 + offset; }
};
struct ForwardSingle : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Single(Predict(x)); }
};

// --- Sizes, labels, errors ----------------------------------------------------------------------

struct ForwardReduces : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Sum(Predict(x), 0); }
};
struct DropsLabels : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const { return StripDims(SpatialMeanLayer::Predict(x)); }
};
struct ThrowsForOne : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    // Squeezed, one observation has a dim less.
    const DlArray y = Squeeze(TanhScaleLayer::Predict(x));
    return Reshape(Permute(y, {0, 1, 2, 3}),
                   {x.size(0), x.size(1), x.size(2), y.sizes()[3 % y.rank()]});
  }
};
struct PredictThrows : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return MatMul(x, Zeros({7, 7, 7})); }
};
struct ForwardThrows : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Predict(x) + Zeros({17, 19}); }
};
struct ThrowsStandard : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return std::vector<DlArray>{x}.at(x.numel() > 0 ? 1 : 0);
  }
};
struct LogOfNegative : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Log(scale * x) + offset; }
};

// --- Observations -------------------------------------------------------------------------------

struct MixesObservations : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x - Mean(x)); }
};
struct SumsObservations : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Sum(TanhScaleLayer::Predict(x), 3); }
};

// --- Derivatives --------------------------------------------------------------------------------

struct DetachedLearnable : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Tanh(ExtractData(scale) * x) + offset; }
};
struct DetachedInput : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Tanh(scale * ExtractData(x)) + offset; }
};
struct PartlyDetached : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return Tanh(scale * x) + offset + ExtractData(scale * x);
  }
};
struct ReadsValue : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return Tanh(scale * x) * Mean(scale).Scalar() + offset;
  }
};
struct UnderNoGradient : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const NoGradient pause;
    return TanhScaleLayer::Predict(x);
  }
};

/// An operation with a gradient of its own.
class SpoiledRule : public GradientRule {
 public:
  explicit SpoiledRule(bool wrong_size) : wrong_size_(wrong_size) {}
  std::string_view Name() const override { return "spoiled"; }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray& g = call.output_gradients[0];
    return {wrong_size_ ? Sum(g) : 3 * g};
  }

 private:
  bool wrong_size_;
};
template <bool kWrongSize>
struct SpoiledOperation : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray scaled = scale * x;
    const DlArrays doubled =
        WithGradientRule(std::make_shared<SpoiledRule>(kWrongSize), Arrays(&scaled, 1),
                         [&] { return DlArrays{2 * scaled}; });
    return doubled[0] + offset;
  }
};
struct OperationWithWrongFactor : SpoiledOperation<false> {};
struct OperationWithWrongSize : SpoiledOperation<true> {};

/// Steps: nothing to train by.
struct Stairs : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Round(8 * scale * x) + offset; }
};
/// Steps so fine that they look like a slope.
struct FineStairs : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Round(scale * x * 1e8) + offset; }
};
/// Rough everywhere: no step is small enough for a derivative.
struct Rough : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return scale * x + offset + Abs(Mod(1e8 * scale * x, 1) - 0.5);
  }
};

// --- Hidden memory ------------------------------------------------------------------------------

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
struct ForeignRandom : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const {
    static std::mt19937 generator(1);
    return TanhScaleLayer::Predict(x) * (1.0 + static_cast<double>(generator() % 100) / 100);
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

// --- Learnables and their initialisation --------------------------------------------------------

struct UnusedLearnable : TanhScaleLayer {
  Learnable shift{*this, "Shift", Full({1, 1}, 0.5)};
};
struct InitializeOverwrites : TanhScaleLayer {
  void Initialize(const NetworkDataLayout& layout) {
    scale = Rand(layout.Only('C')) + 0.5;
    if (offset.empty()) offset = Zeros(layout.Only('C'));
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

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_FORWARD_FAULTS_H_
