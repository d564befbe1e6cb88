// The check itself: it must pass what is right, and name what is wrong.
#include "framework/autodiff/testing/gradient_check.h"

#include <memory>
#include <string>

#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"

namespace lamina {
namespace {

using testing::AssertionResult;

// A square with a gradient that is multiplied by `factor`; for second derivatives right where the
// first is.
class FaultySquare : public Op {
 public:
  FaultySquare(double factor, bool second_is_lost) : factor_(factor), lost_(second_is_lost) {}
  std::string_view Name() const override { return "faulty_square"; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override { out.Share(0, in[0] * in[0]); }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray x = lost_ ? ExtractData(call.inputs[0]) : call.inputs[0];
    return {factor_ * 2 * x * Conj(call.output_gradients[0])};
  }

 private:
  double factor_;
  bool lost_;
};

AssertionResult Check(double factor, bool second_is_lost, DataType type = DataType::kDouble) {
  const OpPtr op = std::make_shared<FaultySquare>(factor, second_is_lost);
  return GradientsAgree([&](const DlArrays& x) { return Apply(op, {x[0]}); },
                        {RandomInput({3}, "", 1, 2, 5, type)});
}

TEST(GradientCheckTest, PassesWhatIsRight) {
  EXPECT_TRUE(Check(1, false));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& x) { return Exp(x[0]) * Sin(x[1]) / (2 + Cos(x[0] * x[1])); },
      {RandomInput({3, 4}, "CB"), RandomInput({3}, "C", -1, 1, 2)}));
  // A function that does not depend on its input, and one that is linear.
  EXPECT_TRUE(GradientsAgree([](const DlArrays& x) { return 0 * x[0] + 1; }, {RandomInput({3})}));
  EXPECT_TRUE(GradientsAgree([](const DlArrays& x) { return 3 * x[0]; }, {RandomInput({3})}));
}

TEST(GradientCheckTest, FindsAWrongFactor) {
  const AssertionResult result = Check(1.0001, false);
  ASSERT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("first derivative"), std::string::npos)
      << result.message();
}

TEST(GradientCheckTest, FindsALostSecondDerivative) {
  const AssertionResult result = Check(1, true);
  ASSERT_FALSE(result);
  EXPECT_NE(std::string(result.message()).find("second derivative"), std::string::npos)
      << result.message();
}

TEST(GradientCheckTest, FindsAWrongConjugate) {
  // Right for real inputs, wrong for complex ones.
  const AssertionResult result = Check(1, false, DataType::kComplexDouble);
  ASSERT_FALSE(result);
}

TEST(GradientCheckTest, FindsNan) {
  EXPECT_FALSE(GradientsAgree([](const DlArrays& x) { return Sqrt(x[0]); }, {DlArray(-1.0)}));
}

}  // namespace
}  // namespace lamina
