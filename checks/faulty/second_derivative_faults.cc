// First derivatives are right, and cannot be differentiated again.
#include <memory>

#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

using Tanh3 = OwnBackwardLayer;
using D = std::array<DlArray, 3>;

struct SlopeIsConstant : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    return Tanh3::Backward(x, Unused(), dy, Memory{ExtractData(memory[0])});
  }
};
struct BackwardUnderNoGradient : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    const NoGradient pause;
    return Tanh3::Backward(x, Unused(), dy, memory);
  }
};
struct InputIsConstantInBackward : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    return Tanh3::Backward(ExtractData(x), Unused(), dy, memory);
  }
};
struct LearnableIsConstantInBackward : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    Tanh3 copy = *this;
    copy.scale = ExtractData(scale);
    return copy.Backward(x, Unused(), dy, memory);
  }
};
struct OutputDerivativeIsConstantInBackward : Tanh3 {
  D Backward(const DlArray& x, Unused, const DlArray& dy, const Memory& memory) const {
    return Tanh3::Backward(x, Unused(), DlArray(ExtractData(dy), dy.format().str()), memory);
  }
};
struct MemoryIsConstant : Tanh3 {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    auto [y, memory] = Tanh3::Forward(x);
    return {y, Memory{ExtractData(memory[0])}};
  }
};

/// y = x^3 with the right first derivative, whose own derivative is lost or wrong.
enum class Wrong { kDetached, kNested };
template <Wrong kWrong>
class CubeRule : public GradientRule {
 public:
  std::string_view Name() const override { return "cube"; }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray &x = call.inputs[0], &g = call.output_gradients[0];
    if (kWrong == Wrong::kDetached) return {3 * Square(ExtractData(x)) * g};
    const NoGradient pause;
    return {3 * Square(x) * g};
  }
};
template <Wrong kWrong>
struct OwnCube : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray z = scale * x;
    return WithGradientRule(std::make_shared<CubeRule<kWrong>>(), Arrays(&z, 1),
                            [&] { return DlArrays{z * z * z}; })[0] +
           offset;
  }
};
struct CubeOfConstant : OwnCube<Wrong::kDetached> {};
struct CubeUnderNoGradient : OwnCube<Wrong::kNested> {};

}  // namespace

FaultGroup SecondDerivativeFaults() {
  const char* const second = "secondDerivativesAreNumericallyCorrect";
  return {"Second derivatives",
          {
              Of<Tanh3, SlopeIsConstant>("the memory is a constant in Backward", Image(), second),
              Of<Tanh3, BackwardUnderNoGradient>("Backward under NoGradient", Image(), second),
              Of<Tanh3, InputIsConstantInBackward>("the input is a constant in Backward", Image(),
                                                   second),
              Of<Tanh3, LearnableIsConstantInBackward>("a learnable is a constant in Backward",
                                                       Image(), second),
              Of<Tanh3, OutputDerivativeIsConstantInBackward>(
                  "the output's derivative is a constant in Backward", Image(), second),
              Of<Tanh3, MemoryIsConstant>("Forward keeps a constant", Image(), second),
              Of<TanhScaleLayer, CubeOfConstant>("an operation's gradient reads a constant",
                                                 Image(), second),
              Of<TanhScaleLayer, CubeUnderNoGradient>("an operation's gradient under NoGradient",
                                                      Image(), second),
          }};
}

}  // namespace lamina::faulty
