#include "framework/autodiff/gradient_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <complex>
#include <map>
#include <random>
#include <string>

#include "framework/autodiff/dlgradient.h"
#include "framework/cpu/allocator.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// How often each op was applied.
class OpCounter : public Listener {
 public:
  void Applied(const OpPtr& op, Arrays, std::span<DlArray>) override {
    ++counts_[std::string(op->Name())];
  }
  int operator[](const std::string& name) const {
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  std::map<std::string, int> counts_;
};

// The derivative of y for x, and the ops that it took.
DlArray CountedGradient(const DlArray& y, const DlArray& x, OpCounter* counter) {
  const ScopedListener listening(counter);
  return DlGradient(y, x);
}

TEST(GradientSumTest, TimeStepsArePutSideBySide) {
  const DlArray x = Randn({3, 2, 50}, DataType::kDouble);
  OpCounter counter;
  const DlArray g = DlFeval(
      [&](const DlArray& w) {
        DlArray y = Zeros({3, 2}, DataType::kDouble);
        for (int64_t t = 0; t < 50; ++t) {
          const DlArray step = Slice(w, 2, t, 1);
          y = y + static_cast<double>(t) * step * step;
        }
        return CountedGradient(Sum(y), w, &counter);
      },
      x);
  for (int64_t i = 0; i < x.numel(); ++i) {
    EXPECT_DOUBLE_EQ(g.At(i), 2.0 * static_cast<double>(i / 6) * x.At(i)) << i;
  }
  EXPECT_EQ(counter["cat"], 1);
  EXPECT_EQ(counter["embed_slice"], 0);
}

// A moving mean: three slices have each inner position, so three rows of slices have them all.
TEST(GradientSumTest, WindowsTakeAsManyArraysAsOverlap) {
  const DlArray x = Randn({100}, DataType::kDouble);
  OpCounter counter;
  const DlArray g = DlFeval(
      [&](const DlArray& w) {
        DlArray y = 0.0;
        for (int64_t t = 0; t < 98; ++t) y = y + (t + 1.0) * Sum(Slice(w, 0, t, 3));
        return CountedGradient(y, w, &counter);
      },
      x);
  for (int64_t i = 0; i < 100; ++i) {
    double expected = 0;
    for (int64_t t = std::max<int64_t>(0, i - 2); t <= std::min<int64_t>(i, 97); ++t) {
      expected += t + 1.0;
    }
    EXPECT_DOUBLE_EQ(g.At(i), expected) << i;
  }
  // Three times the windows' elements are more than x has, so they are added up in three goes.
  EXPECT_LE(counter["cat"], 9);
  EXPECT_LE(counter["embed_slice"], 3);
}

// Any slices, again and again the same ones, with whole uses between: compared with sums that are
// written out.
TEST(GradientSumTest, AnySlicesGiveTheSumOfAll) {
  std::mt19937 draw(1);
  const auto up_to = [&](int64_t n) { return static_cast<int64_t>(draw() % (n + 1)); };
  for (int run = 0; run < 300; ++run) {
    const Sizes sizes = {1 + up_to(6), 1 + up_to(6), 1 + up_to(2)};
    const bool labelled = run % 2 == 1, is_complex = run % 3 == 0;
    const DlArray drawn = Randn(sizes, DataType::kDouble);
    const DlArray typed = is_complex ? Complex(drawn, 2 * drawn) : drawn;
    const DlArray x = labelled ? DlArray(typed, "SCB") : typed;
    std::vector<double> expected(x.numel(), 0.0);
    const DlArray g = DlFeval(
        [&](const DlArray& w) {
          DlArray y = Cast(0.0, DataType::kDouble);
          for (int64_t k = up_to(12); k >= 0; --k) {
            const double factor = static_cast<double>(draw() % 100) - 50;
            const int dim = static_cast<int>(up_to(2));
            const int64_t n = sizes[dim], start = up_to(n - 1);
            const int64_t step = std::array<int64_t, 5>{1, 1, 1, 2, -1}[draw() % 5];
            const int64_t count = up_to(step > 0 ? (n - 1 - start) / step + 1 : start + 1);
            const bool whole = draw() % 8 == 0;
            const DlArray part = whole ? w : Slice(w, dim, start, count, step);
            y = y + factor * Sum(Real(part));
            for (int64_t i = 0; i < x.numel(); ++i) {
              const int64_t at = std::array<int64_t, 3>{i % sizes[0], i / sizes[0] % sizes[1],
                                                        i / sizes[0] / sizes[1]}[dim];
              for (int64_t j = 0; j < count && !whole; ++j) {
                if (at == start + j * step) expected[i] += factor;
              }
              if (whole) expected[i] += factor;
            }
          }
          return DlGradient(y, w);
        },
        x);
    ASSERT_EQ(ToString(g.spec()), ToString(x.spec()));
    for (int64_t i = 0; i < x.numel(); ++i) {
      const std::complex<double> came = is_complex ? g.ComplexAt(i) : g.At(i);
      ASSERT_EQ(came, expected[i]) << run << " " << i;
    }
  }
}

// The sum of x[t] x[t + 1] x[t + 1] has d2/dx[t]dx[t + 1] = 2 x[t + 1] and d2/dx[t + 1]2 = 2 x[t].
TEST(GradientSumTest, DerivativesOfDerivativesGoThrough) {
  const DlArray x = DlArray::FromVector(std::vector<double>{1, 2, 3, 5}, {4});
  const DlArray v = DlArray::FromVector(std::vector<double>{1, 10, 100, 1000}, {4});
  const DlArray product = DlFeval(
      [&](const DlArray& w) {
        DlArray y = 0.0;
        for (int64_t t = 0; t < 3; ++t) {
          const DlArray a = Slice(w, 0, t, 1), b = Slice(w, 0, t + 1, 1);
          y = y + Sum(a * b * b);
        }
        const DlArray first = DlGradient(y, w, {.enable_higher_derivatives = true});
        return DlGradient(Sum(first * v), w);
      },
      x);
  const std::array<double, 4> e = {1, 2, 3, 5}, u = {1, 10, 100, 1000};
  for (size_t i = 0; i < 4; ++i) {
    double expected = 0;
    if (i + 1 < 4) expected += 2 * e[i + 1] * u[i + 1];
    if (i > 0) expected += 2 * e[i] * u[i - 1] + 2 * e[i - 1] * u[i];
    EXPECT_DOUBLE_EQ(product.At(static_cast<int64_t>(i)), expected) << i;
  }
}

// All beginnings of an array: kept until the end they would take 128 times its memory.
TEST(GradientSumTest, OverlappingSlicesAreNotKept) {
  const int64_t n = 256, rows = 1 << 10;
  const DlArray x = Randn({rows, n});
  int64_t most = 0;
  DlFeval(
      [&](const DlArray& w) {
        DlArray y = 0.0F;
        for (int64_t t = 1; t <= n; ++t) y = y + Sum(Slice(w, 1, 0, t));
        const int64_t before = cpu::Stats().bytes_in_use;
        class Watcher : public Listener {
         public:
          explicit Watcher(int64_t* most) : most_(most) {}
          void Applied(const OpPtr&, Arrays, std::span<DlArray>) override {
            *most_ = std::max(*most_, static_cast<int64_t>(cpu::Stats().bytes_in_use));
          }

         private:
          int64_t* most_;
        } watcher(&most);
        const ScopedListener listening(&watcher);
        const DlArray g = DlGradient(y, w);
        most -= before;
        return g;
      },
      x);
  EXPECT_GT(most, 0);
  EXPECT_LE(most, 6 * rows * n * 4);
}

}  // namespace
}  // namespace lamina
