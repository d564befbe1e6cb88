// Functions with a backward of their own: that it is used, what it is handed and what is kept for
// it, first and second derivatives.
#include "framework/autodiff/differentiable_function.h"

#include <string>
#include <tuple>
#include <vector>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/cpu/allocator.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// The derivative of Sum(f(x)).
template <class F>
DlArray Slope(const F& f, const DlArray& x) {
  return DlFeval([&](const DlArray& v) { return DlGradient(Sum(f(v)), v); }, x);
}

const DlArray& X() {
  static const DlArray x = DlArray::FromVector<double>({-1, 0.5, 2}, {3, 1}, "CB");
  return x;
}

// y = a b and z = a / b, with a memory of two values.
struct ProductAndQuotient {
  std::tuple<DlArray, DlArray, Memory> Forward(const DlArray& a, const DlArray& b) const {
    return {a * b, a / b, Memory{1 / b, a / (b * b)}};
  }
  std::array<DlArray, 2> Backward(const DlArray& a, const DlArray& b, Unused, Unused,
                                  const DlArray& dy, const DlArray& dz,
                                  const Memory& memory) const {
    return {b * dy + memory[0] * dz, a * dy - memory[1] * dz};
  }
};

TEST(DifferentiableFunctionTest, FirstAndSecondDerivativesAreTheNumericOnes) {
  const DlArrays ab = {RandomInput({3, 2}, "CB", 0.5, 2, 1), RandomInput({3, 2}, "CB", 0.5, 2, 2)};
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& x) {
        const auto [y, z] = DifferentiableFunction(ProductAndQuotient{})(x[0], x[1]);
        return y * y + 3 * z;
      },
      ab));
  struct Wrong : ProductAndQuotient {
    std::array<DlArray, 2> Backward(const DlArray& a, const DlArray& b, Unused, Unused,
                                    const DlArray& dy, const DlArray& dz,
                                    const Memory& memory) const {
      return {b * dy + memory[0] * dz, a * dy + memory[1] * dz};
    }
  };
  EXPECT_FALSE(GradientsAgree(
      [](const DlArrays& x) { return DifferentiableFunction(Wrong{})(x[0], x[1])[1]; }, ab));
}

TEST(DifferentiableFunctionTest, BackwardIsWhatCounts) {
  // Rounding has the derivative zero; this one hands derivatives through.
  struct Round {
    DlArray Forward(const DlArray& x) const { return lamina::Round(x); }
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
  };
  EXPECT_TRUE(IsEqual(DifferentiableFunction(Round{})(X()), Round().Forward(X())));
  EXPECT_TRUE(IsEqual(Slope(DifferentiableFunction(Round{}), X()), OnesLike(X())));
}

TEST(DifferentiableFunctionTest, ItsFieldsAreItsSettings) {
  struct ReverseGradient {
    double factor = 1;
    DlArray Forward(const DlArray& x) const { return x; }
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return -factor * dy; }
  };
  DifferentiableFunction f(ReverseGradient{0.25});
  EXPECT_TRUE(IsEqual(Slope(f, X()), Full({3, 1}, -0.25, DataType::kDouble, "CB")));
  const auto copy = f;
  f = DifferentiableFunction(ReverseGradient{2});
  EXPECT_EQ(Slope(copy, X()).At(0), -0.25);
  EXPECT_EQ(Slope(f, X()).At(0), -2);
}

TEST(DifferentiableFunctionTest, UnwatchedItIsAFunctionLikeOthers) {
  const auto [y, z] = DifferentiableFunction(ProductAndQuotient{})(X(), X());
  EXPECT_TRUE(IsEqual(y, X() * X()));
  EXPECT_TRUE(IsEqual(z, OnesLike(X())));
}

TEST(DifferentiableFunctionTest, AnyNumberOfInputsAndOutputs) {
  // y_i = x_i^2, whatever their number.
  struct Squares {
    DlArrays Forward(const DlArrays& x) const {
      DlArrays y;
      for (const DlArray& v : x) y.push_back(v * v);
      return y;
    }
    DlArrays Backward(const DlArrays& a, Unused) const {
      const size_t n = a.size() / 3;  // x.., y.., dLdY..
      DlArrays dx;
      for (size_t i = 0; i < n; ++i) dx.push_back(2 * a[i] * a[2 * n + i]);
      return dx;
    }
  };
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& x) {
        const DlArrays y = DifferentiableFunction(Squares{})(x);
        return y[0] * y[1] - y[2];
      },
      {RandomInput({2}, "C", -1, 1, 1), RandomInput({2}, "C", -1, 1, 2),
       RandomInput({2}, "C", -1, 1, 3)}));
}

// --- The mask ------------------------------------------------------------------------------------

// Writes down what it was asked for.
struct Asked {
  std::string* asked;
  DlArray Forward(const DlArray& a, const DlArray& b) const { return a * b; }
  std::array<DlArray, 2> Backward(const DlArray& a, const DlArray& b, Unused, const DlArray& dy,
                                  Unused, const NeededGradients& needed) const {
    *asked += std::string(needed[0] ? "a" : "-") + (needed[1] ? "b" : "-");
    return {needed[0] ? b * dy : DlArray(), needed[1] ? a * dy : DlArray()};
  }
};

TEST(DifferentiableFunctionTest, SaysWhichGradientsAreNeeded) {
  std::string asked;
  const DifferentiableFunction f(Asked{&asked});
  const DlArray b = 3 * X();
  EXPECT_TRUE(IsEqual(Slope([&](const DlArray& a) { return f(a, b); }, X()), b));
  EXPECT_EQ(asked, "a-");
  EXPECT_TRUE(IsEqual(Slope([&](const DlArray& v) { return f(b, v); }, X()), b));
  EXPECT_EQ(asked, "a--b");
  // Both are watched, the derivative of one is asked for.
  DlFeval([&](const DlArray& x, const DlArray& y) { return DlGradient(Sum(f(x, y)), y); }, X(), b);
  EXPECT_EQ(asked, "a--b-b");
  EXPECT_TRUE(IsEqual(Slope([&](const DlArray& v) { return f(v, v); }, X()), 2 * X()));
  EXPECT_EQ(asked, "a--b-bab");
}

TEST(DifferentiableFunctionTest, AnUnsetDerivativeIsZero) {
  struct First {
    DlArray Forward(const DlArray& a, const DlArray& b) const { return a + 0 * b; }
    std::array<DlArray, 2> Backward(Unused, Unused, Unused, const DlArray& dy, Unused) const {
      return {dy, DlArray()};
    }
  };
  EXPECT_TRUE(
      IsEqual(Slope([](const DlArray& b) { return DifferentiableFunction(First{})(X(), b); }, X()),
              ZerosLike(X())));
}

TEST(DifferentiableFunctionTest, DerivativesOfUnusedOutputsAreZeros) {
  EXPECT_TRUE(IsEqual(
      Slope(
          [](const DlArray& a) { return DifferentiableFunction(ProductAndQuotient{})(a, X())[0]; },
          X()),
      X()));
}

// --- What is kept --------------------------------------------------------------------------------

// Bytes that stay after x0 -> x1 -> .. -> x8, each 1 MiB, before the gradient is taken.
template <class F>
int64_t MebibytesKept(const F& f) {
  const DlArray x0 = Ones({1 << 18}, DataType::kSingle, "C");
  const int64_t before = cpu::Stats().bytes_in_use;
  return DlFeval(
      [&](const DlArray& x) {
        DlArray y = x;
        for (int i = 0; i < 8; ++i) y = DifferentiableFunction(f)(y);
        const int64_t kept = cpu::Stats().bytes_in_use - before;
        EXPECT_EQ(DlGradient(Sum(y), x).At(7), 1);
        return kept >> 20;
      },
      x0);
}

TEST(DifferentiableFunctionTest, OnlyWhatBackwardReadsIsKept) {
  struct Nothing {
    DlArray Forward(const DlArray& x) const { return x + 1; }
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
  };
  struct Input : Nothing {
    DlArray Backward(const DlArray&, Unused, const DlArray& dy, Unused) const { return dy; }
  };
  struct Output : Nothing {
    DlArray Backward(Unused, const DlArray&, const DlArray& dy, Unused) const { return dy; }
  };
  struct Remembers {
    std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x + 1, Memory{2 * x}}; }
    DlArray Backward(Unused, Unused, const DlArray& dy, const Memory&) const { return dy; }
  };
  EXPECT_EQ(MebibytesKept(Nothing()), 1);  // The last output is alive in any case.
  EXPECT_EQ(MebibytesKept(Input()), 8);    // x1 to x8; x0 was there before.
  EXPECT_EQ(MebibytesKept(Output()), 8);
  EXPECT_EQ(MebibytesKept(Remembers()), 9);  // Eight memories and the last output.
}

TEST(DifferentiableFunctionTest, AMemoryBelongsToItsCall) {
  struct Square {
    std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x * x, Memory{2 * x}}; }
    DlArray Backward(Unused, Unused, const DlArray& dy, const Memory& m) const { return m[0] * dy; }
  };
  const DifferentiableFunction f(Square{});
  const DlArray slope = Slope(
      [&](const DlArray& x) {
        const DlArray y = f(x);
        f(100 * x);  // Before the backward of the first.
        return y;
      },
      X());
  EXPECT_TRUE(IsEqual(slope, 2 * X()));
}

// --- Second derivatives ----------------------------------------------------------------------

template <class F>
DlArray SecondSlope(const F& f, const DlArray& x) {
  return DlFeval(
      [&](const DlArray& v) {
        const DlArray first = DlGradient(Sum(f(v)), v, {.enable_higher_derivatives = true});
        return DlGradient(Sum(first), v);
      },
      x);
}

TEST(DifferentiableFunctionTest, OutputsThatAreReadCarrySecondDerivatives) {
  // Its derivative reads the output alone; the input is not kept.
  struct Exponential {
    DlArray Forward(const DlArray& x) const { return Exp(x); }
    DlArray Backward(Unused, const DlArray& y, const DlArray& dy, Unused) const { return y * dy; }
  };
  EXPECT_TRUE(IsEqual(SecondSlope(DifferentiableFunction(Exponential{}), X()), Exp(X())));
}

TEST(DifferentiableFunctionTest, AMemoryNeedsItsInputsForASecondDerivative) {
  struct Forgets {
    std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x * x, Memory{2 * x}}; }
    DlArray Backward(Unused, Unused, const DlArray& dy, const Memory& m) const { return m[0] * dy; }
  };
  EXPECT_EQ(MessageOf([] { SecondSlope(DifferentiableFunction(Forgets{}), X()); }),
            "Backward of Forgets was asked for a second derivative. Its memory depends on an input "
            "that is declared Unused. Take that input as const DlArray& in Backward. "
            "[autodiff:NoSecondDerivative]");
  struct Keeps : Forgets {
    DlArray Backward(const DlArray&, Unused, const DlArray& dy, const Memory& m) const {
      return m[0] * dy;
    }
  };
  EXPECT_TRUE(IsEqual(SecondSlope(DifferentiableFunction(Keeps{}), X()), 2 * OnesLike(X())));
}

// --- Refusals ---------------------------------------------------------------------------------

TEST(DifferentiableFunctionTest, ErrorsNameTheFunction) {
  struct Adds {
    DlArray Forward(const DlArray& x) const { return x + Zeros({7}); }
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
  };
  const std::string forward = MessageOf([] { DifferentiableFunction(Adds{})(X()); });
  EXPECT_EQ(forward.rfind("Forward of Adds: ", 0), 0u) << forward;
  struct AddsBackward {
    DlArray Forward(const DlArray& x) const { return x; }
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy + Zeros({7}); }
  };
  const std::string backward =
      MessageOf([] { Slope(DifferentiableFunction(AddsBackward{}), X()); });
  EXPECT_EQ(backward.rfind("Backward of AddsBackward: ", 0), 0u) << backward;
}

TEST(DifferentiableFunctionTest, DerivativesAreCounted) {
  struct Two {
    DlArray Forward(const DlArray& x) const { return x; }
    DlArrays Backward(Unused, Unused, const DlArray& dy, Unused) const { return {dy, dy}; }
  };
  EXPECT_EQ(MessageOf([] { Slope(DifferentiableFunction(Two{}), X()); }),
            "Backward of Two returns 1 derivative. It returned 2. [autodiff:BackwardArity]");
}

TEST(DifferentiableFunctionTest, ADerivativeFitsItsInput) {
  struct Scale {
    DlArray Forward(const DlArray& x, const DlArray& w) const { return w * x; }
    std::array<DlArray, 2> Backward(const DlArray& x, const DlArray& w, Unused, const DlArray& dy,
                                    Unused) const {
      return {w * dy, x * dy};  // Not summed.
    }
  };
  EXPECT_EQ(
      MessageOf([] {
        Slope([](const DlArray& w) { return DifferentiableFunction(Scale{})(X(), w); },
              DlArray(2.0));
      }),
      "The gradient of Backward of Scale for its input 1 has the sizes, labels and type of that "
      "input, scalar double DlArray. A 3(C) x 1(B) double DlArray came. Mend the gradient rule. "
      "[autodiff:WrongGradient]");
}

TEST(DifferentiableFunctionTest, AMemoryHasWhatForwardPutThere) {
  struct Reads {
    std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x, Memory{x}}; }
    DlArray Backward(Unused, Unused, const DlArray&, const Memory& m) const { return m[1]; }
  };
  EXPECT_EQ(MessageOf([] { Slope(DifferentiableFunction(Reads{}), X()); }),
            "Backward of Reads: Backward reads what Forward put into the memory: 1 value. Value 1, "
            "counted from 0, was asked for. Return it in the Memory of Forward. "
            "[autodiff:NoSuchMemory]");
}

// With respect to two outputs of one function, of which the value depends on one.
TEST(DifferentiableFunctionTest, AnOutputThatIsNotUsedHasADerivativeOfZero) {
  struct Twice {
    std::array<DlArray, 2> Forward(const DlArray& x) const { return {x, 2 * x}; }
    DlArray Backward(Unused, Unused, Unused, const DlArray& a, const DlArray& b, Unused) const {
      return a + 2 * b;
    }
  };
  const DlArrays g = DlFeval(
      [](const DlArray& x) {
        const auto y = DifferentiableFunction(Twice{})(x);
        return DlGradient(Sum(y[1]), DlArrays{y[0], y[1], x});
      },
      X());
  EXPECT_TRUE(IsEqual(g[0], ZerosLike(X())));
  EXPECT_TRUE(IsEqual(g[1], OnesLike(X())));
  EXPECT_TRUE(IsEqual(g[2], Full(X().sizes(), 2.0, DataType::kDouble, "CB")));
}

TEST(DifferentiableFunctionTest, NamesOfClassesAreShort) {
  EXPECT_EQ(internal::ClassName(typeid(Asked)), "Asked");
  EXPECT_EQ(internal::ClassName(typeid(std::vector<Memory>)),
            "vector<lamina::Memory, std::allocator<lamina::Memory> >");
  EXPECT_EQ(internal::ClassName(typeid(int)), "int");
}

}  // namespace
}  // namespace lamina
