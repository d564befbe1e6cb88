// Layers for what CheckLayer says seldom: each meets a diagnosis that no fault of own_faults.h and
// of the mutation table meets. Most are wrong in other ways too, which is of no interest here.
#ifndef CHECKS_FAULTY_RARE_FAULTS_H_
#define CHECKS_FAULTY_RARE_FAULTS_H_

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "checks/faulty/correct_layers.h"
#include "framework/layers/function_layer.h"
#include "framework/ops/op.h"

namespace lamina::faulty {

// --- What is returned ---------------------------------------------------------------------------

/// Backward in a list, which lacks the derivatives of the learnable and of the state.
struct ReturnsOneDerivative : LeakyIntegratorLayer {
  DlArrays Backward(const DlArrays& a, const Memory&) const { return {a[0]}; }
};
/// For a height of 1 that dim and its label are dropped.
struct DropsHeight1 : Layer, Formattable {
  DlArray Predict(const DlArray& x) const {
    if (x.size(0) != 1) return 2 * x;
    return DlArray(Reshape(StripDims(2 * x), {x.size(1), x.size(2), x.size(3)}), "SCB");
  }
};
/// The height of "SSCB", by its position.
struct SumsFirstDim : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return Sum(x, 0); }
};
struct DividesByZero : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return TanhScaleLayer::Predict(x) / (0 * x); }
};

// --- States -------------------------------------------------------------------------------------

struct LogicalState : LeakyIntegratorLayer {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    auto [y, h] = LeakyIntegratorLayer::Predict(x);
    return {y, h > 0};
  }
};
struct ResetsToUnset : Layer {
  State last{*this, "Last", 0.0};
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const { return {x + last, Mean(x)}; }
  void ResetState() { last = DlArray(); }
};

// --- Copies, threads, files ---------------------------------------------------------------------

/// The largest offset that the layer or a copy of it ever had.
struct SharesMaximum : TanhScaleLayer {
  std::shared_ptr<double> most = std::make_shared<double>(0.0);
  DlArray Predict(const DlArray& x) const {
    *most = std::max(*most, Mean(Double(ExtractData(offset))).Scalar());
    return TanhScaleLayer::Predict(x) + *most;
  }
};
/// A setting that holds in the thread alone that made the layer.
struct SetsUpOneThread : TanhScaleLayer {
  SetsUpOneThread() { Factor() = 2; }
  static double& Factor() {
    thread_local double factor = 1;
    return factor;
  }
  DlArray Predict(const DlArray& x) const { return Factor() * TanhScaleLayer::Predict(x); }
};
struct ThrowsInOtherThreads : SetsUpOneThread {
  DlArray Predict(const DlArray& x) const {
    if (Factor() == 1) throw Error("faulty:Thread", "It is set up.", "It is not.", "");
    return SetsUpOneThread::Predict(x);
  }
};
struct HoldsFunction : Layer {
  LearnableNetwork network{*this, "Network", {FunctionLayer([](const DlArray& x) { return x; })}};
  DlArray Predict(const DlArray& x) const { return network.Predict(x); }
};
/// Made without an argument, it throws.
template <class Exception>
struct ConstructorThrows : TanhScaleLayer {
  explicit ConstructorThrows(const std::string& argument = "") {
    if (!argument.empty()) return;
    if constexpr (std::is_same_v<Exception, Error>) {
      throw Error("faulty:Argument", "An argument is needed.", "None came.", "");
    } else {
      throw Exception("An argument is needed.");
    }
  }
};
/// Made without an argument, its copies have a setting, a learnable and a factor of their own.
struct CopiesDefaultsWrongly : TanhScaleLayer {
  Property<int64_t> power{*this, "Power", 1};
  bool wrongly;
  explicit CopiesDefaultsWrongly(bool is_wrong = true) : wrongly(is_wrong) {}
  CopiesDefaultsWrongly(const CopiesDefaultsWrongly& other)
      : TanhScaleLayer(other), power(other.power), wrongly(other.wrongly) {
    if (!wrongly) return;
    power = 2;
    offset = DlArray(0.5);
    SetL2Factor("Scale", 3);
  }
  CopiesDefaultsWrongly& operator=(const CopiesDefaultsWrongly&) = default;
};

// --- Derivatives --------------------------------------------------------------------------------

/// Two states that are always 0, and a term of them that no derivative at 0 shows: along each of
/// them alone it is 0.
template <bool kSecond>
struct BendsInBoth : Layer {
  State a{*this, "A", 0.0}, b{*this, "B", 0.0};
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const DlArray a2 = Square(a), b2 = Square(b);
    const DlArray term = a2 * (kSecond ? b2 : DlArray(b)) / (a2 + b2 + 1e-18);
    return {Tanh(x) + term, 0 * a, 0 * b};
  }
};
/// The number of observations as a factor that is not due.
struct TimesObservations : OwnBackwardLayer {
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    auto [dx, dscale, doffset] = OwnBackwardLayer::Backward(x, Unused(), dy, memory);
    return {dx, dscale, doffset * static_cast<double>(x.size(3))};
  }
};
/// y = a, with a derivative that is 1 at 0 and NaN elsewhere.
struct Identity0 {
  DlArray Forward(const DlArray& a) const { return 1 * a; }
  DlArray Backward(const DlArray& a, Unused, const DlArray& dy, Unused) const {
    return dy * (1 + Where(Equal(a, 0), ZerosLike(a), ZerosLike(a) / 0.0));
  }
};
/// Its state is always 0.
struct NanNearby : Layer {
  State a{*this, "A", 0.0};
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    return {x + DifferentiableFunction(Identity0())(a), 0 * a};
  }
};
struct ThrowsNumber : TanhScaleLayer {
  DlArray Predict(const DlArray&) const { throw 42; }
};
/// Its derivative throws.
struct Unforgiving {
  DlArray Forward(const DlArray& x) const { return 1 * x; }
  DlArray Backward(Unused, Unused, const DlArray&, Unused) const {
    throw Error("faulty:Second", "A first derivative.", "A second one.", "");
  }
};
struct BackwardThrowsNextTime : OwnBackwardLayer {
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    return OwnBackwardLayer::Backward(DifferentiableFunction(Unforgiving())(x), Unused(), dy,
                                      memory);
  }
};
/// y = x^2, with a backward that throws when it is differentiated itself.
struct SquareOnce {
  DlArray Forward(const DlArray& x) const { return Square(x); }
  DlArray Backward(const DlArray& x, Unused, const DlArray& dy, Unused) const {
    return 2 * DifferentiableFunction(Unforgiving())(x) * dy;
  }
};
struct SquaresOnce : Layer {
  DlArray Predict(const DlArray& x) const { return DifferentiableFunction(SquareOnce())(x); }
};
/// Steps wherever one looks, as it declares.
struct DeclaredSteps : TanhScaleLayer, NotDifferentiableAtPoints {
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) + Abs(Mod(1e8 * scale * x, 1) - 0.5);
  }
};
/// Asks for values, to know a size by them.
struct CountsByValues : TanhScaleLayer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    try {
      x.At(0);
    } catch (const Error&) {
      throw Error("faulty:Count", "Values are counted.", "None came.", "");
    }
    return TanhScaleLayer::Predict(x);
  }
};

// --- Acceleration -------------------------------------------------------------------------------

/// The first rows, as an op that does not tell how many.
class FirstRowsSilently : public Op {
 public:
  explicit FirstRowsSilently(int64_t count) : count_(count) {}
  std::string_view Name() const override { return "first_rows_silently"; }
  void Infer(const Specs& in, SpecList* out) const override {
    out->push_back(in[0]);
    out->back().sizes[0] = count_;
  }
  void Run(Arrays in, Results out) const override { out.Share(0, Slice(in[0], 0, 0, count_)); }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray& dy = call.output_gradients[0];
    Sizes rest = call.inputs[0].sizes();
    rest[0] -= count_;
    if (rest[0] == 0) return {dy};
    return {Cat(0, {dy, Zeros(rest, dy.type(), dy.format().str())})};
  }

 private:
  int64_t count_;
};
struct LooksAlikeInOtherSizes : Layer, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    const int64_t rows = x.size(0);
    return Apply(std::make_shared<FirstRowsSilently>(rows - 1), {x}) +
           Slice(Apply(std::make_shared<FirstRowsSilently>(rows), {x}), 0, 1, rows - 1);
  }
};
/// Right.
struct AcceleratedTanhScale : TanhScaleLayer, Acceleratable {};

// --- Code generation ----------------------------------------------------------------------------

struct TwinNames : Layer {
  Learnable first{*this, "InnerGain", DlArray(1.0f)};
  Learnable second{*this, "Inner_gain", DlArray(1.0f)};
  DlArray Predict(const DlArray& x) const { return x * first * second; }
};
struct GreekName : Layer {
  Learnable alpha{*this, "\u03b1", DlArray(1.0f)};
  DlArray Predict(const DlArray& x) const { return x * alpha; }
};
struct DrawsInPredict : Layer, DrawsRandomNumbers {
  DlArray Predict(const DlArray& x) const { return x + RandLike(x); }
};
/// Something else where there are no values: when it is generated.
struct DoublesWithoutValues : Layer {
  DlArray Predict(const DlArray& x) const { return x.has_values() ? x : 2 * x; }
};
struct CountsOtherwiseWithoutValues : Layer {
  State count{*this, "Count", DlArray(0.0f)};
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    return {1 * x, count + (x.has_values() ? 1 : 2)};
  }
};
struct GrowingState : Layer {
  State seen{*this, "Seen", DlArray::FromVector<float>({0}, {1})};
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    return {x + Sum(seen), Cat(0, {seen, seen})};
  }
};

}  // namespace lamina::faulty

#endif  // CHECKS_FAULTY_RARE_FAULTS_H_
