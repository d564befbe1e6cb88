// Ops of derivatives, as printed C against the eager ops.
#include <cmath>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/emit/testing/printed_cases.h"
#include "framework/ops/attention.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear_algebra.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::Case;
using testing::Compare;
using testing::Draw;
using testing::Function;
using testing::RoundingOf;

// The products of the last input with the derivatives of f with respect to the others.
Function GradientsOf(const Function& f) {
  return [f](Arrays in) {
    const DlArray dy = in.back();
    return DlFeval([&](const DlArrays& x) { return DlVectorJacobian(f(x)[0], dy, x); },
                   DlArrays(in.begin(), in.end() - 1));
  };
}

// The case of a function's gradients, with a gradient of its output that is drawn.
Case GradientCase(const std::string& name, const Function& f, DlArrays inputs, Draw* draw) {
  const ArraySpec y = f(inputs)[0].spec();
  inputs.push_back(draw->Array(y.sizes, y.type, y.format.str()));
  return {name, GradientsOf(f), std::move(inputs), nullptr};
}

TEST(PrintedGradientsTest, Convolutions) {
  Draw draw(15);
  std::vector<Case> cases;
  for (int i = 0; i < 12; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t groups = draw.Size(1, 2), c = groups * draw.Size(1, 2),
                  f = groups * draw.Size(1, 2), n = draw.Size(1, 2);
    ConvOptions options;
    options.stride = {draw.Size(1, 2)};
    options.dilation = {draw.Size(1, 2)};
    options.groups = groups;
    if (i % 3 == 0) options.padding = "same";
    if (i % 3 == 1) options.padding = Padding::BeginEnd({1, 0}, {0, 2});
    cases.push_back(GradientCase(
        "conv", [options](Arrays a) { return DlArrays{DlConv(a[0], a[1], a[2], options)}; },
        {draw.Array({7, 6, c, n}, type, "SSCB"), draw.Array({3, 2, c / groups, f}, type),
         draw.Array({f}, type)},
        &draw));
    cases.push_back(GradientCase(
        "conv over time",
        [](Arrays a) { return DlArrays{DlConv(a[0], a[1], a[2], {.padding = "causal"})}; },
        {draw.Array({2, n, 9}, type, "CBT"), draw.Array({3, 2, 4}, type), draw.Array({4}, type)},
        &draw));
  }
  Compare(cases);
}

// As it is composed. A probability is off by (6 + 2 keys) roundings on each side
// (printed_ops_test), what it is multiplied with by a few more; the derivative of a score is at
// most 16 values, sums go over queries or keys, whose probabilities add up to 1.
TEST(PrintedGradientsTest, Attention) {
  Draw draw(18);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t heads = draw.Size(1, 3), depth = draw.Size(1, 5), values = draw.Size(1, 5);
    const int64_t batch = draw.Size(1, 3), queries = draw.Size(1, 6), keys = draw.Size(1, 6);
    const Function f = [heads, causal = i % 4 < 2](Arrays a) {
      return DlArrays{Attention(a[0], a[1], a[2], heads, {.scale = 0.25, .causal = causal})};
    };
    const Case all = GradientCase("attention", f,
                                  {draw.Array({heads * depth, batch, queries}, type, "CBT"),
                                   draw.Array({heads * depth, batch, keys}, type, "CBT"),
                                   draw.Array({heads * values, batch, keys}, type, "CBT")},
                                  &draw);
    for (int k : {0, 1, 2}) {
      cases.push_back({"attention", [f = all.function, k](Arrays a) { return DlArrays{f(a)[k]}; },
                       all.inputs,
                       [=](Arrays a) {
                         return DlArray(static_cast<double>(16 * values * queries) *
                                        (20.0 + 4 * static_cast<double>(keys)) * RoundingOf(a[0]));
                       }});
    }
  }
  Compare(cases);
}

// The matrix is 6 n times one whose rows are reversed, and less than a third of that: its inverse
// is below 1 / (4 n), numbers grow by less than 2, and both solutions are within the bounds of
// linear_algebra.h.
TEST(PrintedGradientsTest, Matrices) {
  Draw draw(19);
  std::vector<Case> cases;
  for (int i = 0; i < 4; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t n = draw.Size(1, 6), m = draw.Size(1, 3), pages = draw.Size(1, 3);
    const auto size = static_cast<double>(n);
    const auto regular = [=](const DlArray& x) { return x + 6 * size * Flip(Eye(n, type), 0); };
    const struct {
      const char* name;
      Function function;
    } functions[] = {
        {"solve", [=](Arrays a) { return DlArrays{Solve(regular(a[0]), a[1])}; }},
        {"logarithm",
         [=](Arrays a) {
           return DlArrays{LogDeterminant(regular(a[0])).log_magnitude * Sum(a[1], {0, 1})};
         }},
        {"cholesky",
         [=](Arrays a) { return DlArrays{MatMul(Cholesky(Flip(regular(a[0]), 0)), a[1])}; }},
    };
    for (const auto& [name, f] : functions) {
      const Case all = GradientCase(
          name, f, {draw.Array({n, n, pages}, type), draw.Array({n, m, pages}, type)}, &draw);
      for (int k : {0, 1}) {
        cases.push_back(
            {name, [f = all.function, k](Arrays a) { return DlArrays{f(a)[k]}; }, all.inputs,
             [=](Arrays a) { return DlArray(64 * size * size * (size + 2) * RoundingOf(a[0])); }});
      }
    }
  }
  Compare(cases);
}

TEST(PrintedGradientsTest, Pooling) {
  Draw draw(16);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const DlArray x = draw.Array({6, 7, draw.Size(1, 2), draw.Size(1, 2)}, type, "SSCB");
    PoolOptions options;
    options.window = {2, 4};
    options.stride = {draw.Size(1, 3)};
    if (i % 4 > 1) options.padding = {1, 1};
    const Function max = [options](Arrays a) { return DlArrays{MaxPool(a[0], options)}; };
    cases.push_back(GradientCase("max", max, {x}, &draw));
    // The derivative of that in the direction z, with respect to dy: elements of z at the maxima.
    Case second = cases.back();
    second.name = "max, second";
    second.inputs.push_back(draw.Array(x.sizes(), type, "SSCB"));
    second.function = [max](Arrays in) {
      const DlArray z = in[2];
      return DlFeval(
          [&](const DlArray& v, const DlArray& dy) {
            const DlArrays dx =
                DlVectorJacobian(max(DlArrays{v})[0], dy, {v}, {.enable_higher_derivatives = true});
            return DlArrays{DlGradient(Sum(dx[0] * z), dy)};
          },
          in[0], in[1]);
    };
    cases.push_back(second);
    const bool count_padding = i % 3 == 0;
    Case average = GradientCase(
        "average",
        [options, count_padding](Arrays a) {
          return DlArrays{AvgPool(a[0], options, count_padding)};
        },
        {x}, &draw);
    // At most 8 windows hold an element; each has a quotient of at most 2.
    average.bound = [](Arrays a) { return DlArray(8 * 2 * 2 * RoundingOf(a[0])); };
    cases.push_back(average);
  }
  Compare(cases);
}

TEST(PrintedGradientsTest, Normalizations) {
  Draw draw(17);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t c = 2 * draw.Size(3, 5);
    const auto add = [&](const std::string& name, const Function& f) {
      cases.push_back(
          GradientCase(name, f, {draw.Array({3, c, draw.Size(2, 3)}, type, "SCB")}, &draw));
      // The eager sums are within (130 + log2 n) u of the sum of the terms, the printed ones are in
      // double. Terms are a few times larger than the largest result: a group has six elements and
      // more, and what the statistics take away has two dimensions of as many.
      cases.back().bound = [g = cases.back().function](Arrays a) {
        return MaxOver(Abs(Cast(g(a)[0], DataType::kDouble))) * (16 * 140 * RoundingOf(a[0]));
      };
    };
    const DlArray scale = draw.Array({c}, type), offset = draw.Array({c}, type);
    add("layer norm", [=](Arrays a) { return DlArrays{LayerNorm(a[0], offset, scale)}; });
    add("group norm", [=](Arrays a) { return DlArrays{GroupNorm(a[0], 1, offset, scale)}; });
    add("batch norm", [=](Arrays a) { return DlArrays{BatchNorm(a[0], offset, scale).y}; });
  }
  Compare(cases);
}

}  // namespace
}  // namespace lamina
