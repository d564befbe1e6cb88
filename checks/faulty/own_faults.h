// Layers that are wrong in ways that the tests find which only Lamina has: declarations that are
// not true, other sizes and orders of dims, NaN, threads, files, traces, what is accelerated,
// second derivatives. Made from TanhScaleLayer, y = tanh(scale x) + offset, and OwnBackwardLayer.
#ifndef CHECKS_FAULTY_OWN_FAULTS_H_
#define CHECKS_FAULTY_OWN_FAULTS_H_

#include <array>
#include <memory>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "checks/faulty/correct_layers.h"
#include "framework/ops/op.h"
#include "framework/ops/written_op.h"

namespace lamina::faulty {

// --- Declarations -------------------------------------------------------------------------------

/// The mean over the batch in training, as batch normalization takes it, but undeclared.
struct ForwardJoins : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Predict(x - Mean(x, 3)); }
};
struct OnlyDeclaresJoining : TanhScaleLayer, JoinsObservations {};
/// Undeclared.
struct DrawsInForward : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Predict(x) * (1 + 0.25 * RandnLike(x)); }
};
struct OnlyDeclaresDrawing : TanhScaleLayer, DrawsRandomNumbers {};
/// Always the same noise; and what is drawn after it, in other layers, is always the same too.
struct BeginsRandomNumbersAnew : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const {
    Rng(3);
    return Predict(x) * (1 + 0.25 * RandnLike(x));
  }
};
/// Training cannot move a whole number.
struct LearnsWholeNumber : Layer {
  Learnable gain{*this, "Gain", DlArray::FromVector<int32_t>({2}, {1})};
  DlArray Predict(const DlArray& x) const { return gain * Tanh(x); }
};
struct OnlyDeclaresKinks : TanhScaleLayer, NotDifferentiableAtPoints {};

// --- Other sizes, other labels ------------------------------------------------------------------

/// For a height of 1 it divides by zero.
struct DividesByHeightLess1 : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) / static_cast<double>(x.size(0) - 1);
  }
};
/// For a height of 1 a standard exception.
struct TakesSecondRow : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const std::vector<double> weights(x.size(0), 0.5);
    return TanhScaleLayer::Predict(x) * weights.at(1);
  }
};
/// For a height of 1 the width becomes the height.
struct Squeezes : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Squeeze(TanhScaleLayer::Predict(x)); }
};
/// Five observations and more are taken for a large batch, with other numbers.
struct OtherForManyObservations : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) * (x.size(3) > 5 ? 0.5 : 1.0);
  }
};
/// Backward forgets the last observation of more than five.
struct CutsOffSixth : OwnBackwardLayer {
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    auto [dx, dscale, doffset] = OwnBackwardLayer::Backward(x, Unused(), dy, memory);
    const int64_t n = x.size(3);
    if (n > 5) dx = Cat(3, {Slice(dx, 3, 0, n - 1), 0 * Slice(dx, 3, n - 1, 1)});
    return {dx, dscale, doffset};
  }
};
/// The channels of "SSCB", by their position.
struct FindsByPosition : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return x - Mean(x, 2); }
};

// --- NaN ----------------------------------------------------------------------------------------

/// Max(x, 0) is 0 for NaN.
struct HidesNan : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Max(scale * x, 0) + offset; }
};
/// The other observations are multiplied by zero instead of left out.
struct LeaksNan : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x) + 0 * Sum(x, 3); }
};
/// Half of infinity is infinity.
struct HalvesHugeValues : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    DlArray y = x;
    while (Any(Abs(y) > 1e6).Scalar() != 0) y = 0.5 * y;
    return TanhScaleLayer::Predict(y);
  }
};

// --- Threads ------------------------------------------------------------------------------------

/// What every call writes first and reads later, shared by all calls.
struct SharedScratch : TanhScaleLayer {
  mutable DlArray scratch;
  DlArray Predict(const DlArray& x) const {
    scratch = scale * x;
    const DlArray shift = 2 * offset;
    return Tanh(scratch) + shift;
  }
};

// --- Files --------------------------------------------------------------------------------------

/// A setting that is no Property.
struct ForgetsGain : TanhScaleLayer {
  double gain = 1;
  void Initialize(const NetworkDataLayout& layout) {
    TanhScaleLayer::Initialize(layout);
    gain = 2;
  }
  DlArray Predict(const DlArray& x) const { return gain * TanhScaleLayer::Predict(x); }
};
/// Right, but for that a file cannot make it.
struct NeedsAnArgument : TanhScaleLayer {
  explicit NeedsAnArgument(double gain) : gain_(gain) {}
  DlArray Predict(const DlArray& x) const { return gain_ * TanhScaleLayer::Predict(x); }

 private:
  double gain_;
};

// --- Traces -------------------------------------------------------------------------------------

struct BranchesOnValue : TanhScaleLayer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    if (Mean(scale).Scalar() > 100) return x;
    return TanhScaleLayer::Predict(x);
  }
};
/// The same, and the Error that this is in a recording does not come out.
struct HidesRefusedRead : TanhScaleLayer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    try {
      if (Mean(scale).Scalar() > 100) return x;
    } catch (...) {
    }
    return TanhScaleLayer::Predict(x);
  }
};
/// Random numbers of its own, the same in each call: a trace draws others.
struct DrawsFromItsOwn : TanhScaleLayer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    RandomSource own{.seed = 7};
    const ScopedRandomSource scope(own);
    return TanhScaleLayer::Predict(x) * (1 + Rand({1}, x.type()));
  }
};
/// Random numbers that follow the seed, but are made outside of array functions: a trace keeps
/// those of its recording.
struct FreezesNoise : TanhScaleLayer, Acceleratable, DrawsRandomNumbers {
  DlArray Forward(const DlArray& x) const {
    RandomSource& source = CurrentRandomSource();
    std::mt19937_64 generator(source.seed + source.Reserve(1));
    return TanhScaleLayer::Predict(x) * (1 + static_cast<double>(generator() % 1000) / 1000);
  }
};

// --- Acceleration -------------------------------------------------------------------------------

/// y = factor x, as an op that does not tell its factor.
class TimesSilently : public Op {
 public:
  explicit TimesSilently(double factor) : factor_(factor) {}
  std::string_view Name() const override { return "times_silently"; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override { out.Share(0, factor_ * in[0]); }
  DlArrays Gradient(const GradientCall& call) const override {
    return {factor_ * call.output_gradients[0]};
  }

 protected:
  double factor_;
};
/// Two such ops of different factors, which look alike.
struct LooksAlike : Layer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    const DlArray twice = Apply(std::make_shared<TimesSilently>(2), {x});
    const DlArray thrice = Apply(std::make_shared<TimesSilently>(3), {x});
    return twice + thrice;
  }
};
/// y = factor x, as an op whose printed form is of a larger factor.
class TimesWrittenOtherwise : public TimesSilently, public WrittenOp {
 public:
  using TimesSilently::TimesSilently;
  std::string_view Name() const override { return "times_written_otherwise"; }
  void Write(OpWriter& w) const override {
    w.Define(
        0, [this, &w](const Indices& i) { return loops::Expression(factor_ + 1) * w.Load(0, i); });
  }
};
struct WritesOtherwise : Layer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    return Apply(std::make_shared<TimesWrittenOtherwise>(2), {x});
  }
};
// --- Second derivatives -------------------------------------------------------------------------

/// The first derivatives are right.
struct DetachedInBackward : OwnBackwardLayer {
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    return OwnBackwardLayer::Backward(x, Unused(), dy, Memory{ExtractData(memory[0])});
  }
};
/// Right, with a memory that depends on an input which Backward does not want: no second
/// derivative.
struct OnlyFirstDerivatives : Layer {
  DlArray Predict(const DlArray& x) const { return Tanh(x); }
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray y = Tanh(x);
    return {y, Memory{1 - Square(y)}};
  }
  DlArray Backward(Unused, Unused, const DlArray& dy, const Memory& memory) const {
    return dy * memory[0];
  }
};

// --- One element of many ------------------------------------------------------------------------

/// One element's derivative, in the middle of large data, is off by this part.
struct OneWrongOfMany : OwnBackwardLayer {
  double part = 0.01;
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    auto [dx, dscale, doffset] = OwnBackwardLayer::Backward(x, Unused(), dy, memory);
    if (x.numel() > 100000) {
      const int64_t at = x.numel() / 2 + 1;
      const DlArray one = Slice(Reshape(dx, {x.numel()}), 0, at, 1);
      dx = dx + Reshape(Cat(0, {Zeros({at}, x.type()), part * one,
                                Zeros({x.numel() - at - 1}, x.type())}),
                        x.sizes());
    }
    return {dx, dscale, doffset};
  }
};

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_OWN_FAULTS_H_
