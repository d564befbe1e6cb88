// Complex weights: conjugates, conventions, parts.
#include <memory>

#include "checks/faulty/fault.h"
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"

namespace lamina::faulty {
namespace {

struct Complex2 : ComplexFullyConnectedLayer {
  Complex2() : ComplexFullyConnectedLayer(2) {}
  /// max(|z| + Bias, 0) z / |z|.
  DlArray Activation(const DlArray& z) const { return Relu(Abs(z) + bias) * Sign(z); }
};

// --- z = W x with a gradient of its own, dL/dW = g x^H, dL/dx = Re(W^H g) for real x -------------

enum class Wrong { kNothing, kNoConjugateOfWeights, kConjugateOfResult, kHalf, kDropsImaginary };

template <Wrong kWrong>
class ProductRule : public GradientRule {
 public:
  std::string_view Name() const override { return "product"; }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray &w = call.inputs[0], &x = call.inputs[1], &g = call.output_gradients[0];
    DlArray dw = MatMul(g, Transpose(x));
    const DlArray wh = Transpose(kWrong == Wrong::kNoConjugateOfWeights ? w : Conj(w));
    DlArray dx = Real(MatMul(wh, g));
    if (kWrong == Wrong::kConjugateOfResult) dw = Conj(dw);
    if (kWrong == Wrong::kHalf) dw = dw / 2;
    if (kWrong == Wrong::kDropsImaginary) dw = Complex(Real(dw), 0 * Imag(dw));
    return {dw, dx};
  }
};
template <Wrong kWrong>
struct OwnProduct : Complex2 {
  DlArray Predict(const DlArray& x) const {
    const int64_t batch = Size(x, 'B');
    const DlArray flat = Reshape(StripDims(x), {x.numel() / batch, batch});
    const DlArray inputs[] = {weights, flat};
    const DlArray z = WithGradientRule(std::make_shared<ProductRule<kWrong>>(), inputs,
                                       [&] { return DlArrays{MatMul(weights, flat)}; })[0];
    return DlArray(Activation(z), "CB");
  }
};
struct ConjugateForgotten : OwnProduct<Wrong::kNoConjugateOfWeights> {};
/// The derivative with respect to the conjugate, or without it: another convention.
struct ConjugateConvention : OwnProduct<Wrong::kConjugateOfResult> {};
/// Wirtinger's derivative is half of dL/dRe + i dL/dIm.
struct WirtingerHalf : OwnProduct<Wrong::kHalf> {};
struct ImaginaryPartNotTrained : OwnProduct<Wrong::kDropsImaginary> {};

// --- Derivatives taken automatically ------------------------------------------------------------

struct ComplexDetachesAngle : Complex2 {
  DlArray Predict(const DlArray& x) const {
    const DlArray z = FullyConnect(x, weights, {});
    return Relu(Abs(z) + bias) * DlArray(ExtractData(Sign(z)), Dims(z));
  }
};
struct ComplexDetachesLength : Complex2 {
  DlArray Predict(const DlArray& x) const {
    const DlArray z = FullyConnect(x, weights, {});
    return Relu(DlArray(ExtractData(Abs(z)), Dims(z)) + bias) * Sign(z);
  }
};
struct ComplexSingleWeights : Complex2 {
  DlArray Predict(const DlArray& x) const {
    return Activation(FullyConnect(x, Cast(weights, DataType::kComplexSingle), {}));
  }
};
struct ComplexForgetsBias : Complex2 {
  DlArray Predict(const DlArray& x) const { return FullyConnect(x, weights, {}); }
};
struct ComplexOverwritesWeights : Complex2 {
  void Initialize(const NetworkDataLayout& layout) {
    Complex2::Initialize(layout);
    weights = weights * Full({1, 1}, {0, 1});
  }
};
struct ComplexReadsAngle : Complex2 {
  DlArray Predict(const DlArray& x) const {
    const std::complex<double> w = weights.ComplexAt(0);
    return Complex2::Predict(x) * DlArray(w / std::abs(w));
  }
};
struct ComplexDividesByZero : Complex2 {
  DlArray Predict(const DlArray& x) const {
    const DlArray z = FullyConnect(Relu(x), weights, {});
    return Relu(Abs(z) + bias) * (z / Abs(z));
  }
};

}  // namespace

FaultGroup ComplexFaults() {
  using L = ComplexFullyConnectedLayer;
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const Layouts in = Features();
  return {"Complex numbers",
          {
              Of<L, ConjugateForgotten>("the weights not conjugated in dLdX", in, numeric),
              Of<L, ConjugateConvention>("the conjugate of dLdW", in, numeric),
              Of<L, WirtingerHalf>("half of dLdW, as Wirtinger defines it", in, numeric),
              Of<L, ImaginaryPartNotTrained>("no derivative of the imaginary part", in, numeric),
              Of<L, ComplexDetachesAngle>("the angle is a constant to training", in, numeric),
              Of<L, ComplexDetachesLength>("the length is a constant to training", in, numeric),
              Of<L, ComplexSingleWeights>("weights always single", in, "predictIsConsistentInType"),
              Of<L, ComplexForgetsBias>("the bias is not used", in, "learnablesAreUsed"),
              Of<L, ComplexOverwritesWeights>("trained weights are turned", in,
                                              "initializeKeepsSetParameters"),
              Of<L, ComplexReadsAngle>("an angle read as a number", in, numeric),
              Of<L, ComplexDividesByZero>("z / |z| where z may be zero",
                                          {NetworkDataLayout({1, 30}, "CB")},
                                          "predictReturnsFiniteValues"),
          }};
}

}  // namespace lamina::faulty
