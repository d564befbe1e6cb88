#include "framework/autodiff/dlgradient.h"

#include <gtest/gtest.h>

#include <complex>
#include <thread>

#include "framework/cpu/allocator.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

DlArray Vector(const std::vector<double>& v) {
  return DlArray::FromVector(v, {static_cast<int64_t>(v.size())});
}

TEST(DlGradientTest, TakesTheDerivativeOfAFormula) {
  const auto [y, g] = DlFeval(
      [](const DlArray& x) {
        const DlArray y = Sum(x * x * x + 2 * x);
        return std::pair(y, DlGradient(y, x));
      },
      Vector({1, 2, 3}));
  EXPECT_EQ(y.Scalar(), 1 + 8 + 27 + 12);
  EXPECT_TRUE(IsEqual(g, Vector({5, 14, 29})));
}

TEST(DlGradientTest, SumsOverAllUsesOfAnArray) {
  const DlArray g = DlFeval(
      [](const DlArray& x) {
        const DlArray a = Exp(x), b = a * x, c = a + b;
        return DlGradient(Sum(c * a), x);
      },
      Vector({0.5}));
  // exp(2x) (1 + x) has the derivative exp(2x) (3 + 2x).
  EXPECT_NEAR(g.At(0), std::exp(1.0) * 4, 1e-14);
}

TEST(DlGradientTest, GivesZerosWhereNothingDepends) {
  const DlArrays g = DlFeval(
      [](const DlArray& x, const DlArray& unused) {
        return DlGradient(Sum(2 * x), DlArrays{x, unused});
      },
      Vector({1, 2}), DlArray(Ones({3, 2}), "CB"));
  EXPECT_TRUE(IsEqual(g[0], Vector({2, 2})));
  EXPECT_TRUE(IsEqual(g[1], Zeros({3, 2}, DataType::kSingle, "CB")));
}

TEST(DlGradientTest, GivesZerosThroughFunctionsThatAreConstantAlmostEverywhere) {
  const DlArray g =
      DlFeval([](const DlArray& x) { return DlGradient(Sum(Floor(x)), x); }, Vector({1.5, 2}));
  EXPECT_TRUE(IsEqual(g, Vector({0, 0})));
}

TEST(DlGradientTest, TakesDerivativesOfDerivatives) {
  const DlArray third = DlFeval(
      [](const DlArray& x) {
        const GradientOptions more{.enable_higher_derivatives = true};
        const DlArray first = DlGradient(Sum(x * x * x * x), x, more);
        const DlArray second = DlGradient(Sum(first), x, more);
        return DlGradient(Sum(second), x);
      },
      Vector({2, -1}));
  EXPECT_TRUE(IsEqual(third, Vector({48, -24})));
}

TEST(DlGradientTest, AFevalInsideAnotherGoesOn) {
  const DlArray g = DlFeval(
      [](const DlArray& x) {
        const DlArray inner = DlFeval(
            [](const DlArray& z) {
              return DlGradient(Sum(z * z * z), z, {.enable_higher_derivatives = true});
            },
            x);
        return DlGradient(Sum(inner), x);
      },
      Vector({3}));
  EXPECT_EQ(g.At(0), 18);
}

TEST(DlGradientTest, VectorJacobianEqualsTheWeightedSum) {
  const DlArray weights = Vector({1, 10});
  const DlArrays g =
      DlFeval([&](const DlArray& x) { return DlVectorJacobian(x * x, weights, DlArrays{x}); },
              Vector({2, 3}));
  EXPECT_TRUE(IsEqual(g[0], Vector({4, 60})));
}

// A real function of complex z: |z|^2 has dL/dRe + i dL/dIm = 2 z.
TEST(DlGradientTest, ComplexVariablesFollowTheDirectionOfSteepestAscent) {
  const DlArray z = DlArray(std::complex<double>(3, -4));
  const DlArray g = DlFeval([](const DlArray& w) { return DlGradient(Real(w * Conj(w)), w); }, z);
  EXPECT_EQ(g.ComplexAt(0), (std::complex<double>(6, -8)));
  EXPECT_EQ(MessageOf([&] {
              DlFeval(
                  [](const DlArray& w) {
                    return DlGradient(Real(w * Conj(w)), w, {.allow_complex = false});
                  },
                  z);
            }),
            "The variables are real, as allow_complex = false says. A scalar complex double "
            "DlArray came. Allow complex variables. [autodiff:ComplexVariable]");
}

TEST(DlGradientTest, ErrorsSayWhatToDo) {
  const DlArray x = Vector({1, 2});
  EXPECT_EQ(MessageOf([&] { DlGradient(Sum(x), x); }),
            "DlGradient is called inside a function that DlFeval runs. It was called outside. Move "
            "the computation and DlGradient into a function f and call DlFeval(f, x). "
            "[autodiff:OutsideDlFeval]");
  EXPECT_EQ(MessageOf([&] { DlFeval([](const DlArray& w) { return DlGradient(2 * w, w); }, x); }),
            "The value to differentiate is a real scalar. A 2 double DlArray came. Sum it, or "
            "weight it with DlVectorJacobian(y, weights, x). [autodiff:NotScalar]");
  const std::string fix =
      "Pass it to DlFeval as an argument, and compute with it inside without ExtractData and "
      "comparisons. A gradient that is differentiated again is taken with "
      "{.enable_higher_derivatives = true}. [autodiff:Untraced]";
  EXPECT_EQ(MessageOf([&] { DlFeval([&](const DlArray&) { return DlGradient(Sum(x), x); }, x); }),
            "DlGradient expects a value computed from arguments of DlFeval. An untraced "
            "scalar double DlArray came. " +
                fix);
  EXPECT_EQ(MessageOf([&] { DlFeval([&](const DlArray& w) { return DlGradient(Sum(w), x); }, x); }),
            "DlGradient expects variables computed from arguments of DlFeval. An untraced "
            "2 double DlArray came. " +
                fix);
  const DlArray left = DlFeval([](const DlArray& w) { return Sum(w * w); }, x);
  EXPECT_EQ(MessageOf([&] { DlFeval([&](const DlArray& w) { return DlGradient(left, w); }, x); }),
            "DlGradient expects a value computed from arguments of DlFeval. A scalar "
            "double DlArray came that belongs to a DlFeval which has ended. " +
                fix);
  EXPECT_EQ(MessageOf([&] {
              DlFeval(
                  [](const DlArray& w) {
                    const DlArray y = Sum(Exp(w));
                    DlGradient(y, w);
                    return DlGradient(y, w);
                  },
                  x);
            }),
            "A second gradient was taken through a computation whose data were released. The first "
            "gradient used them up. Pass {.retain_data = true} to the first "
            "DlGradient. [autodiff:DataReleased]");
}

TEST(DlGradientTest, RetainDataAllowsASecondGradient) {
  const auto [a, b] = DlFeval(
      [](const DlArray& x) {
        const DlArray y = Exp(x);
        const DlArray first = DlGradient(Sum(y), x, {.retain_data = true});
        return std::pair(first, DlGradient(Sum(2 * y), x));
      },
      Vector({0}));
  EXPECT_EQ(a.At(0), 1);
  EXPECT_EQ(b.At(0), 2);
}

// A sum of terms saves nothing; a product saves both factors.
TEST(TapeTest, KeepsOnlyWhatGradientsRead) {
  const int64_t n = 1 << 20;
  const DlArray x = Rand({n});
  const auto kept = [&](auto f) {
    return DlFeval(
        [&](const DlArray& w) {
          const int64_t before = cpu::Stats().bytes_in_use;
          const DlArray y = f(w);
          return (cpu::Stats().bytes_in_use - before) / (n * 4);
        },
        x);
  };
  EXPECT_EQ(kept([](const DlArray& w) { return w + w + w + w; }), 1);      // y
  EXPECT_EQ(kept([](const DlArray& w) { return Exp(Exp(Exp(w))); }), 3);   // each output
  EXPECT_EQ(kept([](const DlArray& w) { return (w + 1) * (w + 2); }), 3);  // y, both factors
}

TEST(TapeTest, ComparisonsAndRandomNumbersLeaveNoEntry) {
  Tape tape;
  const ScopedTape listening(&tape);
  const DlArray x = tape.Watch(Vector({1, 2}));
  const DlArray mask = x > 1.5, noise = Rand({2});
  EXPECT_EQ(tape.num_entries(), 0u);
  Where(mask, x, noise);
  EXPECT_EQ(tape.num_entries(), 1u);
}

TEST(TapeTest, LongChainsNeedNoDeepRecursion) {
  const DlArray g = DlFeval(
      [](const DlArray& x) {
        DlArray y = x;
        for (int i = 0; i < 200'000; ++i) y = y + 1;
        return DlGradient(Sum(y), x);
      },
      Vector({1}));
  EXPECT_EQ(g.At(0), 1);
}

TEST(TapeTest, ThreadsHaveTapesOfTheirOwn) {
  const DlArray shared = Vector({3});
  std::vector<std::thread> threads;
  std::vector<double> results(8);
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        results[t] =
            DlFeval([&](const DlArray& x) { return DlGradient(Sum(x * x * (t + 1.0)), x); }, shared)
                .At(0);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  for (int t = 0; t < 8; ++t) EXPECT_EQ(results[t], 6 * (t + 1));
}

// 2 x forgotten to be saved is found at once, not by wrong numbers.
class ForgetfulRule : public GradientRule {
 public:
  std::string_view Name() const override { return "forgetful"; }
  SaveMask SavedInputs() const override { return kSaveNone; }
  DlArrays Gradient(const GradientCall& call) const override {
    return {2 * call.inputs[0] * call.output_gradients[0]};
  }
};

class WrongSizeRule : public GradientRule {
 public:
  std::string_view Name() const override { return "wrong"; }
  DlArrays Gradient(const GradientCall&) const override { return {Vector({1, 2, 3})}; }
};

template <class Rule>
DlArray SquareWith(const DlArray& x) {
  return DlFeval(
      [](const DlArray& w) {
        const DlArrays inputs{w};
        const DlArray y =
            WithGradientRule(std::make_shared<Rule>(), inputs, [&] { return DlArrays{w * w}; })[0];
        return DlGradient(Sum(y), w);
      },
      x);
}

TEST(WithGradientRuleTest, FaultyRulesAreNamed) {
  EXPECT_NE(MessageOf([] { SquareWith<ForgetfulRule>(Vector({1})); }).find("[dlarray:NoValues]"),
            std::string::npos);
  EXPECT_EQ(MessageOf([] { SquareWith<WrongSizeRule>(Vector({1})); }),
            "The gradient of wrong for its input 0 has the sizes, labels and type of that input, 1 "
            "double DlArray. A 3 double DlArray came. Mend the gradient rule. "
            "[autodiff:WrongGradient]");
}

TEST(AbstractRunTest, TellsSizesWithoutValues) {
  const AbstractRun run;
  const DlArray x = AbstractArray({DataType::kSingle, {3, 2}, "CB"});
  const DlArray y = Sum(Exp(x) * 2, "B") + DlArray(Ones({3}), "C");
  EXPECT_FALSE(y.has_values());
  EXPECT_EQ(ToString(y.spec()), "3(C) x 1(B) single DlArray");
}

}  // namespace
}  // namespace lamina
