// Are positions that are out of range told, by whatever waits for the device next, and only these?
#include "framework/gpu/position_checks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/testing/compiling_device.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/optimize.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::gpu {
namespace {

using testing::Identifier;

constexpr char kOutOfRange[] = "dlarray:IndexOutOfRange";

class PositionChecksTest : public testing::EachDevice {
 protected:
  DlArray There(const DlArray& x) { return gpu_->ToDevice(x); }
  // What is told of a computation there.
  std::string Told(const std::string& message) {
    return absl::StrCat("Found on ", gpu_->device()->Name(),
                        ", in what it computed before this: ", message,
                        " [dlarray:IndexOutOfRange]");
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, PositionChecksTest, ::testing::Bool(), testing::DeviceKind);

DlArray At(const std::vector<int64_t>& positions, DataType type = DataType::kInt64) {
  return Cast(DlArray::FromVector<int64_t>(positions, {static_cast<int64_t>(positions.size())}),
              type);
}
DlArray Ramp() { return DlArray::FromVector<float>({1, -2, 3, -4, 5, 6}, {3, 2}, "CB"); }

TEST_P(PositionChecksTest, AnOpTellsItWhenItsResultIsRead) {
  const DlArray x = There(Ramp());
  for (const DataType type : {DataType::kInt32, DataType::kInt64}) {
    const DlArray bad = Gather(x, 'C', There(At({2, 3, 0}, type)));
    EXPECT_EQ(MessageOf([&] { Gather(bad); }),
              Told("Gather takes positions from 0 to 2. Index number 1 is 3. "
                   "Positions count from 0."));
    // It is told once. There is 0 in its place.
    EXPECT_EQ(Gather(bad).ToVector<float>(), (std::vector<float>{3, 0, 1, 6, 0, -4}));
    const DlArray added = ScatterAdd(x, 'C', There(At({4, -1, 4}, type)), 5);
    EXPECT_EQ(MessageOf([&] { Gather(added); }),
              Told("ScatterAdd takes positions from 0 to 4. Index number 1 is -1. "
                   "Positions count from 0."));
    EXPECT_EQ(Gather(added).ToVector<float>(), (std::vector<float>{0, 0, 0, 0, 4, 0, 0, 0, 0, 2}));
    for (const DlArray& good : {At({2, 0}, type), At({}, type)}) {
      EXPECT_TRUE(IsEqual(Gather(Gather(x, 'C', There(good))), Gather(Ramp(), 'C', good)));
    }
    const DlArray good = At({1, 0, 1}, type);
    EXPECT_TRUE(
        IsEqual(Gather(ScatterAdd(x, 'C', There(good), 2)), ScatterAdd(Ramp(), 'C', good, 2)));
  }
}

// Neither is in range when its lower half is.
TEST_P(PositionChecksTest, PositionsOf64BitsAreNotCutOff) {
  const DlArray x = There(Ramp());
  constexpr int64_t kWide = int64_t{1} << 32;
  for (const int64_t position : {kWide, 1 - kWide, INT64_MIN, INT64_MAX}) {
    const DlArray y = Gather(x, 'C', There(At({position})));
    EXPECT_EQ(MessageOf([&] { Gather(y); }),
              Told(absl::StrCat("Gather takes positions from 0 to 2. Index number 0 is ", position,
                                ". Positions count from 0.")));
    EXPECT_EQ(Gather(y).ToVector<float>(), (std::vector<float>{0, 0}));
  }
}

TEST_P(PositionChecksTest, ClassesAreCheckedToo) {
  const DlArray classes = DlArray::FromVector<int64_t>({0, 3}, {2}, "B");
  EXPECT_EQ(MessageOf([&] { Gather(OneHot(There(classes), 3)); }),
            Told("Classes are counted from 0 to 2. Element 1 is 3. Count classes from 0, and check "
                 "their number."));
  EXPECT_TRUE(IsEqual(Gather(OneHot(There(classes), 4)), OneHot(classes, 4)));
}

// As on the processor: the call is an error.
TEST_P(PositionChecksTest, PositionsOfTheProcessorAreRefusedAtOnce) {
  const DlArray x = There(Ramp());
  EXPECT_EQ(MessageOf([&] {
              Gather(x, 'C', At({0, 3}));
            }),
            MessageOf([&] {
              Gather(Ramp(), 'C', At({0, 3}));
            }));
  EXPECT_EQ(MessageOf([&] {
              ScatterAdd(x, 'C', At({0, -1, 1}), 2);
            }),
            MessageOf([&] {
              ScatterAdd(Ramp(), 'C', At({0, -1, 1}), 2);
            }));
  EXPECT_TRUE(IsEqual(Gather(x), Ramp()));
}

TEST_P(PositionChecksTest, WhateverWaitsNextTellsIt) {
  const DlArray x = There(Ramp()), other = There(DlArray(2.5));
  Gather(x, 'C', There(At({-7})));
  Relu(x);
  EXPECT_EQ(Identifier([&] { Gather(other); }), kOutOfRange);
  EXPECT_TRUE(IsEqual(Gather(other), DlArray(2.5)));
}

// Many positions, of which each block has some.
TEST_P(PositionChecksTest, EachPositionIsLookedAt) {
  const DlArray x = There(DlArray::FromVector<float>({1, 2}, {2}));
  std::vector<int64_t> positions(1500, 1);
  for (const size_t at : {size_t{0}, size_t{255}, size_t{256}, size_t{1499}}) {
    positions[at] = 2;
    EXPECT_EQ(MessageOf([&] { Gather(Gather(x, 0, There(At(positions)))); }),
              Told(absl::StrCat("Gather takes positions from 0 to 1. Index number ", at,
                                " is 2. Positions count from 0.")));
    positions[at] = 0;
    EXPECT_EQ(Identifier([&] { Gather(Gather(x, 0, There(At(positions)))); }), "") << at;
  }
  // Of several one is told.
  positions.assign(positions.size(), 2);
  EXPECT_EQ(Identifier([&] { Gather(Gather(x, 0, There(At(positions)))); }), kOutOfRange);
  EXPECT_TRUE(IsEqual(Gather(x), DlArray::FromVector<float>({1, 2}, {2})));
}

// Rows of a table, as those of an embedding: the positions are computed there, and the derivative
// adds to the rows.
DlArrays LossAndGradient(const DlArray& table, const DlArray& numbers) {
  return DlFeval(
      [&](const DlArrays& p) {
        const DlArray rows = Gather(p[0], 1, Cast(numbers, DataType::kInt64));
        const DlArray loss = Sum(rows * rows);
        DlArrays all = DlGradient(loss, p);
        all.push_back(loss);
        return all;
      },
      DlArrays{table});
}

TEST_P(PositionChecksTest, AcceleratedFunctionsTellIt) {
  auto fast = DlAccelerate(LossAndGradient);
  const DlArray table = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 4});
  const DlArray good = DlArray::FromVector<float>({3, 0, 3}, {3}),
                bad = DlArray::FromVector<float>({3, 0, 4}, {3});
  const DlArrays expected = LossAndGradient(table, good);
  // Later runs are recorded launches.
  for (int run = 0; run < 6; ++run) {
    for (const bool is_there : {true, false}) {
      const DlArrays y = fast(There(table), is_there ? There(bad) : bad);
      EXPECT_EQ(Identifier([&] { Gather(y[1]); }), kOutOfRange) << run;
      const DlArrays again = fast(There(table), is_there ? There(good) : good);
      for (size_t k = 0; k < 2; ++k) EXPECT_TRUE(IsEqual(Gather(again[k]), expected[k])) << run;
    }
  }
  EXPECT_EQ(fast.NumTraces(), 1) << fast.Report();
  if (emulated_ != nullptr) {
    EXPECT_GT(emulated_->num_starts(), 0);
  }
}

Graph GraphOf(const std::function<DlArrays(Arrays)>& f, const DlArrays& inputs) {
  std::vector<ArraySpec> specs;
  for (const DlArray& x : inputs) specs.push_back(x.spec());
  return Optimize(RecordGraph(f, specs), ImageLayouts::kPlain);
}

TEST_P(PositionChecksTest, RecordedLaunchesTellIt) {
  const DlArrays inputs{There(DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {2, 3})),
                        There(At({2, 0}, DataType::kInt32))};
  const auto f = [](Arrays in) { return DlArrays{Gather(in[0], 1, in[1])}; };
  const auto program = std::make_shared<const DeviceProgram>(GraphOf(f, inputs), gpu_);
  EXPECT_EQ(program->kernels().num_launches(), 2U);
  EXPECT_EQ(program->kernels().num_kernels(), 2U);
  const DlArrays y = program->RoomForOutputs();
  const BoundProgram bound(program, inputs, y);
  for (const int32_t position : {1, 3, 2, -1, 0}) {
    gpu_->device()->CopyIn(gpu_->Address(inputs[1]), &position, sizeof(position));
    bound.Start();
    bound.Start();
    if (position < 0 || position > 2) {
      EXPECT_EQ(MessageOf([&] { Gather(y[0]); }),
                Told(absl::StrCat("Gather takes positions from 0 to 2. Index number 0 is ",
                                  position, ". Positions count from 0.")));
      EXPECT_EQ(Gather(y[0]).ToVector<float>(), (std::vector<float>{0, 0, 1, 2}));
    } else {
      const auto first = static_cast<float>(2 * position + 1);
      EXPECT_EQ(Gather(y[0]).ToVector<float>(), (std::vector<float>{first, first + 1, 1, 2}));
    }
  }
}

TEST_P(PositionChecksTest, TheSamePositionsAreCheckedOnce) {
  const DlArrays inputs{There(DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {2, 3})),
                        There(At({2, 0}))};
  const auto count = [&](const std::function<DlArrays(Arrays)>& f) {
    const Graph graph = GraphOf(f, inputs);
    return WithPositionChecks(graph).steps().size() - graph.steps().size();
  };
  EXPECT_EQ(count([](Arrays in) { return LossAndGradient(in[0], in[1]); }), 1U);
  EXPECT_EQ(count([](Arrays in) { return DlArrays{Gather(in[0], 1, in[1])}; }), 1U);
  EXPECT_EQ(count([](Arrays in) {
              return DlArrays{Gather(in[0], 1, in[1]), Gather(Sum(in[0], DimSet(0)), 1, in[1]),
                              ScatterAdd(in[0], 0, in[1], 4)};
            }),
            2U);
  EXPECT_EQ(count([](Arrays in) { return DlArrays{in[0] * 2}; }), 0U);
  EXPECT_EQ(count([](Arrays in) { return DlArrays{Gather(in[0], 1, At({2, 0}))}; }), 0U);
}

// Those that are known are refused when the program is made.
TEST_P(PositionChecksTest, ConstantPositionsAreChecked) {
  for (const int64_t n : {2, 20}) {
    std::vector<int64_t> positions(static_cast<size_t>(n), 1);
    const auto f = [&](const DlArray& x) { return Gather(x, 'C', At(positions)) * 2; };
    auto good = DlAccelerate(f);
    EXPECT_TRUE(IsEqual(Gather(good(There(Ramp()))), f(Ramp())));
    positions.back() = 3;
    auto bad = DlAccelerate(f);
    EXPECT_EQ(Identifier([&] { Gather(bad(There(Ramp()))); }), kOutOfRange) << n;
  }
  EXPECT_TRUE(IsEqual(Gather(There(Ramp())), Ramp()));
}

TEST(PositionChecksKernelsTest, AreTakenByTheCompilerOfCuda) {
  if (!FindCudaCompiler().ok()) GTEST_SKIP() << FindCudaCompiler().status();
  const TemporaryFolder cache("position_checks");
  ASSERT_EQ(setenv("LAMINA_CACHE", cache.path().c_str(), 1), 0);
  for (const char* const architecture : {"sm_80", "sm_90"}) {
    EXPECT_EQ(MessageOf([&] { PositionChecks(testing::MakeCompilingDevice(architecture)); }),
              "no error");
  }
}

// One of them is told of each, whoever waits first.
TEST_P(PositionChecksTest, ThreadsMayUseADevice) {
  const DlArray x = There(Ramp()), good = There(At({2, 0})), bad = There(At({2, 3}));
  const DlArray expected = Gather(Ramp(), 'C', At({2, 0}));
  std::atomic<int> told{0}, wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        try {
          const DlArray y = Gather(x, 'C', t < 2 ? bad : good);
          const DlArray here = Gather(y);
          if (t >= 2 && !IsEqual(here, expected)) ++wrong;
        } catch (const Error& e) {
          e.identifier() == kOutOfRange ? ++told : ++wrong;
        }
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GE(told, 1);
  EXPECT_LE(told, 80);
  EXPECT_TRUE(IsEqual(Gather(Gather(x, 'C', good)), expected));
}

}  // namespace
}  // namespace lamina::gpu
