// Derivatives that are taken automatically, and lost or spoiled on their way.
#include <memory>

#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

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
/// A threshold is read as a number.
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
/// Only the statistics were meant to be constant.
struct NormUnderNoGradient : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = TanhScaleLayer::Predict(x);
    DlArray norm;
    {
      const NoGradient pause;
      norm = Sqrt(Sum(Square(y), DimSet({0, 1, 2})) + 1e-3);
    }
    return y / norm;
  }
};
/// A loop over elements that reads each of them.
struct LoopOverElements : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = SReluLayer::Predict(x);
    DlArray copy = ZerosLike(y);
    for (int64_t i = 0; i < y.numel(); ++i) {
      const DlArray here = Reshape(Cast(Equal(Iota(y.numel()), i), y.type()), y.sizes());
      copy = copy + y.At(i) * here;
    }
    return copy;
  }

 private:
  static DlArray Iota(int64_t n) {
    std::vector<double> values(static_cast<size_t>(n));
    for (int64_t i = 0; i < n; ++i) values[static_cast<size_t>(i)] = static_cast<double>(i);
    return DlArray::FromVector<double>(values, {n});
  }
};
/// A copy that was made before training started.
struct UsesCopyOfLearnable : TanhScaleLayer {
  DlArray start;
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    start = ExtractData(scale);
  }
  DlArray Predict(const DlArray& x) const { return Tanh(Cast(start, x.type()) * x) + offset; }
};
/// One slope of the two is a constant to training.
struct DetachedSlope : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    SReluLayer copy = *this;
    copy.right_slope = ExtractData(right_slope);
    return copy.Predict(x);
  }
};
/// The threshold was rounded to a grid "for speed".
struct RoundedThreshold : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    SReluLayer copy = *this;
    copy.left_threshold = Round(left_threshold * 64) / 64;
    return copy.Predict(x);
  }
};

/// An operation with a gradient of its own, `kFactor` times what it should be.
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

}  // namespace

FaultGroup GradientFaults() {
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const lost = "gradientsAreNotLost";
  using Scale = TanhScaleLayer;
  return {
      "Derivatives lost on their way",
      {
          Of<Scale, DetachedLearnable>("a learnable taken out of the computation", Image(), lost),
          Of<Scale, DetachedInput>("the input taken out of the computation", Image(), lost),
          Of<Scale, PartlyDetached>("one of two uses taken out of the computation", Image(),
                                    numeric),
          Of<Scale, ReadsValue>("a learnable read as a number", Image(), numeric),
          Of<Scale, UnderNoGradient>("all under NoGradient", Image(), lost),
          Of<Scale, NormUnderNoGradient>("a norm under NoGradient", Image(), numeric),
          Of<SReluLayer, LoopOverElements>("elements read one by one", Image(), lost),
          Of<Scale, UsesCopyOfLearnable>("a copy made by Initialize is used", Image(),
                                         "learnablesAreUsed"),
          Of<SReluLayer, DetachedSlope>("one of four learnables taken out", Image(), lost),
          Of<SReluLayer, RoundedThreshold>("a learnable rounded", Image(), lost),
          Of<Scale, OperationWithWrongFactor>("an operation's own gradient has a wrong factor",
                                              Image(), numeric),
          Of<Scale, OperationWithWrongSize>("an operation's own gradient has a wrong size", Image(),
                                            "backwardPropagationDoesNotError"),
          Of<Scale, Stairs>("steps, no slope", Image(), lost),
          Of<Scale, FineStairs>("steps so fine that they look like a slope", Image(), lost),
          Of<Scale, Rough>("rough at every scale", Image(), numeric),
      }};
}

}  // namespace lamina::faulty
