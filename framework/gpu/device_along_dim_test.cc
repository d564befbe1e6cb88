// Functions along a dim, and their derivatives, on a device against the same ones here.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/emit/parallel_loops.h"
#include "framework/emit/program.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/optimize.h"
#include "framework/ops/cumulative.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gather_along.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/sort.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(const DlArrays&)>;
using DeviceAlongDimTest = testing::EachDevice;
INSTANTIATE_TEST_SUITE_P(Devices, DeviceAlongDimTest, ::testing::Bool(), testing::DeviceKind);

// Multiples of 1/8 from -1 to 1, no two of a line equal: few products of them are exact.
DlArray Numbers(const Sizes& sizes, std::string_view format, int seed) {
  std::vector<float> x(static_cast<size_t>(NumElements(sizes)));
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = static_cast<float>((i * 5 + static_cast<size_t>(seed)) % 17) / 8 - 1;
  }
  return DlArray::FromVector(x, sizes, format);
}

// f and the derivatives of the sum of its outputs' squares.
Function WithGradients(const Function& f) {
  return [f](const DlArrays& in) {
    return DlFeval(
        [&](const DlArrays& x) {
          DlArrays y = f(x);
          DlArray sum = 0.0;
          for (const DlArray& part : y) {
            if (IsFloating(part.type())) sum = sum + Sum(Real(part * Conj(part)));
          }
          for (const DlArray& g : DlGradient(sum, x)) y.push_back(g);
          return y;
        },
        in);
  };
}

// All of f as one program there.
void ExpectSameThere(const std::shared_ptr<Gpu>& gpu, const Function& f, const DlArrays& in) {
  std::vector<ArraySpec> specs;
  DlArrays there;
  for (const DlArray& x : in) {
    specs.push_back(x.spec());
    there.push_back(gpu->ToDevice(x));
  }
  const Graph graph = RecordGraph([&](Arrays x) { return f(DlArrays(x.begin(), x.end())); }, specs);
  const DeviceProgram program(Optimize(graph, ImageLayouts::kPlain), gpu);
  const DlArrays came = program.Run(there), expected = f(in);
  ASSERT_EQ(came.size(), expected.size());
  for (size_t k = 0; k < expected.size(); ++k) {
    const DlArray y = Gather(came[k]);
    ASSERT_EQ(y.spec(), expected[k].spec()) << k;
    for (int64_t i = 0; i < y.numel(); ++i) {
      const std::complex<double> a = y.ComplexAt(i), e = expected[k].ComplexAt(i);
      ASSERT_LE(std::abs(a - e), 1e-5 * (1 + std::abs(e))) << "output " << k << ", element " << i;
    }
  }
}

TEST_P(DeviceAlongDimTest, Scans) {
  const DlArrays in = {Numbers({3, 4, 6}, "CBT", 1), Numbers({3, 4, 6}, "CBT", 4)};
  ExpectSameThere(gpu_, WithGradients([](const DlArrays& x) {
                    DlArrays y;
                    for (const bool reverse : {false, true}) {
                      const CumulativeOptions options{.reverse = reverse};
                      for (const char label : {'C', 'T'}) {
                        y.push_back(CumSum(x[0], label, options));
                        y.push_back(CumProd(x[0], label, options));
                        y.push_back(CumMax(x[0], label, options));
                        y.push_back(CumMin(x[1], label, options));
                        y.push_back(LinearRecurrence(x[0], x[1], label, options));
                      }
                    }
                    const DlArray z = Complex(x[0], x[1]);
                    y.push_back(LinearRecurrence(z, CumProd(CumSum(z, 'B'), 'T'), 'C'));
                    y.push_back(Diff(x[0], 'T', 2));
                    y.push_back(Prod(x[0], "CT"));
                    y.push_back(Prod(z, 'T'));
                    y.push_back(CircShift(x[0], 'B', 3));
                    return y;
                  }),
                  in);
}

// In parts, and these in parts again. Sums of few eighths are exact.
TEST_P(DeviceAlongDimTest, LongScans) {
  for (const Sizes& sizes : {Sizes{2, 515, 1}, Sizes{1, 40'000, 1}, Sizes{3, 640, 2}}) {
    DlArray x = Numbers(sizes, "CBT", 3);
    x = Where(Equal(x, 1), DlArray(NAN), x);
    const DlArrays in = {x, Where(IsNan(x), 0, x)};
    const auto f = [](Arrays a) {
      DlArrays y;
      for (const bool reverse : {false, true}) {
        const CumulativeOptions options{.reverse = reverse};
        y.insert(y.end(), {CumMax(a[0], 'B', options), CumMin(a[0], 'B', options),
                           CumSum(a[1], 'B', options)});
      }
      y.push_back(Real(CumSum(Complex(a[1], 2 * a[1]), 'B')));
      return y;
    };
    const Graph graph = RecordGraph(f, std::vector<ArraySpec>{in[0].spec(), in[1].spec()});
    int sums = 0;
    const DeviceParts parts = PartsForDevice(graph, *gpu_->device());
    for (const GraphStep& step : parts.graph.steps()) {
      sums += step.op->Name() == "cumsum";
    }
    EXPECT_EQ(sums, sizes[1] > 30'000 ? 9 : 6);
    DlArrays there = {gpu_->ToDevice(in[0]), gpu_->ToDevice(in[1])};
    for (const DlArray& constant : parts.constants) there.push_back(gpu_->ToDevice(constant));
    const DlArrays came = DeviceProgram(parts.graph, gpu_).Run(there);
    const DlArrays expected = f(in);
    for (size_t k = 0; k < expected.size(); ++k) {
      const std::vector<float> y = Gather(came[k]).ToVector<float>(),
                               e = expected[k].ToVector<float>();
      for (size_t i = 0; i < e.size(); ++i) {
        ASSERT_TRUE(y[i] == e[i] || (std::isnan(y[i]) && std::isnan(e[i])))
            << "output " << k << ", element " << i << ": " << y[i] << " instead of " << e[i];
      }
    }
  }
}

TEST_P(DeviceAlongDimTest, Order) {
  const auto f = [](const DlArrays& x) {
    DlArrays y;
    for (const char label : {'C', 'T'}) {
      const TopKResult best = TopK(x[0], label, 2);
      y.insert(y.end(), {Sort(x[0], label, {.descending = true}), ArgSort(x[0], label), best.values,
                         best.positions, Median(x[0] * x[1], label)});
    }
    const DlArray order = ArgSort(x[1], 'T');
    y.push_back(GatherAlong(x[0], 'T', Slice(order, 'T', 1, 3)));
    y.push_back(ScatterAddAlong(x[0], 'T', order, 7));
    return y;
  };
  ExpectSameThere(gpu_, WithGradients(f),
                  {Numbers({3, 4, 6}, "CBT", 1), Numbers({3, 4, 6}, "CBT", 4)});
}

TEST_P(DeviceAlongDimTest, PositionsOutOfRangeAreTold) {
  const DlArray x = gpu_->ToDevice(Numbers({3, 2}, "CB", 1)),
                p = gpu_->ToDevice(DlArray::FromVector<int64_t>({0, 3}, {1, 2}, "CB"));
  const DlArray y = GatherAlong(x, 'C', p);
  EXPECT_EQ(testing::Identifier([&] { Gather(y); }), "dlarray:IndexOutOfRange");
  const DlArray z = ScatterAddAlong(y, 'C', p, 3);
  EXPECT_EQ(testing::Identifier([&] { Gather(z); }), "dlarray:IndexOutOfRange");
}

// Items of a loop are computed at once, those of a scan in reverse too.
TEST(AlongDimProgramTest, LinesAreComputedAtOnce) {
  const auto f = [](Arrays x) {
    return DlArrays{CumSum(x[0], 'T', {.reverse = true}), CumMax(x[0], 'B'),
                    LinearRecurrence(x[0], x[0], 'C', {.reverse = true}), ArgSort(x[0], 'T'),
                    Sort(x[0], 'C')};
  };
  const Graph graph = RecordGraph(f, std::vector<ArraySpec>{{DataType::kSingle, {8, 6, 4}, "CBT"}});
  const Program program = WriteProgram(
      graph, {.inputs = {"x"}, .outputs = {"s", "m", "y", "p", "o"}}, nullptr, ProgramFor::kDevice);
  for (const ProgramStep& step : program.steps) {
    for (const ParallelNest& nest : ParallelNests(step.code)) {
      EXPECT_TRUE(nest.is_shown) << step.comment;
      EXPECT_GE(NumItems(nest.loops), 24) << step.comment;
    }
  }
}

}  // namespace
}  // namespace lamina::gpu
