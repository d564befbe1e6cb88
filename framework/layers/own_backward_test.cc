// Layers with a Backward of their own: that it is used, right, checked, and keeps what it reads
// only.
#include <array>
#include <string>
#include <vector>

#include "framework/cpu/allocator.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/any_layer.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// y = w x^2 with a memory, a parameter and a state: s' = s + w sum(x).
struct SquareLayer : Layer {
  Learnable w{*this, "W", DlArray(1.5)};
  State s{*this, "S", DlArray(0.25)};
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    return {w * x * x, s + w * Sum(x)};
  }
};
struct OwnSquareLayer : SquareLayer {
  std::tuple<DlArray, DlArray, Memory> Forward(const DlArray& x) const {
    return {w * x * x, s + w * Sum(x), Memory{2 * x, Sum(x)}};
  }
  std::tuple<DlArray, DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dy,
                                                 const DlArray& ds, const Memory& m) const {
    return {w * m[0] * dy + w * ds, SumTo(x * x * dy, w.spec()) + m[1] * ds, ds};
  }
};

DlArray Input() { return RandomInput({3, 4}, "CB"); }

TEST(OwnBackwardTest, GradientsAreTheAutomaticOnes) {
  EXPECT_TRUE(LayerGradientsAgree(SquareLayer(), {Input()}));
  EXPECT_TRUE(LayerGradientsAgree(OwnSquareLayer(), {Input()}));
}

TEST(OwnBackwardTest, AWrongOneIsSeen) {
  struct Wrong : OwnSquareLayer {
    std::tuple<DlArray, DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dy,
                                                   const DlArray& ds, const Memory& m) const {
      return {-(w * m[0] * dy), SumTo(x * x * dy, w.spec()), ds};
    }
  };
  EXPECT_FALSE(LayerGradientsAgree(Wrong(), {Input()}));
}

TEST(OwnBackwardTest, StateDerivativesMayBeLeftOut) {
  struct NoStates : SquareLayer {
    std::pair<DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dy,
                                         Unused) const {
      return {2 * w * x * dy, SumTo(x * x * dy, w.spec())};
    }
  };
  const DlArray gradient =
      DlFeval([](AnyLayer layer,
                 const DlArray& x) { return DlGradient(Sum(layer.Forward({x}).outputs[0]), x); },
              AnyLayer(NoStates()), Input());
  EXPECT_TRUE(IsEqual(gradient, 2 * DlArray(1.5) * Input()));
}

TEST(OwnBackwardTest, ListsForAnyNumberOfArguments) {
  struct Sum3 : Layer {
    Sum3() { SetNumInputs(3); }
    DlArrays Predict(const DlArrays& x) const { return {x[0] * x[1] + x[2]}; }
    DlArrays Backward(const DlArrays& a, Unused) const {
      // x1, x2, x3, y, dLdY.
      EXPECT_EQ(a.size(), 5u);
      return {a[1] * a[4], a[0] * a[4], a[4]};
    }
  };
  EXPECT_TRUE(LayerGradientsAgree(
      Sum3(), {RandomInput({2, 2}, "CB", -1, 1, 1), RandomInput({2, 2}, "CB", -1, 1, 2),
               RandomInput({2, 2}, "CB", -1, 1, 3)}));
}

TEST(OwnBackwardTest, SaysWhichDerivativesAreNeeded) {
  static std::string asked;
  struct Asked : SquareLayer {
    std::tuple<DlArray, DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dy,
                                                   const DlArray& ds, Unused,
                                                   const NeededGradients& needed) const {
      for (int i = 0; i < 3; ++i) asked += needed[i] ? "xws"[i] : '-';
      return {needed[0] ? 2 * w * x * dy + w * ds : DlArray(),
              needed[1] ? SumTo(x * x * dy, w.spec()) + Sum(x) * ds : DlArray(),
              needed[2] ? ds : DlArray()};
    }
  };
  EXPECT_TRUE(LayerGradientsAgree(Asked(), {Input()}));
  asked.clear();
  // As in training of a first layer: of the learnables alone.
  DlFeval(
      [](AnyLayer layer) {
        DlArrays w;
        layer.ForEachLearnable([&](DlArray& p) { w.push_back(p); });
        return DlGradient(Sum(layer.Forward({Input()}).outputs[0]), w);
      },
      AnyLayer(Asked()));
  EXPECT_EQ(asked, "-w-");
}

TEST(OwnBackwardTest, DerivativesMayHaveMoreDimsOfSizeOne) {
  struct ChannelScale : Layer {
    Learnable w{*this, "W", DlArray::FromVector<double>({1, 2, 3}, {1, 1, 3})};
    DlArray Predict(const DlArray& x) const { return w * x; }
    std::array<DlArray, 2> Backward(const DlArray& x, Unused, const DlArray& dy, Unused) const {
      return {w * dy, Sum(x * dy, {0, 1, 3})};  // 1x1x3x1.
    }
  };
  EXPECT_TRUE(LayerGradientsAgree(ChannelScale(), {RandomInput({2, 2, 3, 2}, "SSCB")}));
}

TEST(OwnBackwardTest, WrongSizesAreRefused) {
  struct Wide : Layer {
    Learnable w{*this, "W", DlArray(1.0)};
    DlArray Predict(const DlArray& x) const { return w * x; }
    std::array<DlArray, 2> Backward(const DlArray& x, Unused, const DlArray& dy, Unused) const {
      return {dy, x * dy};  // Not summed.
    }
  };
  AnyLayer layer = Wide();
  layer->SetName("wide");
  const std::string message = MessageOf([&] {
    DlFeval(
        [](AnyLayer l, const DlArray& x) {
          DlArrays w;
          l.ForEachLearnable([&](DlArray& p) { w.push_back(p); });
          return DlGradient(Sum(l.Forward({x}).outputs[0]), w);
        },
        layer, Ones({2, 3}, DataType::kSingle, "CB"));
  });
  EXPECT_EQ(
      message,
      "Backward of layer \"wide\" (Wide) returns the derivative with respect to the learnable "
      "\"W\" in its sizes, labels and type, a scalar double DlArray. A 2 x 3 single DlArray "
      "came. Sum it over the dims in which it is larger, and Cast it to that type. "
      "[autodiff:WrongGradient]");
}

// --- Arity, checked when the layer is made ------------------------------------------------------

TEST(OwnBackwardTest, ArgumentsAndResultsAreCounted) {
  struct Short : Layer {
    Learnable w{*this, "W", DlArray(1.0)};
    DlArray Predict(const DlArray& x) const { return w * x; }
    DlArray Backward(const DlArray&, const DlArray& dy, const Memory&) const { return dy; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Short()}; }),
            "Short: Backward takes 1 input, 1 output, as many derivatives of outputs, and the "
            "memory, and returns 1 derivative of inputs and 1 of learnables: 3 arguments and 2 "
            "results. It takes 2 and returns 1. Declare what is not needed as Unused; return one "
            "derivative for each learnable, in the order in which they are named. "
            "[layer:BackwardArity]");
  struct List : Layer {
    DlArray Predict(const DlArray& x) const { return x; }
    DlArrays Backward(const DlArrays& a, Unused) const { return {a[2], a[2]}; }
  };
  EXPECT_EQ(MessageOf([] {
              DlFeval(
                  [](const DlArray& x) {
                    return DlGradient(Sum(AnyLayer(List()).Forward({x}).outputs[0]), x);
                  },
                  Ones({2}));
            }),
            "Backward of List returns 1 derivative. It returned 2. [autodiff:BackwardArity]");
}

TEST(OwnBackwardTest, StateDerivativesAreBothOrNeither) {
  struct Takes : SquareLayer {
    std::array<DlArray, 2> Backward(const DlArray&, Unused, const DlArray& dy, const DlArray&,
                                    Unused) const {
      return {dy, dy};
    }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Takes()}; }),
            "Takes: Backward takes the derivatives of the new states and returns those of the old "
            "ones, or does neither. It takes them but does not return any. Take 1 dLdStateOut "
            "before the memory and return as many dLdStateIn last; or leave out both. "
            "[layer:HalfStateDerivatives]");
  struct Returns : SquareLayer {
    std::array<DlArray, 3> Backward(const DlArray&, Unused, const DlArray& dy, Unused) const {
      return {dy, dy, dy};
    }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Returns()}; }),
            "Returns: Backward takes the derivatives of the new states and returns those of the "
            "old ones, or does neither. It returns them but takes none. Take 1 dLdStateOut before "
            "the memory and return as many dLdStateIn last; or leave out both. "
            "[layer:HalfStateDerivatives]");
}

// Stands in for a nested network.
struct Tree : LayerTree {
  explicit Tree(Layer& owner) {
    static constexpr PropertyAccess kAccess = {
        .tree = [](void* p) -> LayerTree* { return static_cast<Tree*>(p); }};
    internal::RegisterProperty(owner, "Network", PropertyKind::kLearnable, this, &kAccess);
  }
  void VisitParameters(const std::string&, const ParameterVisitor&) override {}
  void ResetState() override {}
};

TEST(OwnBackwardTest, NotWithANestedNetwork) {
  struct Nested : Layer {
    Tree network{*this};
    DlArray Predict(const DlArray& x) const { return x; }
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return dy; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Nested()}; }),
            "Nested: a layer with a nested network has no Backward of its own. It has both. Remove "
            "Backward: the derivative is then taken automatically. "
            "[layer:BackwardWithNestedNetwork]");
}

// --- What is kept -------------------------------------------------------------------------------

// y = x + 1: needs nothing for its derivative. What is declared unused is not kept.
template <class X, class Y>
struct PlusOne : Layer {
  DlArray Predict(const DlArray& x) const { return x + 1; }
  DlArray Backward(X, Y, const DlArray& dy, Unused) const { return dy; }
};

// Bytes that stay after x0 -> x1 -> .. -> x8, each 1 MiB, before the gradient is taken.
template <class X, class Y>
int64_t BytesKept() {
  constexpr int64_t kElements = 1 << 18;
  const AnyLayer layer = PlusOne<X, Y>();
  const DlArray x0 = Zeros({kElements}, DataType::kSingle, "C");
  const int64_t before = cpu::Stats().bytes_in_use;
  return DlFeval(
      [&](const DlArray& x) {
        DlArray y = x;
        for (int i = 0; i < 8; ++i) y = layer.Forward({y}).outputs[0];
        const int64_t kept = cpu::Stats().bytes_in_use - before;
        EXPECT_EQ(DlGradient(Sum(y), x).At(7), 1);
        return kept;
      },
      x0);
}

TEST(OwnBackwardTest, WhatIsUnusedIsNotKept) {
  constexpr int64_t kArray = int64_t{4} << 18;
  // The last output is alive in any case.
  EXPECT_LT((BytesKept<Unused, Unused>()), 2 * kArray);
  // Inputs kept: x0, which was there before, to x7. Outputs: x1 to x8.
  EXPECT_GE((BytesKept<const DlArray&, Unused>()), 8 * kArray);
  EXPECT_GE((BytesKept<Unused, const DlArray&>()), 8 * kArray);
  EXPECT_LT((BytesKept<const DlArray&, const DlArray&>()), 9 * kArray);
}

TEST(OwnBackwardTest, ASecondDerivativeNeedsTheInputsOfWhatWasKept) {
  struct Keeps : Layer {
    DlArray Predict(const DlArray& x) const { return x * x; }
    std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {x * x, Memory{2 * x}}; }
    DlArray Backward(Unused, Unused, const DlArray& dy, const Memory& m) const { return m[0] * dy; }
  };
  const auto second = [](const AnyLayer& layer) {
    return DlFeval(
        [&](const DlArray& x) {
          const DlArray first = DlGradient(Sum(layer.Forward({x}).outputs[0]), x,
                                           {.enable_higher_derivatives = true});
          return DlGradient(Sum(first), x);
        },
        Ones({2}));
  };
  EXPECT_EQ(MessageOf([&] { second(Keeps()); }),
            "Backward of Keeps was asked for a second derivative. Its memory depends on an input "
            "that is declared Unused. Take that input as const DlArray& in Backward. "
            "[autodiff:NoSecondDerivative]");
  struct KeepsInput : Keeps {
    DlArray Backward(const DlArray&, Unused, const DlArray& dy, const Memory& m) const {
      return m[0] * dy;
    }
  };
  EXPECT_TRUE(IsEqual(second(KeepsInput()), Full({2}, 2)));
}

}  // namespace
}  // namespace lamina
