// Equations and factors of matrices on a device, against the same functions here; and how much of
// them a device computes at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/emit/parallel_loops.h"
#include "framework/emit/program.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear_algebra.h"
#include "framework/ops/reduction.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(const DlArrays&)>;

class DeviceMatricesTest : public testing::EachDevice {
 protected:
  DlArrays There(const DlArrays& arrays) {
    DlArrays there;
    for (const DlArray& x : arrays) there.push_back(gpu_->ToDevice(x));
    return there;
  }
  static void ExpectNear(const DlArrays& came, const DlArrays& expected, double bound) {
    ASSERT_EQ(came.size(), expected.size());
    for (size_t k = 0; k < expected.size(); ++k) {
      EXPECT_TRUE(came[k].on_device()) << k;
      EXPECT_EQ(came[k].spec(), expected[k].spec());
      const DlArray y = Gather(came[k]);
      double difference = 0, largest = 1;
      for (int64_t i = 0; i < y.numel(); ++i) {
        const double d = std::abs(y.ComplexAt(i) - expected[k].ComplexAt(i));
        difference = std::isnan(d) ? INFINITY : std::max(difference, d);
        largest = std::max(largest, std::abs(expected[k].ComplexAt(i)));
      }
      EXPECT_LE(difference, bound * largest) << "output " << k;
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, DeviceMatricesTest, ::testing::Bool(), testing::DeviceKind);

// The values, and the derivatives of the sum of the squares of all.
DlArrays WithGradients(const Function& f, const DlArrays& in) {
  return DlFeval(
      [&](const DlArrays& w) {
        DlArrays all = f(w);
        DlArray loss = 0.0;
        for (const DlArray& y : all) loss = loss + Sum(Square(Real(y))) + Sum(Square(Imag(y)));
        for (const DlArray& g : DlGradient(loss, w, {.allow_complex = true})) all.push_back(g);
        return all;
      },
      in);
}

// Pages of matrices whose pivots do not stand on the diagonal, and right sides.
DlArrays Inputs(int64_t n, int64_t m, int64_t pages, DataType type) {
  const DlArray a = RandomInput({n, n, pages}, "", -1, 1, 1, DataType::kComplexDouble);
  const DlArray b = RandomInput({n, m, pages}, "", -1, 1, 2, DataType::kComplexDouble);
  return {Cast(a, type), Cast(b, type)};
}

DlArrays AllFunctions(const DlArrays& x) {
  const auto n = static_cast<double>(x[0].size(0));
  const DlArray regular = x[0] + n * EyeLike(x[0]);
  const DlArray l = Cholesky(regular);
  const LogDeterminantResult log = LogDeterminant(x[0]);
  return {Solve(x[0], x[1]),
          TriangularSolve(l, x[1]),
          TriangularSolve(l, x[1], Triangle::kLower, true),
          l,
          Determinant(x[0]),
          log.sign,
          log.log_magnitude,
          UpperTriangle(x[0], 1),
          DiagonalMatrix(Diagonal(x[0])),
          Kron(x[1], x[1]),
          Norm(x[0])};
}

TEST_P(DeviceMatricesTest, AcceleratedWithDerivatives) {
  const struct {
    int64_t n, m, pages;
    DataType type;
  } kCases[] = {{4, 2, 3, DataType::kDouble},
                {1, 1, 2, DataType::kDouble},
                {3, 2, 2, DataType::kComplexDouble}};
  for (const auto& c : kCases) {
    const DlArrays in = Inputs(c.n, c.m, c.pages, c.type);
    const auto function = [](const DlArray& a, const DlArray& b) { return AllFunctions({a, b}); };
    const auto fast = DlAccelerate(function);
    const DlArrays expected = WithGradients(AllFunctions, in);
    const DlArrays came =
        WithGradients([&](const DlArrays& x) { return fast(x[0], x[1]); }, There(in));
    ExpectNear(came, expected, 1e-10);
    EXPECT_EQ(fast.Report().find("op by op"), std::string::npos) << fast.Report();
  }
}

TEST_P(DeviceMatricesTest, OpByOp) {
  const DlArrays in = Inputs(4, 2, 2, DataType::kSingle);
  const Function solve = [](const DlArrays& x) { return DlArrays{Solve(x[0], x[1])}; };
  ExpectNear(WithGradients(solve, There(in)), WithGradients(solve, in), 1e-4);
}

TEST_P(DeviceMatricesTest, WhatHasNoResultIsNoError) {
  const DlArray singular = DlArray::FromVector<float>({4, 2, 8, 4}, {2, 2});
  const DlArray there = gpu_->ToDevice(singular);
  EXPECT_EQ(Gather(Determinant(there)).Scalar(), 0);
  EXPECT_EQ(Gather(LogDeterminant(there).log_magnitude).Scalar(), -INFINITY);
  const DlArray l = Gather(Cholesky(gpu_->ToDevice(-singular)));
  for (const int i : {0, 1, 3}) EXPECT_TRUE(std::isnan(l.At(i)));
  EXPECT_EQ(l.At(2), 0);
}

// The pages are computed at once, and of right sides the columns, too.
TEST(MatricesInLoopsTest, PagesAndColumnsAreParallel) {
  const DlArrays in = Inputs(4, 2, 3, DataType::kDouble);
  const auto items = [&](const Function& f) {
    const Graph graph = RecordGraph([&](Arrays x) { return f(DlArrays(x.begin(), x.end())); },
                                    std::vector<ArraySpec>{in[0].spec(), in[1].spec()});
    std::vector<int64_t> items;
    for (const ProgramStep& step :
         WriteProgram(graph, {.inputs = {"a", "b"}, .outputs = {"y"}}, nullptr, ProgramFor::kDevice)
             .steps) {
      for (const ParallelNest& nest : ParallelNests(step.code)) {
        EXPECT_TRUE(nest.is_shown);
        items.push_back(NumItems(nest.loops));
      }
    }
    return items;
  };
  using Items = std::vector<int64_t>;
  EXPECT_EQ(items([](const DlArrays& x) { return DlArrays{Solve(x[0], x[1])}; }), (Items{3, 6}));
  EXPECT_EQ(items([](const DlArrays& x) {
              return DlArrays{TriangularSolve(x[0], x[1], Triangle::kUpper)};
            }),
            (Items{6}));
  EXPECT_EQ(items([](const DlArrays& x) { return DlArrays{Determinant(x[0])}; }), (Items{3, 3}));
  EXPECT_EQ(items([](const DlArrays& x) { return DlArrays{Cholesky(x[0])}; }), (Items{48, 3}));
}

}  // namespace
}  // namespace lamina::gpu
