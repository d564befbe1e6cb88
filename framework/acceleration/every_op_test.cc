// Each op, its derivative and the derivative of that: accelerated as op by op? The sources of
// framework/ops say which ops there are, so a new one is missed here.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "framework/acceleration/testing/accelerated_table.h"
#include "framework/autodiff/kernel_function.h"
#include "framework/ops/activation.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/attention.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/cumulative.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gather_along.h"
#include "framework/ops/linear_algebra.h"
#include "framework/ops/loss.h"
#include "framework/ops/lstm.h"
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
#include "framework/ops/split.h"
#include "framework/ops/testing/elementwise_table.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

void AddElementwise(AcceleratedTable& t) {
  for (const auto& [name, function] : UnaryFunctions()) {
    const UnaryFunction f = function;
    t.Add(name, {t.Array({5, 3})}, [f](Arrays x) { return f(x[0]); });
    t.Add(name + " above 1", {t.Array({7})}, [f](Arrays x) { return f(x[0] + 1); });
  }
  for (const auto& [name, function] : BinaryFunctions()) {
    const BinaryFunction f = function;
    t.Add(name, {t.Array({5, 3}), t.Array({5, 1})}, [f](Arrays x) { return f(x[0], x[1]); });
  }
  t.Add("where", {t.Array({6}), t.Array({6})},
        [](Arrays x) { return Where(x[0] < x[1], x[0] * x[1], x[1]); });
  t.Add("activations", {t.Array({6})}, [](Arrays x) {
    const DlArray v = 2 * x[0] - 1;
    return DlArrays{LeakyRelu(v), ClippedRelu(v, 0.5), Elu(v), Gelu(v), Softplus(v), Swish(v)};
  });
  t.Add("cast", {t.Array({6})}, [](Arrays x) {
    return DlArrays{Cast(Cast(4 * x[0], DataType::kInt32), x[0].type()),
                    Cast(x[0], DataType::kSingle) * 2};
  });
  t.Add("round to bfloat16", {t.Array({6})},
        [](Arrays x) { return RoundToBfloat16(Single(x[0])) * 2; });
}

void AddComplex(AcceleratedTable& t) {
  const auto z = [](Arrays x) { return Complex(x[0], x[1]); };
  const auto add = [&](const char* name, std::function<DlArray(const DlArray&)> f) {
    t.Add(name, {t.Array({4, 4}), t.Array({4, 4})}, [=](Arrays x) { return f(z(x)); });
  };
  add("complex product", [](const DlArray& v) { return v * (v + 1) / (v + 2); });
  add("complex parts", [](const DlArray& v) { return Real(v) * Imag(v) + Abs(v); });
  add("complex exp", [](const DlArray& v) { return Exp(v) + Sqrt(v) + Conj(v); });
  add("complex matmul", [](const DlArray& v) { return MatMul(v, v, true, false); });
  add("complex solve", [](const DlArray& v) { return Solve(v + 4 * EyeLike(v), v); });
  add("complex cholesky", [](const DlArray& v) { return Cholesky(v + 4 * EyeLike(v)); });
  add("fft", [](const DlArray& v) { return Fft(v, 0); });
  add("ifft", [](const DlArray& v) { return Ifft(v, 1); });
  add("complex product of all", [](const DlArray& v) { return Prod(v, 0); });
  add("complex sum", [](const DlArray& v) { return Sum(v, 0); });
}

void AddShapes(AcceleratedTable& t) {
  const DlArray x = t.Array({4, 3, 2}, "SCB");
  t.Add("reshape", {x}, [](Arrays a) { return Reshape(StripDims(a[0]), {6, 4}) * 2; });
  t.Add("permute", {t.Array({4, 3, 2})}, [](Arrays a) { return Permute(a[0], {2, 0, 1}) + 1; });
  t.Add("relabel", {x}, [](Arrays a) { return DlArray(StripDims(a[0]), "BCS") * 3; });
  t.Add("slice", {x}, [](Arrays a) { return Slice(a[0], 'S', 1, 2, 2) * a[0].size(0); });
  t.Add("circshift", {x}, [](Arrays a) { return CircShift(a[0] * a[0], 'C', 1); });
  t.Add("flip", {x}, [](Arrays a) { return Flip(a[0], "SC"); });
  t.Add("cat", {x, x}, [](Arrays a) { return Cat('C', {a[0], 2 * a[1]}); });
  t.Add("split", {x}, [](Arrays a) { return Split(a[0] * a[0], 'S', {1, 3}); });
  t.Add("repmat", {t.Array({2, 3})}, [](Arrays a) {
    return Repmat(a[0], std::vector<int64_t>{2, 2});
  });
  const DlArray indices = DlArray::FromVector<int64_t>({2, 0, 2, 1}, {4});
  t.Add("gather", {x, indices}, [](Arrays a) { return Gather(a[0], 'C', a[1]) * 2; });
  t.Add("scatter", {t.Array({4, 4}), indices},
        [](Arrays a) { return ScatterAdd(a[0] * a[0], 1, a[1], 5); });
  t.Add("onehot", {DlArray::FromVector<int64_t>({2, 0, 1}, {1, 3}, "CB")},
        [type = t.type()](Arrays a) { return OneHot(a[0], 4, type); });
  t.Add("random", {x}, [](Arrays a) { return a[0] * RandLike(a[0]) + RandnLike(a[0]); });
}

void AddReductions(AcceleratedTable& t) {
  const DlArray x = t.Array({5, 4, 3}, "SCB");
  for (const char* dims : {"S", "C", "SB", "SCB"}) {
    t.Add(std::string("reductions over ") + dims, {x}, [dims](Arrays a) {
      return DlArrays{Sum(a[0], dims),     Mean(a[0], dims),       Variance(a[0], dims),
                      MaxOver(a[0], dims), MinOver(a[0], dims),    Any(a[0] > 0.5, dims),
                      All(a[0] < 2, dims), Sum(a[0] * a[0], dims), Prod(2 * a[0], dims)};
    });
  }
  t.Add("argmax", {x}, [](Arrays a) { return DlArrays{ArgMax(a[0], 'C'), ArgMin(a[0], 'S')}; });
  t.Add("softmax", {x}, [](Arrays a) {
    return DlArrays{Softmax(a[0]), LogSoftmax(a[0]), SoftmaxOver(a[0], "SB")};
  });
  const DlArray scale = t.Array({4}), offset = t.Array({4});
  t.Add("normalizations", {x, offset, scale}, [](Arrays a) {
    const BatchNormResult r = BatchNorm(a[0], a[1], a[2]);
    return DlArrays{r.y,
                    r.mean,
                    r.variance,
                    LayerNorm(a[0], a[1], a[2]),
                    GroupNorm(a[0], 2, a[1], a[2]),
                    InstanceNorm(a[0], a[1], a[2])};
  });
}

void AddScans(AcceleratedTable& t) {
  const DlArray x = t.Array({3, 4, 5}, "CBT");
  for (const bool reverse : {false, true}) {
    const CumulativeOptions options{.reverse = reverse};
    for (const char label : {'C', 'T'}) {
      t.Add("scans", {x}, [=](Arrays a) {
        return DlArrays{CumSum(a[0] * a[0], label, options), CumProd(a[0], label, options),
                        CumMax(a[0], label, options), CumMin(a[0], label, options)};
      });
      t.Add("linear recurrence", {x, t.Array({3}, "C")},
            [=](Arrays a) { return LinearRecurrence(a[1], a[0], label, options); });
    }
  }
  t.Add("diff", {x}, [](Arrays a) { return Diff(a[0] * a[0], 'B', 2); });
  t.Add("complex scans", {t.Array({4, 2}), t.Array({4, 2})}, [](Arrays a) {
    const DlArray z = Complex(a[0], a[1]);
    return DlArrays{CumSum(z, 0), CumProd(z, 0), LinearRecurrence(z, z, 1)};
  });
}

void AddOrder(AcceleratedTable& t) {
  const DlArray x = t.Array({3, 4, 5}, "CBT");
  for (const char label : {'C', 'T'}) {
    t.Add("sort", {x}, [label](Arrays a) {
      const TopKResult best = TopK(a[0] * a[0], label, 2);
      return DlArrays{Sort(a[0], label), ArgSort(a[0], label, {.descending = true}), best.values,
                      best.positions, Median(a[0], label)};
    });
  }
  const DlArray p = DlArray::FromVector<int64_t>({2, 0, 2, 1, 1, 0}, {2, 3}, "CB");
  t.Add("gather along", {t.Array({3, 3}, "CB"), p},
        [](Arrays a) { return GatherAlong(a[0] * a[0], 'C', a[1]); });
  t.Add("scatter along", {t.Array({2, 3}, "CB"), p},
        [](Arrays a) { return ScatterAddAlong(a[0] * a[0], 'C', a[1], 4); });
}

void AddProducts(AcceleratedTable& t) {
  t.Add("matmul", {t.Array({4, 3}), t.Array({3, 5})}, [](Arrays a) { return MatMul(a[0], a[1]); });
  t.Add("pages", {t.Array({3, 4, 2}), t.Array({5, 3, 2})},
        [](Arrays a) { return MatMul(a[0], a[1], true, true); });
  t.Add("contract", {t.Array({4, 3}, "SC"), t.Array({3, 2}, "CU")},
        [](Arrays a) { return Contract(a[0], a[1], 'C'); });
  t.Add("fullyconnect", {t.Array({3, 2}, "CB"), t.Array({4, 3}), t.Array({4})},
        [](Arrays a) { return FullyConnect(a[0], a[1], a[2]); });
  t.Add("lstm",
        {t.Array({2, 3, 4}, "CBT"), t.Array({3, 1}), t.Array({3, 1}), t.Array({12, 2}),
         t.Array({12, 3}), t.Array({12, 1})},
        [](Arrays a) {
          const LstmResult r = Lstm(a[0], a[1], a[2], a[3], a[4], a[5]);
          return DlArrays{r.y, r.hidden_state, r.cell_state};
        });
  t.Add("attention",
        {t.Array({4, 2, 5}, "CBT"), t.Array({4, 2, 5}, "CBT"), t.Array({4, 2, 5}, "CBT")},
        [](Arrays a) { return Attention(a[0], a[1], a[2], 2, {.causal = true}); });
  t.Add("losses", {t.Array({3, 4}, "CB"), t.Array({3, 4}, "CB")}, [](Arrays a) {
    return DlArrays{CrossEntropy(a[0], a[1]), BinaryCrossEntropy(a[0], a[1]),
                    Mse(a[0], a[1]),          L1Loss(a[0], a[1]),
                    L2Loss(a[0], a[1]),       Huber(a[0], a[1], 0.3)};
  });
}

void AddWindows(AcceleratedTable& t) {
  const DlArray x = t.Array({7, 6, 4, 2}, "SSCB");
  t.Add("conv", {x, t.Array({3, 2, 2, 6}), t.Array({6})}, [](Arrays a) {
    return DlConv(a[0], a[1], a[2], {.stride = {2}, .padding = 1, .groups = 2});
  });
  t.Add("conv over time", {t.Array({2, 2, 9}, "CBT"), t.Array({3, 2, 4}), t.Array({4})},
        [](Arrays a) { return DlConv(a[0], a[1], a[2], {.padding = "causal"}); });
  t.Add("transposed conv", {t.Array({3, 4, 2, 2}, "SSCB"), t.Array({3, 2, 5, 2}), t.Array({5})},
        [](Arrays a) { return DlTranspConv(a[0], a[1], a[2], {.stride = {2}}); });
  t.Add("pooling", {x}, [](Arrays a) {
    const PoolOptions options{.window = {2, 3}, .stride = {2}, .padding = 1};
    const MaxPoolResult r = MaxPoolWithIndices(a[0], options);
    return DlArrays{r.y, r.indices, MaxPool(a[0] * a[0], options), AvgPool(a[0], options),
                    AvgPool(a[0], {.global = true})};
  });
}

void AddOthers(AcceleratedTable& t) {
  static const KernelFunction cube({.name = "Cube", .source = ""},
                                   [](const DlArray& x) { return x * x * x; });
  t.Add("own kernel", {t.Array({6})}, [](Arrays a) { return cube(2 * a[0]) + 1; });
  // Of one rank.
  t.Add("sum over ranks", {t.Array({6}), t.Array({3, 2})}, [](Arrays a) {
    const auto ranks = std::make_shared<parallel::Communicator>(parallel::RankOptions());
    const DlArrays sums = AllReduceSum(DlArrays{2 * a[0], a[1] * a[1]}, ranks);
    return DlArrays{sums[0] * 3, sums[1]};
  });
}

void AddMatrices(AcceleratedTable& t) {
  const DlArray a = t.Array({4, 4, 3}), b = t.Array({4, 2});
  const auto regular = [](const DlArray& x) { return x + 3 * EyeLike(x); };
  t.Add("solve", {a, b}, [=](Arrays x) { return Solve(regular(x[0]), x[1]); });
  t.Add("determinant", {a}, [=](Arrays x) {
    return DlArrays{Determinant(x[0]), LogDeterminant(regular(x[0])).log_magnitude};
  });
  t.Add("cholesky", {a, b}, [=](Arrays x) {
    const DlArray l = Cholesky(regular(x[0]));
    return DlArrays{l, TriangularSolve(l, x[1]), TriangularSolve(l, x[1], Triangle::kLower, true)};
  });
  t.Add("parts of matrices", {a, b}, [](Arrays x) {
    return DlArrays{UpperTriangle(x[0], 1), DiagonalMatrix(Diagonal(x[0])), Trace(x[0]),
                    Kron(x[0], x[1]), Norm(x[0], 2, 0)};
  });
}

// What the sources of framework/ops give ops for names. Names that are computed are told here.
std::set<std::string> AllOpNames() {
  std::set<std::string> names{"where",   "sum",        "max_over", "min_over", "any",
                              "argmax",  "argmin",     "all",      "rand",     "randn",
                              "softmax", "logsoftmax", "fft",      "n_ifft",   "prod",
                              "cumsum",  "cumprod",    "cummax",   "cummin"};
  for (const auto& [name, f] : UnaryFunctions()) names.insert(name);
  for (const auto& [name, f] : BinaryFunctions()) names.insert(name);
  const std::regex literal("Name\\(\\) const override \\{ return \"([a-z_0-9]+)\"; \\}");
  std::istringstream files(std::getenv("OP_SOURCES"));
  for (std::string path; files >> path;) {
    std::ifstream file(path);
    EXPECT_TRUE(file.is_open()) << path;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (std::sregex_iterator i(text.begin(), text.end(), literal), end; i != end; ++i) {
      // Not the example in the description of Op.
      if ((*i)[1] != "square" || path.find("op.h") == std::string::npos) names.insert((*i)[1]);
    }
  }
  names.erase("own_kernel");  // A trace for the processor has the function in its place.
  return names;
}

TEST(EveryOpTest, AcceleratedIsTheSameAsOpByOp) {
  RandomSource source{.seed = 7};
  const ScopedRandomSource scope(source);
  std::set<std::string> seen;
  for (const DataType type : {DataType::kDouble, DataType::kSingle}) {
    for (const auto add : {AddElementwise, AddComplex, AddShapes, AddReductions, AddScans, AddOrder,
                           AddProducts, AddWindows, AddMatrices, AddOthers}) {
      AcceleratedTable table(type);
      add(table);
      table.ExpectSame(&seen);
    }
  }
  for (const std::string& name : AllOpNames()) EXPECT_EQ(seen.count(name), 1u) << name;
}

}  // namespace
}  // namespace lamina
