// Do ranks with a device each add what lies on their devices? On the emulated device with one, two
// and three ranks; on a CUDA device with one, by NCCL.
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/dl_accelerate.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/graph/graph.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gpu_array.h"
#include "framework/parallel/testing/run_ranks.h"

namespace lamina::gpu {
namespace {

using parallel::Communicator;
using parallel::RanksOfProcess;
using parallel::testing::RunRanks;

DlArray Row(int64_t n, double first) {
  std::vector<float> x;
  for (int64_t i = 0; i < n; ++i)
    x.push_back(static_cast<float>(first + 0.25 * static_cast<double>(i)));
  return DlArray::FromVector<float>(x, {n});
}

// Sums of arrays between kernels, of three lengths and a constant, op by op and recorded. "" when
// all is right.
std::string AddOnDevice(const std::shared_ptr<Communicator>& ranks) {
  const auto function = [&ranks](Arrays x) {
    const DlArrays y = AllReduceSum(
        DlArrays{2 * x[0], x[1] + 1, Cast(x[0], DataType::kDouble), x[2], Row(3, 1)}, ranks);
    return DlArrays{y[0] + 1, y[1] * x[1], Cast(y[2], DataType::kSingle), y[3], y[4] - 1};
  };
  const auto recorded = DlAccelerate(function);
  const int n = ranks->size();
  for (int call = 0; call < 6; ++call) {
    const auto input = [&](int rank, int i) {
      return Row(std::vector{300, 1, 77}[i], rank + i + call);
    };
    DlArrays here, there;
    for (int i = 0; i < 3; ++i) {
      here.push_back(input(ranks->rank(), i));
      there.push_back(GpuArray(here.back()));
    }
    const DlArrays results = call < 2 ? function(there) : recorded(there);
    DlArrays expected{Row(300, 0) * 0 + 1, Row(1, 0) * 0, Row(300, 0) * 0, Row(77, 0) * 0,
                      n * Row(3, 1) - 1};
    for (int rank = 0; rank < n; ++rank) {
      expected[0] = expected[0] + 2 * input(rank, 0);
      expected[1] = expected[1] + input(rank, 1) + 1;
      expected[2] = expected[2] + input(rank, 0);
      expected[3] = expected[3] + input(rank, 2);
    }
    expected[1] = expected[1] * here[1];
    for (size_t i = 0; i < results.size(); ++i) {
      const DlArray y = Gather(results[i]);
      for (int64_t k = 0; k < y.numel(); ++k) {
        if (y.At(k) != expected[i].At(k)) {
          return absl::StrCat("call ", call, ", result ", i, ", element ", k, ": ", y.At(k),
                              " instead of ", expected[i].At(k));
        }
      }
    }
  }
  // One by one: what a rank records the others would have to record in the same call.
  const std::string report = recorded.Report();
  const bool is_right = report.find("by a library") != std::string::npos &&
                        report.find("; 0 of 4 runs were one launch") != std::string::npos;
  return is_right ? "" : report;
}

class DeviceRanksTest : public ::testing::TestWithParam<int> {
 protected:
  // The kernels are the same for any number of ranks.
  static const TemporaryFolder& Cache() {
    static const TemporaryFolder cache("cache");
    return cache;
  }
};
INSTANTIATE_TEST_SUITE_P(Sizes, DeviceRanksTest, ::testing::Values(1, 2, 3));

TEST_P(DeviceRanksTest, EmulatedDevicesAddTogether) {
  ASSERT_EQ(setenv("LAMINA_CACHE", Cache().path().c_str(), 1), 0);
  const auto results = RunRanks(GetParam(), [](Communicator&) {
    const ScopedGpu scope(Gpu::Make(testing::MakeEmulatedDevice()));
    return AddOnDevice(RanksOfProcess());
  });
  for (const auto& r : results) {
    EXPECT_EQ(r.error, "");
    EXPECT_EQ(r.text, "");
  }
}

using OneRankTest = testing::EachDevice;
INSTANTIATE_TEST_SUITE_P(Devices, OneRankTest, ::testing::Bool(), testing::DeviceKind);

TEST_P(OneRankTest, ADeviceAddsItsOwn) {
  if (emulated_ == nullptr && !FindNccl().ok()) GTEST_SKIP() << FindNccl().status();
  const ScopedGpu scope(gpu_);
  EXPECT_EQ(AddOnDevice(std::make_shared<Communicator>(parallel::RankOptions())), "");
}

TEST_P(OneRankTest, ABoundProgramAddsOverRanks) {
  if (emulated_ == nullptr && !FindNccl().ok()) GTEST_SKIP() << FindNccl().status();
  const auto ranks = std::make_shared<Communicator>(parallel::RankOptions());
  const DlArray x = Row(300, 1);
  const auto program = std::make_shared<const DeviceProgram>(
      RecordGraph(
          [&](Arrays in) { return DlArrays{AllReduceSum(DlArrays{2 * in[0]}, ranks)[0] + 1}; },
          std::vector<ArraySpec>{x.spec()}),
      gpu_);
  const DlArrays in = {gpu_->ToDevice(x)}, out = program->RoomForOutputs();
  const BoundProgram bound(program, in, out);
  bound.Start();
  EXPECT_TRUE(IsEqual(Gather(out[0]), 2 * x + 1));
}

}  // namespace
}  // namespace lamina::gpu
