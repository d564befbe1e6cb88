#include "framework/acceleration/dl_accelerate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "framework/autodiff/differentiable_function.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/cpu/allocator.h"
#include "framework/graph/graph.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/activation.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"

namespace lamina {
namespace {

constexpr AccelerateOptions kWait{.wait_for_compiler = true};

DlArray Data(uint64_t seed, const Sizes& sizes = {3, 4}, std::string_view format = "CB",
             DataType type = DataType::kDouble) {
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  return Randn(sizes, type, format);
}

// Equal to rounding: kernels may sum in another order.
void ExpectNear(const DlArray& a, const DlArray& b) {
  ASSERT_EQ(ToString(a.spec()), ToString(b.spec()));
  for (int64_t i = 0; i < a.numel(); ++i) {
    EXPECT_NEAR(std::abs(a.ComplexAt(i) - b.ComplexAt(i)), 0, 1e-12) << "element " << i;
  }
}
void ExpectNear(const DlArrays& a, const DlArrays& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) ExpectNear(a[i], b[i]);
}

DlArray Simple(const DlArray& x, const DlArray& y) { return Tanh(x) * y + Sum(x * y, "C"); }

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DlAccelerateTest, IsCalledLikeTheFunctionAndGivesItsResults) {
  int recorded = 0;
  const auto f = DlAccelerate(
      [&](const DlArray& x, const DlArray& y) {
        ++recorded;
        return Simple(x, y);
      },
      kWait);
  for (uint64_t i = 0; i < 5; ++i)
    ExpectNear(f(Data(i), Data(i + 9)), Simple(Data(i), Data(i + 9)));
  EXPECT_EQ(recorded, 1);
  EXPECT_EQ(f.NumTraces(), 1);
  EXPECT_EQ(f.HitRate(), 80);
  EXPECT_EQ(f.Occupancy(), 2);
  EXPECT_EQ(f.CacheSize(), 50);
  EXPECT_TRUE(f.Enabled());
  EXPECT_EQ(f.CheckMode(), AccelerateCheck::kNone);
  EXPECT_EQ(f.CheckTolerance(), 1e-4);
  EXPECT_TRUE(Contains(f.Report(),
                       "1. 3(C) x 4(B) double DlArray; 3(C) x 4(B) double DlArray\n"
                       "   traced because of the first call; 5 calls\n"
                       "   forward: 5 runs; "))
      << f.Report();
  // A number is an input like any other: its value is not in the trace.
  ExpectNear(f(Data(1), 2.0), Simple(Data(1), 2.0));
  ExpectNear(f(Data(1), 3.0), Simple(Data(1), 3.0));
  EXPECT_EQ(recorded, 2);
}

TEST(DlAccelerateTest, TakesListsAndReturnsPairsTuplesAndLists) {
  const DlArray x = Data(1), y = Data(2);
  const auto list = DlAccelerate([](Arrays a) { return DlArrays{a[0] + a[1], a[0] * a[1], a[1]}; });
  const auto owned = DlAccelerate([](const DlArrays& a) { return a[0] - a[1]; });
  const auto pair = DlAccelerate([](const DlArray& a, const DlArray& b) {
    return std::pair(a + b, DlArrays{a, a * b});
  });
  const auto tuple = DlAccelerate([](const DlArray& a) {
    return std::tuple(2 * a, DlArrays{3 * a, 4 * a}, 5 * a);
  });
  const auto none = DlAccelerate([] { return Ones({2}); });
  for (int i = 0; i < 3; ++i) {
    ExpectNear(list(DlArrays{x, y}), {x + y, x * y, y});
    ExpectNear(owned(DlArrays{x, y}), x - y);
    const auto [sum, others] = pair(x, y);
    ExpectNear(sum, x + y);
    ExpectNear(others, {x, x * y});
    const auto [two, middle, five] = tuple(x);
    ExpectNear(two, 2 * x);
    ExpectNear(middle, {3 * x, 4 * x});
    ExpectNear(five, 5 * x);
    ExpectNear(none(), Ones({2}));
  }
}

TEST(DlAccelerateTest, TracesForEachTypeLabelAndSizeAndSaysWhy) {
  const auto f = DlAccelerate([](const DlArray& x) { return Tanh(x); });
  f(Data(1, {3, 4, 30}, "CBT"));
  f(Data(1, {3, 4, 31}, "CBT"));
  EXPECT_TRUE(
      Contains(f.Report(), "traced because of size of input 0, dim T: 31 instead of 30; 1 call"));
  f(Data(1, {3, 4, 30}, "CBT", DataType::kSingle));
  EXPECT_TRUE(
      Contains(f.Report(), "traced because of type of input 0: single instead of double; "));
  f(Data(1, {3, 4, 30}, "SBT"));
  EXPECT_TRUE(Contains(f.Report(), "traced because of labels of input 0: SBT instead of CBT; "));
  f(Data(1, {3, 5, 40}, "CBT"));
  EXPECT_TRUE(Contains(
      f.Report(), "because of size of input 0, dim B: 5 instead of 4, and 1 more difference; "))
      << f.Report();
  f(Data(1, {3}, ""));
  f(Data(1, {4}, ""));
  EXPECT_TRUE(Contains(f.Report(), "because of size of input 0, dim 0: 4 instead of 3; "));
  DlFeval([&](const DlArray& x) { return f(x); }, Data(1, {4}, ""));
  EXPECT_TRUE(Contains(f.Report(), "because of input 0 is watched, it was not; ")) << f.Report();
  EXPECT_EQ(f.NumTraces(), 8);
  EXPECT_EQ(f.HitRate(), 0);
}

TEST(DlAccelerateTest, TheLeastRecentlyUsedTraceLeaves) {
  const auto f = DlAccelerate([](const DlArray& x) { return 2 * x; }, {.cache_size = 2});
  const auto call = [&](int64_t n) { return f(Data(1, {n}, "C")); };
  call(1), call(2), call(1), call(3);  // 2 leaves.
  EXPECT_EQ(f.NumTraces(), 2);
  EXPECT_EQ(f.Occupancy(), 100);
  call(1);
  EXPECT_DOUBLE_EQ(f.HitRate(), 40);
  call(2);
  EXPECT_DOUBLE_EQ(f.HitRate(), 100.0 * 2 / 6);
  EXPECT_TRUE(
      Contains(f.Report(), "because of it was here before, and left the full cache; 1 call"));
}

TEST(DlAccelerateTest, TheCacheIsBoundedInBytes) {
  // Each trace holds a constant of 8000 bytes.
  auto f = DlAccelerate([](const DlArray& x) { return Sum(x) * Data(1, {1000}, "C"); },
                        {.cache_bytes = 20000});
  for (int64_t n = 1; n < 6; ++n) f(Data(1, {n}, "B"));
  EXPECT_TRUE(Contains(f.Report(), "runs unaccelerated"));  // Data chooses its random numbers.
  const DlArray constant = Data(1, {1000}, "C");
  auto g = DlAccelerate([&](const DlArray& x) { return Sum(x) * (constant + 1); },
                        {.cache_bytes = 20000});
  for (int64_t n = 1; n < 6; ++n) g(Data(1, {n}, "B"));
  EXPECT_EQ(g.NumTraces(), 2);
}

TEST(DlAccelerateTest, OptionsMayChangeAndTheCacheBeCleared) {
  int calls = 0;
  auto f = DlAccelerate([&](const DlArray& x) {
    ++calls;
    return 2 * x;
  });
  const DlArray x = Data(1);
  f(x), f(x);
  EXPECT_EQ(calls, 1);
  AccelerateOptions options = f.Options();
  options.enabled = false;
  f.SetOptions(options);
  EXPECT_FALSE(f.Enabled());
  ExpectNear(f(x), 2 * x);
  EXPECT_EQ(calls, 2);
  EXPECT_TRUE(Contains(f.Report(), "not enabled"));
  options.enabled = true;
  f.SetOptions(options);
  f(x);
  EXPECT_EQ(calls, 2);
  f.ClearCache();
  EXPECT_EQ(f.NumTraces(), 0);
  EXPECT_EQ(f.HitRate(), 0);
  f(x);
  EXPECT_EQ(calls, 3);
  options.cache_size = 0;
  try {
    f.SetOptions(options);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "An accelerated function keeps one trace or more. A cache_size of 0 came. Set "
                 "enabled = false to run unaccelerated. [accelerate:CacheSize]");
  }
}

TEST(DlAccelerateTest, DrawsTheNumbersOfTheFunctionAfreshInEachCall) {
  const auto plain = [](const DlArray& x) {
    RandLike(x);  // Nobody reads these.
    return x + RandnLike(x) + Rand({3, 1}, x.type());
  };
  const auto f = DlAccelerate(plain, kWait);
  const DlArray x = Data(1);
  Rng(7);
  DlArrays accelerated, expected;
  for (int i = 0; i < 4; ++i) accelerated.push_back(f(x));
  Rng(7);
  for (int i = 0; i < 4; ++i) expected.push_back(plain(x));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(IsEqual(accelerated[i], expected[i])) << i;
  EXPECT_FALSE(IsEqual(accelerated[2], accelerated[3]));
}

TEST(DlAccelerateTest, AFunctionThatReadsAValueRunsUnacceleratedAndTheReportSaysWhere) {
  int calls = 0;
  const auto f = DlAccelerate([&](const DlArray& x) {
    ++calls;
    const DlArray s = Sum(Abs(x));
    return s.Scalar() > 1 ? x / s : x;
  });
  const DlArray large = Data(1), small = Data(1) * 1e-3;
  ExpectNear(f(large), large / Sum(Abs(large)));
  EXPECT_EQ(calls, 2);  // The recording and the call.
  ExpectNear(f(small), small);
  ExpectNear(f(large), large / Sum(Abs(large)));
  EXPECT_EQ(calls, 4);
  EXPECT_TRUE(Contains(
      f.Report(),
      "runs unaccelerated: The values of an array were read. This scalar double DlArray has none: "
      "it "
      "stands for any values inside a trace. Write the computation with array functions (Where "
      "instead of if), or leave it untraced. [dlarray:NoValues] This was after "))
      << f.Report();
}

TEST(DlAccelerateTest, ErrorsAreThoseOfTheFunction) {
  const auto f = DlAccelerate([](const DlArray& x) { return x + Ones({5}); });
  for (int i = 0; i < 2; ++i) {
    try {
      f(Data(1, {3}, ""));
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.identifier(), "dlarray:SizeMismatch");
    }
  }
  EXPECT_EQ(f.NumTraces(), 0);
  ExpectNear(f(Data(1, {5}, "")), Data(1, {5}, "") + Ones({5}));
}

// The function and the accelerated one, differentiated in the same way.
template <class F, class G>
void ExpectSameGradients(const F& plain, const G& accelerated, const DlArrays& in) {
  const auto gradients = [&](const auto& f) {
    return DlFeval(
        [&](const DlArrays& x) {
          const DlArray y = f(x[0], x[1]);
          DlArrays out = DlGradient(Sum(Real(y * Conj(y))), x);
          out.push_back(y);
          return out;
        },
        in);
  };
  for (int i = 0; i < 4; ++i) ExpectNear(gradients(accelerated), gradients(plain));
}

TEST(DlAccelerateTest, GradientsPass) {
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

TEST(DlAccelerateTest, GradientsOfRandomFunctionsUseTheNumbersOfTheirCall) {
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

TEST(DlAccelerateTest, HigherDerivativesPass) {
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

TEST(DlAccelerateTest, WhatIsNotWantedIsNotComputedAndMayChange) {
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

TEST(DlAccelerateTest, WhatCheapStepsGiveAgainIsNotKept) {
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

TEST(DlAccelerateTest, ABackwardOfOnesOwnIsKept) {
  const auto plain = [](const DlArray& x, const DlArray& y) {
    return DifferentiableFunction(Doubled())(x) * y;
  };
  ExpectSameGradients(plain, DlAccelerate(plain, kWait), {Data(1), Data(2)});
}

TEST(DlAccelerateTest, GradientsInsideAreAPartOfTheTrace) {
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

TEST(DlAccelerateTest, AnAcceleratedFunctionWithinAnotherIsAPartOfIt) {
  int inner_calls = 0;
  const auto inner = DlAccelerate([&](const DlArray& x) {
    ++inner_calls;
    return Tanh(x);
  });
  const auto outer = DlAccelerate([&](const DlArray& x) {
    return 2 * inner(x) + inner(Ones({3, 1}));
  });
  for (uint64_t i = 0; i < 3; ++i) {
    ExpectNear(outer(Data(i, {3, 4}, "")), 2 * Tanh(Data(i, {3, 4}, "")) + Tanh(Ones({3, 1})));
  }
  EXPECT_EQ(inner_calls, 2);
  EXPECT_EQ(inner.NumTraces(), 0);
  // Without values, and without a recorder.
  const AbstractRun run;
  EXPECT_FALSE(inner(AbstractArray(Data(1).spec())).has_values());
}

TEST(DlAccelerateTest, AWatchedArrayThatIsNoArgumentIsNoticed) {
  const DlArray x = Data(1), w = Data(2);
  const auto gradient = DlFeval(
      [&](const DlArray& watched) {
        const auto f = DlAccelerate([&](const DlArray& a) { return a * (2 * watched); });
        DlArray y = f(x);
        y = y + f(x);
        EXPECT_TRUE(Contains(f.Report(),
                             "runs unaccelerated: It reads an array that is watched and "
                             "not among its arguments"))
            << f.Report();
        return DlGradient(Sum(y), watched);
      },
      w);
  ExpectNear(gradient, 4 * x);
}

TEST(DlAccelerateTest, ChosenRandomNumbersAreNoticed) {
  const auto f = DlAccelerate([](const DlArray& x) {
    Rng(3);
    return x + RandLike(x);
  });
  const DlArray first = f(Data(1)), second = f(Data(1));
  EXPECT_TRUE(IsEqual(first, second));
  EXPECT_TRUE(Contains(f.Report(), "runs unaccelerated: It chooses its random numbers by itself"));
}

TEST(DlAccelerateTest, ACheckFindsWhatIsNotInTheArgumentsAndNamesTheWorstElement) {
  AccelerateOptions check{.check_mode = AccelerateCheck::kTolerance, .check_tolerance = 1e-3};
  double factor = 1;
  const auto f = DlAccelerate(
      [&](const DlArray& x) {
        return DlArrays{2 * x, x * x * factor};
      },
      check);
  const DlArray x = DlArray::FromVector<double>({1, 2, -4, 3}, {2, 2}, "CB");
  f(x), f(x);
  factor = 1.0005;
  f(x);
  factor = 1.5;
  try {
    f(x);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(
        e.what(),
        "The accelerated function gives what the function gives, to 0.001 times the largest "
        "magnitude of each array. Output 1, a 2(C) x 2(B) double DlArray, differs most at "
        "element (0(C), 1(B)): 16 accelerated, 24 without; the largest magnitude is 24. Look "
        "for something that the function reads besides its arguments, or raise "
        "check_tolerance where only rounding differs. [accelerate:CheckFailed]");
  }
  // Derivatives are compared too.
  double slope = 1;
  const auto g = DlAccelerate([&](const DlArray& a) { return slope * a - (slope - 1) * 2; }, check);
  const auto derivative = [&](const DlArray& a) { return DlGradient(Sum(g(a)), a); };
  const DlArray two = DlArray::FromVector<double>({2, 2}, {2}, "C");
  DlFeval(derivative, two);
  slope = 2;
  try {
    DlFeval(derivative, two);
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(Contains(e.what(),
                         "Derivative 0, a 2(C) double DlArray, differs most at element "
                         "(0(C)): 1 accelerated, 2 without"))
        << e.what();
  }
}

TEST(DlAccelerateTest, ACheckPassesRandomFunctions) {
  const auto f = DlAccelerate([](const DlArray& x) { return x * RandLike(x); },
                              {.check_mode = AccelerateCheck::kTolerance});
  for (int i = 0; i < 3; ++i)
    DlFeval([&](const DlArray& x) { return DlGradient(Sum(f(x)), x); }, Data(1));
}

TEST(DlAccelerateTest, SeveralThreadsMayCall) {
  const auto f = DlAccelerate(Simple, {.cache_size = 3});
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const Sizes sizes{3, 1 + (i + t) % 5};
        const DlArray x = Data(1, sizes), y = Data(2, sizes);
        const auto run = [&](const auto& g) {
          return DlFeval([&](const DlArray& a) { return DlGradient(Sum(g(a, y)), a); }, x);
        };
        const DlArray a = run(f), b = run(Simple);
        for (int64_t k = 0; k < a.numel(); ++k) wrong += std::abs(a.At(k) - b.At(k)) > 1e-12;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(DlAccelerateTest, WithoutACompilerEverythingRunsAndTheReportSaysWhy) {
  setenv("CC", "no-such-compiler", 1);
  const auto f = DlAccelerate(Simple, kWait);
  ExpectSameGradients(Simple, f, {Data(1), Data(2)});
  unsetenv("CC");
  EXPECT_TRUE(
      Contains(f.Report(), "op by op: there is no C compiler: cannot start 'no-such-compiler'"))
      << f.Report();
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

TEST(DlAccelerateTest, NetworksAreTrainedAsWithout) {
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

// Not a check: what a call costs besides its work.
TEST(DlAccelerateTest, PrintsTheTimeOfACall) {
  const auto f = DlAccelerate([](const DlArray& x, const DlArray& y) { return x * y + x; }, kWait);
  const auto g = DlAccelerate(
      [](const DlArray& x, const DlArray& y) {
        return DlFeval([&](const DlArray& w) { return DlGradient(Sum(w * y + w * w), w); }, x);
      },
      kWait);
  const auto nanoseconds = [](auto&& run) {
    double best = 1e9;
    for (int round = 0; round < 20; ++round) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 2000; ++i) run();
      const std::chrono::duration<double, std::nano> took =
          std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count() / 2000);
    }
    return best;
  };
  const DlArray x = Data(1, {4}, "C"), y = Data(2, {4}, "C");
  f(x, y), f(x, y), g(x, y), g(x, y);
  std::printf("x * y + x, 4 elements: %.0f ns accelerated, %.0f ns op by op\n",
              nanoseconds([&] { f(x, y); }), nanoseconds([&] { x* y + x; }));
  std::printf("a gradient inside: %.0f ns accelerated\n", nanoseconds([&] { g(x, y); }));
  const auto watched = [&](const auto& h) {
    return nanoseconds(
        [&] { DlFeval([&](const DlArray& w) { return DlGradient(Sum(h(w, y)), w); }, x); });
  };
  watched(f);
  std::printf("a gradient around: %.0f ns accelerated, %.0f ns op by op\n", watched(f),
              watched([](const DlArray& a, const DlArray& b) { return a * b + a; }));
}

// The cache of kernels stands in the test's own folder.
class Folder : public testing::Environment {
 public:
  void SetUp() override { setenv("LAMINA_CACHE", (testing::TempDir() + "/kernels").c_str(), 1); }
};
[[maybe_unused]] const auto* const kFolder = testing::AddGlobalTestEnvironment(new Folder);

}  // namespace
}  // namespace lamina
