// Derivatives through accelerated functions.
#include <utility>

#include "framework/acceleration/testing/accelerated_call.h"
#include "framework/autodiff/differentiable_function.h"
#include "framework/cpu/allocator.h"
#include "framework/ops/activation.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/softmax.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::Contains;
using testing::Data;
using testing::ExpectNear;
using testing::ExpectSameGradients;
using testing::kWait;
using testing::Simple;

TEST(AcceleratedGradientsTest, GradientsPass) {
  int calls = 0;
  const auto f = DlAccelerate(
      [&](const DlArray& x, const DlArray& y) {
        ++calls;
        return Simple(x, y);
      },
      kWait);
  ExpectSameGradients(Simple, f, {Data(1), Data(2)});
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(Contains(f.Report(), "\n   backward: 4 runs; ")) << f.Report();
  const auto product = [](const DlArray& a, const DlArray& b) { return MatMul(a, b); };
  ExpectSameGradients(product, DlAccelerate(product, kWait),
                      {Data(1, {3, 4}, ""), Data(2, {4, 2}, "")});
  const auto complex = [](const DlArray& a, const DlArray& b) {
    return Exp(Complex(a, b)) * Complex(b, b);
  };
  ExpectSameGradients(complex, DlAccelerate(complex, kWait), {Data(1), Data(2)});
  // An input handed through, and one that the output does not depend on.
  const auto first = [](const DlArray& a, const DlArray&) { return a; };
  ExpectSameGradients(first, DlAccelerate(first, kWait), {Data(1), Data(2)});
}

TEST(AcceleratedGradientsTest, GradientsOfRandomFunctionsUseTheNumbersOfTheirCall) {
  const auto plain = [](const DlArray& x, const DlArray& y) {
    return x * Cast(RandLike(x) < 0.5, x.type()) * y;
  };
  const auto f = DlAccelerate(plain, kWait);
  const auto run = [](const auto& g) {
    return DlFeval(
        [&](const DlArrays& x) {
          const DlArray a = g(x[0], x[1]), b = g(x[0], x[1]);
          // Second derivatives compute the function again, op by op, long after other draws.
          const DlArrays first = DlGradient(Sum(a * a * b), x, {.enable_higher_derivatives = true});
          Rand({5});
          DlArrays out = DlGradient(Sum(first[0] * first[1]), x);
          out.insert(out.end(), first.begin(), first.end());
          return out;
        },
        DlArrays{Data(1), Data(2)});
  };
  for (int i = 0; i < 3; ++i) {
    Rng(i);
    const DlArrays expected = run(plain);
    Rng(i);
    ExpectNear(run(f), expected);
  }
}

TEST(AcceleratedGradientsTest, HigherDerivativesPass) {
  const auto f = DlAccelerate(Simple, kWait);
  const auto second = [](const auto& g) {
    return DlFeval(
        [&](const DlArrays& x) {
          const DlArrays first =
              DlGradient(Sum(g(x[0], x[1])), x, {.enable_higher_derivatives = true});
          return DlGradient(Sum(first[0] * first[1]), x);
        },
        DlArrays{Data(1), Data(2)});
  };
  for (int i = 0; i < 3; ++i) ExpectNear(second(f), second(Simple));
}

TEST(AcceleratedGradientsTest, WhatIsNotWantedIsNotComputedAndMayChange) {
  const auto plain = [](const DlArray& x, const DlArray& y) {
    return std::pair(Sum(Tanh(x) * y), Sum(Exp(x) * Sin(y)));
  };
  const auto f = DlAccelerate(plain, kWait);
  const auto run = [](const auto& g, int which) {
    return DlFeval(
        [&](const DlArray& x, const DlArray& y) {
          const auto [a, b] = g(x, y);
          switch (which) {
            case 0:
              return DlGradient(a, DlArrays{x, y});
            case 1:
              return DlGradient(b, DlArrays{y});
            case 2:
              return DlGradient(a + b, DlArrays{x});
            default: {  // The same computation twice.
              DlArrays out = DlGradient(a, DlArrays{x, y}, {.retain_data = true});
              out.push_back(DlGradient(b, x));
              return out;
            }
          }
        },
        Data(1), Data(2));
  };
  for (const int which : {0, 0, 0, 1, 1, 2, 0, 3, 3, 1, 2}) {
    ExpectNear(run(f, which), run(plain, which));
  }
  EXPECT_EQ(f.NumTraces(), 1);
}

TEST(AcceleratedGradientsTest, WhatCheapStepsGiveAgainIsNotKept) {
  const auto plain = [](const DlArray& x, const DlArray& slope) {
    const DlArray y = Where(x < slope, slope * (x - slope), x * x);
    return Tanh(y) * (x - 1);  // Keeps Tanh(y), since that is dear.
  };
  const auto f = DlAccelerate(plain, kWait);
  const DlArray x = Data(1, {100, 1000}, "CB"), slope = Data(2, {100}, "C");
  const int64_t bytes = x.numel() * 8;
  for (int i = 0; i < 4; ++i) {
    DlFeval(
        [&](const DlArray& a, const DlArray& s) {
          f(a, s);  // The arenas are made.
          const int64_t before = cpu::Stats().bytes_in_use;
          const DlArray y = f(a, s);
          const int64_t kept = cpu::Stats().bytes_in_use - before;
          EXPECT_GE(kept, 2 * bytes);
          EXPECT_LT(kept, 5 * bytes / 2);
          return DlGradient(Sum(y), DlArrays{a, s});
        },
        x, slope);
  }
  ExpectSameGradients(plain, f, {Data(1), Data(2, {3}, "C")});
}

// Gradients that nobody would derive from the ops: those of a Backward of one's own.
struct Doubled {
  DlArray Forward(const DlArray& x) const { return 1 * x; }
  DlArray Backward(const DlArray&, const DlArray&, const DlArray& g, Unused) const { return 2 * g; }
};

TEST(AcceleratedGradientsTest, ABackwardOfOnesOwnIsKept) {
  const auto plain = [](const DlArray& x, const DlArray& y) {
    return DifferentiableFunction(Doubled())(x) * y;
  };
  ExpectSameGradients(plain, DlAccelerate(plain, kWait), {Data(1), Data(2)});
}

TEST(AcceleratedGradientsTest, GradientsInsideAreAPartOfTheTrace) {
  int calls = 0;
  const auto plain = [](const DlArray& x) {
    return DlFeval(
        [](const DlArray& w) {
          const DlArray loss = Sum(Tanh(w) * w);
          return std::pair(loss, DlGradient(loss, w));
        },
        x);
  };
  const auto f = DlAccelerate(
      [&](const DlArray& x) {
        ++calls;
        return plain(x);
      },
      kWait);
  for (uint64_t i = 0; i < 4; ++i) {
    const auto [loss, gradient] = f(Data(i));
    ExpectNear(loss, plain(Data(i)).first);
    ExpectNear(gradient, plain(Data(i)).second);
  }
  EXPECT_EQ(calls, 1);
}

// A small network with a convolution, and a recurrent one: inputs, then parameters.
DlArrays Convolutional(Arrays a) {
  const DlArray y = Relu(LayerNorm(DlConv(a[0], a[2], a[3], {.padding = 1}), a[4], a[5]));
  const DlArray p = Softmax(FullyConnect(MaxPool(y, {.window = {2}, .stride = {2}}), a[6], a[7]));
  return {CrossEntropy(p, a[1]), p};
}
DlArrays Recurrent(Arrays a) {
  const LstmResult r = Lstm(a[0], a[2], a[2], a[3], a[4], a[5]);
  return {Mse(r.y, a[1]), r.hidden_state};
}

TEST(AcceleratedGradientsTest, NetworksAreTrainedAsWithout) {
  const auto step = [](const auto& f, const DlArrays& data, DlArrays parameters) {
    for (int i = 0; i < 4; ++i) {
      const DlArrays gradients = DlFeval(
          [&](const DlArrays& w) {
            DlArrays all = data;
            all.insert(all.end(), w.begin(), w.end());
            return DlGradient(f(all)[0], w);
          },
          parameters);
      for (size_t k = 0; k < parameters.size(); ++k) {
        parameters[k] = parameters[k] - 0.1 * gradients[k];
      }
    }
    return parameters;
  };
  const DlArrays images{Data(1, {6, 6, 2, 5}, "SSCB"), Softmax(Data(2, {3, 5}, "CB"))};
  const DlArrays convolutional{Data(3, {3, 3, 2, 4}, ""), Data(4, {4}, ""),     Data(5, {4}, ""),
                               Data(6, {4}, ""),          Data(7, {3, 36}, ""), Data(8, {3}, "")};
  ExpectNear(step(DlAccelerate(Convolutional, kWait), images, convolutional),
             step(Convolutional, images, convolutional));
  const DlArrays sequences{Data(1, {2, 3, 7}, "CBT"), Data(2, {4, 3, 7}, "CBT")};
  const DlArrays recurrent{Data(3, {4, 1}, "CB"), Data(4, {16, 2}, ""), Data(5, {16, 4}, ""),
                           Data(6, {16}, "")};
  ExpectNear(step(DlAccelerate(Recurrent, kWait), sequences, recurrent),
             step(Recurrent, sequences, recurrent));
}

}  // namespace
}  // namespace lamina
