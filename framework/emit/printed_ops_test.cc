// Every op that has a printed form and sums, multiplies or moves a window, against the eager op,
// over sizes drawn by chance. Elementwise ones: printed_elementwise_test.cc.
#include <cmath>
#include <complex>
#include <functional>
#include <vector>

#include "framework/emit/testing/printed_cases.h"
#include "framework/emit/testing/run_printed.h"
#include "framework/ops/attention.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/cumulative.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gather_along.h"
#include "framework/ops/linear_algebra.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "framework/ops/sort.h"
#include "framework/ops/spectral.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::Case;
using testing::Compare;
using testing::Draw;
using testing::Function;
using testing::RoundingOf;

TEST(PrintedOpsTest, Reductions) {
  Draw draw(3);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const Sizes sizes{draw.Size(1, 5), draw.Size(1, 4), draw.Size(1, 3)};
    const DlArray x = draw.Array(sizes, type, "SCB");
    for (const char* dims : {"S", "C", "SB", "SCB"}) {
      const DimSet set(dims);
      const auto add = [&](const char* name, Function f) {
        cases.push_back({name, std::move(f), {x}, nullptr});
      };
      // Exact, since the elements are few multiples of 1/16.
      add("sum", [set](Arrays a) { return DlArrays{Sum(a[0], set)}; });
      add("sum of a chain", [set](Arrays a) { return DlArrays{Sum(a[0] * a[0] - 1, set)}; });
      if (!set.is_all() && set.Mask("", x.spec()) <= 0b10) {
        add("prod", [set](Arrays a) { return DlArrays{Prod(a[0], set)}; });
      }
      add("max", [set](Arrays a) { return DlArrays{MaxOver(a[0], set)}; });
      add("min", [set](Arrays a) { return DlArrays{MinOver(a[0], set)}; });
      if (set.Mask("", x.spec()) != 0b101 && set.Mask("", x.spec()) != 0b111) {
        add("argmax", [set](Arrays a) { return DlArrays{ArgMax(a[0], set)}; });
      }
      add("any, all", [set](Arrays a) {
        return DlArrays{Any(a[0] > 1, set), All(a[0] < 1.5, set)};
      });
    }
  }
  Compare(cases);
}

TEST(PrintedOpsTest, Scans) {
  Draw draw(10);
  std::vector<Case> cases;
  for (int i = 0; i < 4; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const Sizes sizes{draw.Size(1, 5), draw.Size(2, 7), draw.Size(1, 3)};
    const DlArray x = draw.Array(sizes, type, "CTU"), b = draw.Array(sizes, type, "CTU");
    const CumulativeOptions options{.reverse = i > 1};
    for (int dim = 0; dim < 3; ++dim) {
      const auto add = [&](const char* name, Function f) {
        cases.push_back({name, std::move(f), {x, b}, nullptr});
      };
      // Sums and products of few elements are exact in double.
      add("cumsum",
          [dim, options](Arrays a) { return DlArrays{CumSum(a[0] * a[1], dim, options)}; });
      add("cumprod", [dim, options](Arrays a) { return DlArrays{CumProd(a[0], dim, options)}; });
      add("cummax", [dim, options](Arrays a) { return DlArrays{CumMax(a[0], dim, options)}; });
      add("cummin", [dim, options](Arrays a) { return DlArrays{CumMin(a[0], dim, options) * 2}; });
      add("linear recurrence", [dim, options](Arrays a) {
        return DlArrays{LinearRecurrence(a[0], a[1], dim, options)};
      });
      add("complex", [dim, options](Arrays a) {
        const DlArray z = Complex(a[0], a[1]), y = LinearRecurrence(z, z, dim, options);
        return DlArrays{Real(CumSum(z, dim, options)), Imag(CumProd(z, dim, options)), Real(y),
                        Imag(y)};
      });
    }
    cases.push_back({"of counts",
                     [options](Arrays a) { return DlArrays{CumSum(a[0], 0, options)}; },
                     {DlArray::FromVector<int64_t>({5, -7, int64_t{1} << 40, 3}, {4})},
                     nullptr});
  }
  // The first factor does not count; NaN is no extreme.
  const DlArray special = DlArray::FromVector<double>({NAN, 1, -3, NAN, 4, INFINITY}, {6});
  cases.push_back({"NaN and infinity",
                   [](Arrays a) {
                     return DlArrays{CumMax(a[0], 0), CumMin(a[0], 0, {.reverse = true}),
                                     LinearRecurrence(a[0], OnesLike(a[0]), 0)};
                   },
                   {special},
                   nullptr});
  Compare(cases);
}

TEST(PrintedOpsTest, MatrixProducts) {
  Draw draw(4);
  std::vector<Case> cases;
  for (int i = 0; i < 10; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t m = draw.Size(1, 5), n = draw.Size(1, 5), k = draw.Size(1, 6),
                  p = draw.Size(1, 3);
    const bool tx = i & 2, ty = i & 4;
    cases.push_back({"matmul",
                     [tx, ty](Arrays a) { return DlArrays{MatMul(a[0], a[1], tx, ty)}; },
                     {draw.Array(tx ? Sizes{k, m} : Sizes{m, k}, type),
                      draw.Array(ty ? Sizes{n, k} : Sizes{k, n}, type)},
                     nullptr});
    cases.push_back({"pages",
                     [](Arrays a) { return DlArrays{MatMul(a[0], a[1])}; },
                     {draw.Array({m, k, p}, type), draw.Array({k, n, i % 3 ? p : 1}, type)},
                     nullptr});
    cases.push_back({"fully connected",
                     [](Arrays a) { return DlArrays{FullyConnect(a[0], a[1], a[2])}; },
                     {draw.Array({2, m, k, p}, type, "SSCB"), draw.Array({n, 2 * m * k}, type),
                      draw.Array({n, 1}, type)},
                     nullptr});
    cases.push_back({"contract",
                     [](Arrays a) { return DlArrays{Contract(a[0], a[1], 'C')}; },
                     {draw.Array({m, k, p}, type, "SCB"), draw.Array({k, n}, type, "CU")},
                     nullptr});
  }
  Compare(cases);
}

TEST(PrintedOpsTest, Convolutions) {
  Draw draw(5);
  std::vector<Case> cases;
  for (int i = 0; i < 12; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t groups = draw.Size(1, 2), c = groups * draw.Size(1, 2),
                  f = groups * draw.Size(1, 2);
    const int64_t n = draw.Size(1, 2), stride = draw.Size(1, 2), dilation = draw.Size(1, 2);
    ConvOptions options;
    options.stride = {stride};
    options.dilation = {dilation};
    options.groups = groups;
    if (i % 3 == 0) options.padding = "same";
    if (i % 3 == 1) options.padding = Padding::BeginEnd({1, 0}, {0, 2});
    const auto conv = [options](Arrays a) {
      return DlArrays{DlConv(a[0], a[1], a.size() > 2 ? a[2] : DlArray(), options)};
    };
    cases.push_back({"conv",
                     conv,
                     {draw.Array({7, 6, c, n}, type, "SSCB"),
                      draw.Array({3, 2, c / groups, f}, type), draw.Array({f}, type)},
                     nullptr});
    cases.push_back(
        {"conv without bias",
         conv,
         {draw.Array({7, 6, c, n}, type, "SSCB"), draw.Array({1, 3, c / groups, f}, type)},
         nullptr});
    cases.push_back(
        {"conv over time",
         [](Arrays a) { return DlArrays{DlConv(a[0], a[1], a[2], {.padding = "causal"})}; },
         {draw.Array({2, n, 9}, type, "CBT"), draw.Array({3, 2, 4}, type), draw.Array({4}, type)},
         nullptr});
    cases.push_back({"transposed",
                     [stride](Arrays a) {
                       return DlArrays{DlTranspConv(a[0], a[1], a[2], {.stride = {stride}})};
                     },
                     {draw.Array({3, 4, 2, n}, type, "SSCB"), draw.Array({3, 2, f, 2}, type),
                      draw.Array({f}, type)},
                     nullptr});
  }
  Compare(cases);
}

TEST(PrintedOpsTest, Pooling) {
  Draw draw(6);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const DlArray x = draw.Array({6, 7, draw.Size(1, 2), draw.Size(1, 2)}, type, "SSCB");
    const int64_t stride = draw.Size(1, 3);
    PoolOptions options;
    options.window = {2, 4};
    options.stride = {stride};
    if (i % 4 > 1) options.padding = {1, 1};
    cases.push_back({"max with indices",
                     [options](Arrays a) {
                       const MaxPoolResult r = MaxPoolWithIndices(a[0], options);
                       return DlArrays{r.y, r.indices};
                     },
                     {x},
                     nullptr});
    cases.push_back(
        {"max", [options](Arrays a) { return DlArrays{MaxPool(a[0], options)}; }, {x}, nullptr});
    const bool count_padding = i % 3 == 0;
    // Sums are exact; the quotient may be taken as a product.
    cases.push_back({"average",
                     [options, count_padding](Arrays a) {
                       return DlArrays{AvgPool(a[0], options, count_padding)};
                     },
                     {x},
                     [](Arrays a) { return DlArray(4 * RoundingOf(a[0])); }});
    cases.push_back({"global average",
                     [](Arrays a) { return DlArrays{AvgPool(a[0], {.global = true})}; },
                     {x},
                     [](Arrays a) { return DlArray(4 * RoundingOf(a[0])); }});
  }
  DlArray special = DlArray::FromVector<double>(
      {std::nan(""), 1, -INFINITY, -INFINITY, 2, 3, -INFINITY, std::nan("")}, {8, 1, 1}, "SCB");
  cases.push_back({"NaN and infinity",
                   [](Arrays a) {
                     const MaxPoolResult r =
                         MaxPoolWithIndices(a[0], {.window = {2}, .stride = {2}});
                     return DlArrays{r.y, r.indices};
                   },
                   {special},
                   nullptr});
  // Of short windows without positions.
  for (const int64_t length : {2, 3}) {
    cases.push_back({"NaN and infinity alone",
                     [length](Arrays a) {
                       const PoolOptions options{.window = {length}, .stride = {1}};
                       return DlArrays{MaxPool(a[0], options), AvgPool(a[0], options)};
                     },
                     {special},
                     nullptr});
  }
  Compare(cases);
}

TEST(PrintedOpsTest, OneHot) {
  const auto of = [](const Sizes& sizes, const char* format) -> Case {
    return {"onehot",
            [](Arrays a) {
              return DlArrays{OneHot(a[0], 3), OneHot(a[0], 4, DataType::kLogical)};
            },
            {DlArray::FromVector<int64_t>({2, 0, 1, 1, 2, 0}, sizes, format)},
            nullptr};
  };
  Compare({of({1, 6}, "CB"), of({6}, "B"), of({3, 2}, "SB"), of({3, 1, 2}, "SCB")});
}

TEST(PrintedOpsTest, GatherAndScatterAdd) {
  Draw draw(9);
  std::vector<Case> cases;
  for (int i = 0; i < 6; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const Sizes sizes{draw.Size(1, 5), draw.Size(1, 4), draw.Size(1, 3)};
    const DlArray x = draw.Array(sizes, type, "SCB");
    for (int dim = 0; dim < 3; ++dim) {
      // Some twice, some not at all; in any of the forms that positions have.
      std::vector<int64_t> positions;
      for (int64_t k = 0; k < sizes[dim] + 2; ++k) positions.push_back((7 * k + i) % sizes[dim]);
      const auto count = static_cast<int64_t>(positions.size());
      const DlArray p = dim == 0 ? DlArray::FromVector(positions, {count})
                        : dim == 1
                            ? DlArray::FromVector(positions, {1, count}, "CB")
                            : Cast(DlArray::FromVector(positions, {count, 1}), DataType::kInt32);
      cases.push_back({"gather",
                       [dim](Arrays a) { return DlArrays{Gather(a[0], dim, a[1]) * 2}; },
                       {x, p},
                       nullptr});
      cases.push_back({"scatter_add",
                       [dim, n = sizes[dim]](Arrays a) {
                         return DlArrays{ScatterAdd(Gather(a[0], dim, a[1]), dim, a[1], n) + 1};
                       },
                       {x, p},
                       nullptr});
    }
  }
  Compare(cases);
}

TEST(PrintedOpsTest, OrderAlongADim) {
  Draw draw(11);
  std::vector<Case> cases;
  for (const DataType type : {DataType::kSingle, DataType::kDouble, DataType::kInt32,
                              DataType::kInt64, DataType::kUint8, DataType::kLogical}) {
    const DlArray x = Cast(draw.Array({3, 7, 2}, DataType::kSingle, "SCB") * 2 + 4, type);
    for (int dim = 0; dim < 3; ++dim) {
      cases.push_back({"sort",
                       [dim](Arrays a) {
                         const TopKResult best = TopK(a[0], dim, 2);
                         return DlArrays{Sort(a[0], dim), ArgSort(a[0], dim), best.values,
                                         best.positions, Median(a[0], dim)};
                       },
                       {x},
                       nullptr});
    }
  }
  for (const bool descending : {false, true}) {
    cases.push_back(
        {"NaN and infinity",
         [descending](Arrays a) {
           return DlArrays{Sort(a[0], 0, {.descending = descending}),
                           ArgSort(a[0], 0, {.descending = descending})};
         },
         {DlArray::FromVector<double>({NAN, 1, -INFINITY, NAN, 0, -0.0, INFINITY}, {7})},
         nullptr});
  }
  const DlArray x = draw.Array({4, 3, 2}, DataType::kSingle, "SCB"),
                p = DlArray::FromVector<int64_t>({0, 2, 1, 1, 2, 2, 0, 0}, {4, 1, 2});
  cases.push_back({"gather along",
                   [](Arrays a) {
                     const DlArray y = GatherAlong(a[0], 'C', a[1]);
                     return DlArrays{y, ScatterAddAlong(y * 2, 'C', a[1], 3) + 1};
                   },
                   {x, p},
                   nullptr});
  Compare(cases);
}

// Printed code has no errors: there is 0, or nothing is added. A position of 64 bits whose lower
// half is in range is not.
TEST(PrintedOpsTest, PositionsOutOfRangeGiveZero) {
  constexpr int64_t kWide = int64_t{1} << 32;
  const DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {1, 6}),
                p = DlArray::FromVector<int64_t>({kWide, 1, -1, 3, 1 - kWide, INT64_MAX}, {6});
  for (const ProgramFor target : {ProgramFor::kProducts, ProgramFor::kDevice}) {
    std::vector<testing::PrintedCase> cases;
    for (const DlArray& positions : {p, Cast(p, DataType::kInt32)}) {
      const DlArrays inputs{x, positions};
      const Graph graph = RecordGraph(
          [](Arrays a) {
            const DlArray three = Slice(a[0], 1, 0, 3);
            const DlArray p = Reshape(a[1], {1, 6});
            return DlArrays{Gather(three, 1, a[1]), ScatterAdd(a[0], 1, a[1], 3),
                            GatherAlong(three, 1, p), ScatterAddAlong(a[0], 1, p, 3)};
          },
          std::vector<ArraySpec>{x.spec(), positions.spec()});
      cases.push_back({graph, inputs});
    }
    for (const DlArrays& y : testing::RunPrinted(cases, "", target)) {
      for (const size_t k : {0, 2}) {
        EXPECT_EQ(y[k].ToVector<float>(), (std::vector<float>{0, 2, 0, 0, 0, 0}));
        EXPECT_EQ(y[k + 1].ToVector<float>(), (std::vector<float>{0, 2, 0}));
      }
    }
  }
}

TEST(PrintedOpsTest, Attention) {
  Draw draw(8);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t heads = draw.Size(1, 3), depth = draw.Size(1, 5), values = draw.Size(1, 5);
    const int64_t batch = draw.Size(1, 3), queries = draw.Size(1, 6), keys = draw.Size(1, 6);
    const DlArray q = draw.Array({heads * depth, batch, queries}, type, "CBT");
    const DlArray k = draw.Array({heads * depth, batch, keys}, type, "CBT");
    const DlArray v = draw.Array({heads * values, batch, keys}, type, "CBT");
    // A score is at most 4 depth and exact before it is scaled by a quarter; the greatest is taken
    // off. exp of both within 3 ulp, two sums of `keys` of them, a quotient; values are at most 2.
    cases.push_back(
        {"attention",
         [heads, causal = i % 4 < 2](Arrays a) {
           return DlArrays{Attention(a[0], a[1], a[2], heads, {.scale = 0.25, .causal = causal})};
         },
         {q, k, v},
         [keys](Arrays a) {
           return DlArray(2 * 2 * (6.0 + 2 * static_cast<double>(keys)) * RoundingOf(a[0]));
         }});
  }
  Compare(cases);
}

TEST(PrintedOpsTest, SoftmaxAndNormalizations) {
  Draw draw(7);
  std::vector<Case> cases;
  for (int i = 0; i < 8; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t c = 2 * draw.Size(1, 4);
    const DlArray x = draw.Array({3, c, draw.Size(1, 3)}, type, "SCB");
    const DlArray scale = draw.Array({c}, type), offset = draw.Array({c}, type);
    // exp of both within 3 ulp of numbers below 1, a sum of c of them, a quotient.
    const auto softmax_bound = [c](Arrays a) {
      return DlArray((8.0 + static_cast<double>(c)) * 2 * RoundingOf(a[0]));
    };
    cases.push_back(
        {"softmax", [](Arrays a) { return DlArrays{Softmax(a[0])}; }, {x}, softmax_bound});
    cases.push_back({"softmax over S and B",
                     [](Arrays a) { return DlArrays{SoftmaxOver(a[0], "SB")}; },
                     {x},
                     [](Arrays a) { return DlArray(40 * RoundingOf(a[0])); }});
    // Of numbers up to 4 + log(8).
    cases.push_back(
        {"logsoftmax",
         [](Arrays a) { return DlArrays{LogSoftmax(a[0])}; },
         {x},
         [c](Arrays a) { return DlArray((40.0 + static_cast<double>(c)) * RoundingOf(a[0])); }});
    // Standardized values are at most sqrt(n); scale and offset at most 2. The eager sums are
    // within (130 + log2 n) u, the printed ones are in double.
    const auto norm_bound = [](Arrays a) {
      return DlArray(2 * 140 * RoundingOf(a[0]) * 2 * std::sqrt(static_cast<double>(a[0].numel())));
    };
    cases.push_back({"layer norm",
                     [](Arrays a) { return DlArrays{LayerNorm(a[0], a[1], a[2])}; },
                     {x, offset, scale},
                     norm_bound});
    cases.push_back({"group norm",
                     [](Arrays a) { return DlArrays{GroupNorm(a[0], 2, a[1], a[2])}; },
                     {x, offset, scale},
                     norm_bound});
    cases.push_back({"instance norm",
                     [](Arrays a) { return DlArrays{InstanceNorm(a[0], a[1], a[2])}; },
                     {x, offset, scale},
                     norm_bound});
  }
  Compare(cases);
}

TEST(PrintedOpsTest, ComplexNumbers) {
  Draw draw(8);
  std::vector<Case> cases;
  for (int i = 0; i < 4; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const DlArray re = draw.Array({3, 4}, type), im = draw.Array({3, 4}, type),
                  other = draw.Array({4, 3}, type);
    const auto add = [&](const char* name, const std::function<DlArray(const DlArray&)>& f) {
      cases.push_back({name,
                       [f](Arrays a) {
                         const DlArray y = f(Complex(a[0], a[1]));
                         return IsComplex(y.type()) ? DlArrays{Real(y), Imag(y)} : DlArrays{y};
                       },
                       {re, im},
                       nullptr});
    };
    add("conj", [](const DlArray& z) { return Conj(z); });
    add("times", [](const DlArray& z) { return z * z + 1; });
    add("times i", [](const DlArray& z) { return z * DlArray(std::complex<double>(0, 1)); });
    add("where", [](const DlArray& z) { return Where(Real(z) > 0, z, -z); });
    add("matmul", [](const DlArray& z) { return MatMul(z, z, false, true); });
    add("sum", [](const DlArray& z) { return Sum(z * z + 1, DimSet({0})); });
    add("prod", [](const DlArray& z) { return Prod(z, DimSet({0})); });
    add("any", [](const DlArray& z) { return Any(z, DimSet({1})); });
    // Quotients, roots and exponentials are rounded otherwise.
    const auto near = [&](const char* name, const std::function<DlArray(const DlArray&)>& f) {
      for (const bool real : {true, false}) {
        cases.push_back({name,
                         [f, real](Arrays a) {
                           const DlArray y = f(Complex(a[0], a[1]));
                           return DlArrays{real ? Real(y) : Imag(y)};
                         },
                         {re, im},
                         [f](Arrays a) {
                           return Cast(Abs(f(Complex(a[0], a[1]))), DataType::kDouble) *
                                  (16 * RoundingOf(a[0]));
                         }});
      }
    };
    near("sign", [](const DlArray& z) { return Sign(z); });
    near("quotient",
         [](const DlArray& z) { return (z + 1) / (z - DlArray(std::complex<double>(3, 1))); });
    near("exp", [](const DlArray& z) { return Exp(z); });
    near("log", [](const DlArray& z) { return Log(z + 4); });
    near("sqrt", [](const DlArray& z) { return Sqrt(z); });
    near("abs", [](const DlArray& z) { return Complex(Abs(z), Abs(z)); });
    const struct {
      const char* name;
      DlArray (*function)(const DlArray& z);
    } functions[] = {{"expm1", Expm1}, {"log1p", Log1p},    {"log2", Log2},   {"log10", Log10},
                     {"rsqrt", Rsqrt}, {"sin", Sin},        {"cos", Cos},     {"tan", Tan},
                     {"asin", Asin},   {"acos", Acos},      {"atan", Atan},   {"sinh", Sinh},
                     {"cosh", Cosh},   {"tanh", Tanh},      {"asinh", Asinh}, {"acosh", Acosh},
                     {"atanh", Atanh}, {"sigmoid", Sigmoid}};
    for (const auto& f : functions) near(f.name, f.function);
    near("power", [](const DlArray& z) { return Power(z + 2, z); });
  }
  Compare(cases);
}

// As they are composed; the error is that of graph/expand_composed_test.cc, of which the largest is
// a few times the mean.
TEST(PrintedOpsTest, FourierTransforms) {
  Draw draw(9);
  std::vector<Case> cases;
  for (const int64_t n : {1, 4, 7, 36, 101}) {
    const DataType type = n % 2 ? DataType::kDouble : DataType::kSingle;
    for (const Sizes& sizes : {Sizes{n, 2}, Sizes{2, n, 3}}) {
      for (const int part : {0, 1, 2, 3}) {
        cases.push_back({"fft",
                         [dim = static_cast<int>(sizes.size()) - 2, part](Arrays a) {
                           const DlArray y = part & 1 ? Ifft(a[0], dim) : Fft(a[0], dim);
                           return DlArrays{part & 2 ? Imag(y) : Real(y)};
                         },
                         {draw.Array(sizes, type)},
                         [n, part](Arrays a) {
                           const double length = static_cast<double>(n);
                           const double root = part & 1 ? 1 / std::sqrt(length) : std::sqrt(length);
                           return DlArray((n == 101 ? 10 : 3) * (2 + std::log2(length)) * 4 * 2 *
                                          root * RoundingOf(a[0]));
                         }});
      }
    }
  }
  Compare(cases);
}

// Both solve within the bounds of linear_algebra.h. With n on the diagonal more than the sum of the
// row beside it, numbers grow by less than 2 and inverses are below 1.
TEST(PrintedOpsTest, Matrices) {
  Draw draw(10);
  std::vector<Case> cases;
  for (int i = 0; i < 4; ++i) {
    const DataType type = i % 2 ? DataType::kDouble : DataType::kSingle;
    const int64_t n = draw.Size(1, 6), m = draw.Size(1, 3), pages = draw.Size(1, 3);
    const DlArray re = draw.Array({n, n, pages}, type), im = draw.Array({n, n, pages}, type),
                  b = draw.Array({n, m, i ? pages : 1}, type);
    const auto size = static_cast<double>(n);
    // Rows are reversed, so that each step exchanges two.
    const auto matrix = [=](Arrays a, bool is_complex) {
      const DlArray x = is_complex ? Complex(a[0], a[1]) : a[0];
      return x + 6 * size * Cast(Flip(Eye(n), 0), x.type());
    };
    for (const bool is_complex : {false, true}) {
      const auto add = [&](const char* name, double bound,
                           const std::function<DlArray(const DlArray&, const DlArray&)>& f) {
        for (const bool imaginary : {false, true}) {
          if (imaginary && !is_complex) continue;
          cases.push_back({name,
                           [=](Arrays a) {
                             const DlArray y = f(matrix(a, is_complex), a[2]);
                             return DlArrays{imaginary ? Imag(y) : Real(y)};
                           },
                           {re, im, b},
                           [=](Arrays a) {
                             return DlArray(8 * size * (size + 2) * bound * RoundingOf(a[0]));
                           }});
        }
      };
      add("solve", 2, [](const DlArray& a, const DlArray& v) { return Solve(a, v); });
      add("inverse", 1, [](const DlArray& a, const DlArray&) { return Inverse(a); });
      add("determinant", 1,
          [size](const DlArray& a, const DlArray&) { return Determinant(a / (6 * size)); });
      add("sign", 1, [](const DlArray& a, const DlArray&) { return LogDeterminant(a).sign; });
      add("logarithm", 6,
          [](const DlArray& a, const DlArray&) { return LogDeterminant(a).log_magnitude; });
      const auto positive = [n](const DlArray& a) { return Flip(a, 0); };
      add("cholesky", 6 * size,
          [positive](const DlArray& a, const DlArray&) { return Cholesky(positive(a)); });
      for (const bool lower : {false, true}) {
        for (const bool transposed : {false, true}) {
          add("triangular", 2, [=](const DlArray& a, const DlArray& v) {
            return TriangularSolve(positive(a), v, lower ? Triangle::kLower : Triangle::kUpper,
                                   transposed);
          });
        }
      }
    }
    cases.push_back({"triangles",
                     [k = i - 2](Arrays a) {
                       return DlArrays{LowerTriangle(a[0], k), UpperTriangle(a[0], k),
                                       DiagonalMatrix(Diagonal(a[0])), Kron(a[0], a[2])};
                     },
                     {re, im, re},
                     nullptr});
  }
  // Without a result; the second has no pivot in its first column.
  for (const DlArray& singular :
       {DlArray::FromVector<double>({1, 2, 2, 4}, {2, 2}),
        DlArray::FromVector<double>({0, 0, 0, 1, 2, 4, 4, 5, 7}, {3, 3})}) {
    cases.push_back(
        {"singular",
         [](Arrays a) {
           return DlArrays{Determinant(a[0]), LogDeterminant(a[0]).log_magnitude, Cholesky(a[0])};
         },
         {singular},
         nullptr});
  }
  Compare(cases);
}

TEST(PrintedOpsTest, ARandomOpIsAnErrorThatNamesIt) {
  const Graph graph = RecordGraph([](Arrays x) { return DlArrays{x[0] + RandLike(x[0])}; },
                                  std::vector<ArraySpec>{{DataType::kSingle, {8}, "C"}});
  try {
    testing::PrintedFunction(graph, "f");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "Every op of generated code has a printed form. The op rand has none. It draws "
                 "random numbers: use it in training (Forward) only. [emit:CannotPrint]");
  }
}

}  // namespace
}  // namespace lamina
