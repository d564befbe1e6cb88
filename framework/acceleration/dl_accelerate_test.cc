// How an accelerated function is called, what it keeps, and what it reports.
#include "framework/acceleration/dl_accelerate.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "framework/acceleration/testing/accelerated_call.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/finite_check.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::Contains;
using testing::Data;
using testing::ExpectNear;
using testing::ExpectSameGradients;
using testing::kWait;
using testing::Simple;

TEST(DlAccelerateTest, ConstantsMayHaveNoElements) {
  const DlArray none = Zeros({3, 0}, DataType::kDouble);
  const auto function = [&](const DlArray& x) {
    const DlArray y = Cat(1, {none, x, none * 2}), rest = Slice(Cat(1, {x, none}), 1, 4, 0);
    return DlArrays{y + 1,
                    Sum(none + Sum(x), 1) + Sum(x, 1),
                    rest * 2 + none,
                    Sum(none) + x,
                    MatMul(none, Zeros({0, 2}, DataType::kDouble)) + Sum(x),
                    Cat(1, {DlArray(), Zeros({0, 2})})};
  };
  const DlArray x = StripDims(Data(1));
  const auto f = DlAccelerate(function, kWait);
  const DlArrays expected = function(x);
  for (int i = 0; i < 2; ++i) {
    const DlArrays came = f(x);
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < came.size(); ++k) ExpectNear(came[k], expected[k]);
  }
  EXPECT_TRUE(Contains(f.Report(), "1 hit")) << f.Report();
}

TEST(DlAccelerateTest, ACheckOfItsOpsSeesThemOneByOne) {
  int plain = 0;
  const auto f = DlAccelerate(
      [&](const DlArray& x) {
        ++plain;
        return Where(x > 0, Log(x), 0.0);
      },
      kWait);
  const DlArray x = DlArray::FromVector<double>({1, -2}, {2});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(f(x).At(1), 0);
  EXPECT_EQ(plain, 1);
  {
    const FiniteCheck check;
    EXPECT_THROW(f(x), Error);
  }
  EXPECT_EQ(plain, 2);
  EXPECT_EQ(f(x).At(1), 0);
  EXPECT_EQ(plain, 2);
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

TEST(DlAccelerateTest, RefusesOptionsThatMeanNothing) {
  const auto identifier = [](const AccelerateOptions& options) -> std::string {
    try {
      DlAccelerate([](const DlArray& x) { return x; }, options);
    } catch (const Error& e) {
      return e.identifier();
    }
    return "";
  };
  EXPECT_EQ(identifier({.cache_bytes = -1}), "accelerate:CacheSize");
  EXPECT_EQ(identifier({.cache_bytes = 0}), "");
  // With any of these a check would never fail.
  for (const double tolerance : {-1.0, HUGE_VAL, std::nan("")}) {
    EXPECT_EQ(identifier({.check_mode = AccelerateCheck::kTolerance, .check_tolerance = tolerance}),
              "accelerate:CheckTolerance");
  }
  EXPECT_EQ(identifier({.check_tolerance = 0}), "");
}

TEST(DlAccelerateTest, WhatThrowsWithoutValuesAloneRunsUnaccelerated) {
  const auto f = DlAccelerate([](const DlArray& x) {
    if (!x.has_values()) throw std::logic_error("nothing to look at");
    return 2 * x;
  });
  const DlArray x = Data(1);
  for (int i = 0; i < 2; ++i) ExpectNear(f(x), 2 * x);
  EXPECT_TRUE(Contains(f.Report(),
                       "runs unaccelerated: It threw when arrays had no values: nothing to look "
                       "at\n"))
      << f.Report();
  const auto always = DlAccelerate([](const DlArray&) -> DlArray { throw 42; });
  for (int i = 0; i < 2; ++i) EXPECT_THROW(always(x), int);
  EXPECT_EQ(always.NumTraces(), 0);
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

}  // namespace
}  // namespace lamina
