// What ops are composed of against what they run, over many sizes, with first and second
// derivatives; and the pass itself.
#include "framework/graph/expand_composed.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/ops/attention.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/spectral.h"

namespace lamina {
namespace {

using Function = std::function<DlArrays(Arrays)>;

Graph Recorded(const Function& f, Arrays inputs) {
  std::vector<ArraySpec> specs;
  for (const DlArray& x : inputs) specs.push_back(x.spec());
  return RecordGraph(f, specs);
}

std::set<std::string> OpsOf(const Graph& graph) {
  std::set<std::string> names;
  for (const GraphStep& step : graph.steps()) names.emplace(step.op->Name());
  return names;
}

bool Always(const Graph&, const GraphStep&) { return true; }

// The largest difference in parts of the largest value; NaN and infinity are never near.
double LargestError(const DlArray& came, const DlArray& expected) {
  EXPECT_EQ(came.spec(), expected.spec());
  double difference = 0, largest = 0;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double d = std::abs(came.ComplexAt(i) - expected.ComplexAt(i));
    difference = std::isnan(d) ? INFINITY : std::max(difference, d);
    largest = std::max(largest, std::abs(expected.ComplexAt(i)));
  }
  return largest == 0 ? difference : difference / largest;
}

// That all composed ops go, that the graphs fit together, and that the results are those of the
// ops.
void ExpectSame(const Function& f, const DlArrays& inputs, double bound, const std::string& name) {
  const Graph graph = Recorded(f, inputs);
  const Graph expanded = ExpandComposed(graph, Always);
  const Graph optimized = Optimize(expanded, ImageLayouts::kPlain);
  const DlArrays expected = graph.Evaluate(inputs);
  for (const Graph& g : {expanded, optimized}) {
    CheckGraph(g);
    for (const GraphStep& step : g.steps()) {
      EXPECT_EQ(dynamic_cast<const ComposedOp*>(step.op.get()), nullptr) << name;
    }
    const DlArrays came = g.Evaluate(inputs);
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < came.size(); ++k) {
      EXPECT_LE(LargestError(came[k], expected[k]), bound) << name << ", output " << k;
    }
  }
}

// y, the derivatives of sum(y^2), and those of the sum of the squares of these.
Function WithDerivatives(const std::function<DlArray(const DlArrays&)>& f) {
  return [f](Arrays in) {
    return DlFeval(
        [&](const DlArrays& w) {
          const auto squares = [](const DlArray& y) { return Sum(Real(y * Conj(y))); };
          const DlArray y = f(w);
          DlArrays all =
              DlGradient(squares(y), w, {.enable_higher_derivatives = true, .allow_complex = true});
          DlArray total = 0.0;
          for (const DlArray& g : all) total = total + squares(g);
          for (const DlArray& g : DlGradient(total, w, {.allow_complex = true})) all.push_back(g);
          all.push_back(y);
          return all;
        },
        DlArrays(in.begin(), in.end()));
  };
}

struct AttentionCase {
  int64_t heads, depth, values, batch, queries, keys;
  std::optional<double> scale = {};
};

TEST(ExpandComposedTest, AttentionAndItsDerivatives) {
  for (const AttentionCase& c : {AttentionCase{1, 1, 1, 1, 1, 1},
                                 {1, 4, 4, 1, 8, 8},
                                 {3, 5, 2, 2, 7, 7},
                                 {2, 3, 4, 3, 5, 9},
                                 {2, 3, 4, 3, 9, 5, 1.5},
                                 {8, 4, 4, 1, 1, 16},
                                 {1, 16, 1, 5, 16, 1},
                                 {4, 8, 8, 2, 33, 31}}) {
    for (const bool causal : {false, true}) {
      for (const DataType type : {DataType::kDouble, DataType::kSingle}) {
        const auto array = [&](int64_t channels, int64_t steps, uint64_t seed) {
          return Cast(RandomInput({channels * c.heads, c.batch, steps}, "CBT", -2, 2, seed), type);
        };
        const DlArrays in = {array(c.depth, c.queries, 1), array(c.depth, c.keys, 2),
                             array(c.values, c.keys, 3)};
        const auto f = [&](const DlArrays& w) {
          return Attention(w[0], w[1], w[2], c.heads, {.scale = c.scale, .causal = causal});
        };
        ExpectSame(WithDerivatives(f), in, type == DataType::kDouble ? 1e-13 : 2e-5,
                   absl::StrCat(c.heads, " heads, ", c.queries, " queries, ", c.keys, " keys",
                                causal ? ", causal" : ""));
      }
    }
  }
}

// Source of the bounds: fft_composed.h, fft.h. The inputs are spread evenly, so the largest error
// is a few times its mean.
TEST(ExpandComposedTest, FourierTransformsOfManyLengths) {
  for (const int64_t n : {1,   2,   3,   5,   8,   16,  31,  32,  33,  36,   64,   96,   97,  100,
                          101, 121, 128, 210, 211, 243, 256, 404, 625, 1000, 1009, 1024, 3072}) {
    for (const DataType type : {DataType::kComplexDouble, DataType::kComplexSingle}) {
      bool has_large_prime = false;
      for (int64_t p : {101, 211, 1009}) has_large_prime = has_large_prime || n % p == 0;
      const double u = type == DataType::kComplexDouble ? 0x1p-53 : 0x1p-24;
      const double bound = (has_large_prime ? 8 : 2) * u * (2 + std::log2(n));
      for (const Sizes& sizes : {Sizes{n}, Sizes{n, 3}, Sizes{2, n}, Sizes{2, n, 3}}) {
        const DlArray x = RandomInput(sizes, "", -1, 1, 7, type);
        const int dim = sizes[0] == 2 && n != 2 ? 1 : 0;
        for (const bool inverse : {false, true}) {
          const auto f = [&](Arrays in) {
            return DlArrays{inverse ? Ifft(in[0], dim) : Fft(in[0], dim)};
          };
          const Graph graph = Recorded(f, DlArrays{x}), expanded = ExpandComposed(graph);
          CheckGraph(expanded);
          EXPECT_EQ(OpsOf(expanded).count("fft") + OpsOf(expanded).count("n_ifft"), 0u);
          const DlArrays in = {x};
          const DlArray came = expanded.Evaluate(in)[0];
          // In double, whose own error is nothing beside that of single.
          const DlArray exact = f(DlArrays{Cast(x, DataType::kComplexDouble)})[0];
          ASSERT_EQ(came.sizes(), exact.sizes());
          double errors = 0, squares = 0;
          for (int64_t i = 0; i < exact.numel(); ++i) {
            errors += std::norm(came.ComplexAt(i) - exact.ComplexAt(i));
            squares += std::norm(exact.ComplexAt(i));
          }
          const double own = type == DataType::kComplexDouble ? bound / 2 : 0;
          EXPECT_LE(std::sqrt(errors / squares), bound + own) << n << " of " << x.spec().rank();
        }
      }
    }
  }
}

TEST(ExpandComposedTest, FourierTransformsAndTheirDerivatives) {
  for (const int64_t n : {4, 7, 35, 36, 101}) {
    const DlArrays in = {RandomInput({n, 2, 3}, "SCB")};
    ExpectSame(WithDerivatives([](const DlArrays& w) {
                 const DlArray y = Fft(w[0], "SC");
                 return Ifft(y * y * Abs(y), 'S');
               }),
               in, 1e-12, absl::StrCat(n));
  }
  const DlArrays none = {DlArray::FromVector<double>({}, {0, 3})};
  ExpectSame([](Arrays x) { return DlArrays{Fft(x[0], 0), Fft(x[0], 1)}; }, none, 0, "empty");
}

// Attention has loops of its own: it stays unless it is asked for. Draws stay in their order.
// The ops multiply in single, whatever holds for products around them.
TEST(ExpandComposedTest, NothingIsRoundedToBfloat16) {
  const DlArray x = RandomInput({4, 2, 3}, "CBT", -1, 1, 1, DataType::kSingle);
  const Graph graph =
      Recorded([](Arrays in) { return DlArrays{Attention(in[0], in[0], in[0], 2)}; }, DlArrays{x});
  const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
  EXPECT_EQ(OpsOf(ExpandComposed(graph, Always)).count("round_to_bfloat16"), 0u);
}

TEST(ExpandComposedTest, OtherStepsStay) {
  const DlArrays in = {RandomInput({4, 2, 3}, "CBT")};
  const Function f = [](Arrays x) {
    const DlArray noise = RandLike(x[0]), y = Attention(x[0], x[0], x[0], 2);
    return DlArrays{y + noise + Real(Fft(RandnLike(y), 'T'))};
  };
  const Graph graph = Recorded(f, in);
  std::vector<int> origin;
  const Graph expanded = ExpandComposed(graph, IsUnwritten, &origin);
  CheckGraph(expanded);
  EXPECT_EQ(OpsOf(expanded).count("attention"), 1u);
  EXPECT_EQ(OpsOf(ExpandComposed(graph, Always)).count("attention"), 0u);
  ASSERT_EQ(origin.size(), expanded.steps().size());
  EXPECT_TRUE(std::is_sorted(origin.begin(), origin.end()));
  for (size_t s = 0; s < origin.size(); ++s) {
    const Op &now = *expanded.steps()[s].op, &then = *graph.steps()[origin[s]].op;
    EXPECT_TRUE(now.Name() == then.Name() || then.Name() == "fft") << now.Name();
  }
  for (const Graph& g : {expanded, Optimize(ExpandComposed(graph, Always))}) {
    const auto run = [&](const Graph& which) {
      RandomSource source(3);
      const ScopedRandomSource scope(source);
      return which.Evaluate(in)[0];
    };
    EXPECT_LE(LargestError(run(g), run(graph)), 1e-14);
  }
}

TEST(ExpandComposedTest, EqualStepsShareTheirConstants) {
  const DlArrays in = {RandomInput({64}, "S", -1, 1, 1, DataType::kComplexDouble)};
  const auto count = [&](int times) {
    const Graph g = ExpandComposed(Recorded(
        [times](Arrays x) {
          DlArray y = x[0];
          for (int i = 0; i < times; ++i) y = Fft(y, 0);
          return DlArrays{y};
        },
        in));
    int constants = 0;
    for (const GraphValue& v : g.values()) constants += v.constant.empty() ? 0 : 1;
    return constants;
  };
  EXPECT_EQ(count(1), 2);  // 64 is 8 times 8: one matrix, and the factors in between.
  EXPECT_EQ(count(3), 2);
}

}  // namespace
}  // namespace lamina
