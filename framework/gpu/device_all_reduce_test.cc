// Do ranks with a device each add what lies on their devices, and is what stands between sums
// recorded? On the emulated device with one, two
// and three ranks; on a CUDA device with one, by NCCL.
#include <climits>
#include <functional>
#include <iostream>
#include <numeric>
#include <string>
#include <utility>
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
#include "framework/ops/reduction.h"
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
  // The sum is started by itself: what a rank records of it the others would have to record in the
  // same call.
  const std::string report = recorded.Report();
  const bool is_right = report.find("by a library") != std::string::npos &&
                        report.find("; 3 of 4 runs were 3 launches") != std::string::npos;
  return is_right ? "" : report;
}

// Two sums over ranks, with two kernels before each and one at the end, always for the same arrays.
// The numbers are whole, so that their sums are exact in any order.
class TwoSums {
 public:
  static constexpr int kLaunches = 7, kRecords = 2, kSingleStarts = 3;

  TwoSums(std::shared_ptr<Gpu> gpu, const std::shared_ptr<Communicator>& ranks)
      : gpu_(std::move(gpu)),
        ranks_(ranks),
        program_(std::make_shared<const DeviceProgram>(
            RecordGraph(
                [&ranks](Arrays x) {
                  const DlArray y = AllReduceSum(DlArrays{x[0] * Sum(x[0])}, ranks)[0];
                  return DlArrays{AllReduceSum(DlArrays{y + Sum(y)}, ranks)[0] - x[0]};
                },
                std::vector<ArraySpec>{{DataType::kSingle, {kNumel}, ""}}),
            gpu_)),
        in_(gpu_->Room({DataType::kSingle, {kNumel}, ""})),
        out_(program_->RoomForOutputs()[0]),
        bound_(program_, {in_}, {out_}) {}

  // "" when its result for other numbers is right.
  std::string Start(int call) {
    const auto x = [call](int rank, int64_t i) {
      return static_cast<double>((7 * i + 3 * rank + call) % 5 - 1);
    };
    std::vector<float> own;
    std::vector<double> y(kNumel);
    for (int rank = 0; rank < ranks_->size(); ++rank) {
      double sum = 0;
      for (int64_t i = 0; i < kNumel; ++i) sum += x(rank, i);
      for (int64_t i = 0; i < kNumel; ++i) y[static_cast<size_t>(i)] += x(rank, i) * sum;
    }
    for (int64_t i = 0; i < kNumel; ++i) own.push_back(static_cast<float>(x(ranks_->rank(), i)));
    gpu_->device()->CopyIn(gpu_->Address(in_), own.data(), own.size() * sizeof(float));
    bound_.Start();
    const std::vector<float> came = Gather(out_).ToVector<float>();
    const double sum = std::accumulate(y.begin(), y.end(), 0.0);
    for (size_t i = 0; i < came.size(); ++i) {
      const double expected = ranks_->size() * (y[i] + sum) - own[i];
      if (came[i] == expected) continue;
      return absl::StrCat("call ", call, ", element ", i, ": ", came[i], " instead of ", expected);
    }
    return "";
  }
  const DeviceKernels& kernels() const { return program_->kernels(); }

 private:
  static constexpr int64_t kNumel = 300;
  const std::shared_ptr<Gpu> gpu_;
  const std::shared_ptr<Communicator> ranks_;
  const std::shared_ptr<const DeviceProgram> program_;
  const DlArray in_, out_;
  const BoundProgram bound_;
};

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

// Each rank decides by itself what it records: the sums are the same calls for all.
TEST_P(DeviceRanksTest, ARankMayRecordWhatAnotherLaunches) {
  ASSERT_EQ(setenv("LAMINA_CACHE", Cache().path().c_str(), 1), 0);
  const auto results = RunRanks(GetParam(), [](Communicator& ranks) {
    const auto device = testing::MakeEmulatedDevice();
    if (ranks.rank() % 2 == 1) device->set_most_records(0);
    TwoSums sums(Gpu::Make(device), RanksOfProcess());
    std::string errors;
    for (int call = 0; call < 4; ++call) errors += sums.Start(call);
    return errors + absl::StrCat(device->num_starts(), " ", device->num_single_starts());
  });
  for (size_t rank = 0; rank < results.size(); ++rank) {
    EXPECT_EQ(results[rank].error, "");
    const int recorded = rank % 2 == 1 ? 0 : 3;
    EXPECT_EQ(results[rank].text,
              absl::StrCat(recorded * TwoSums::kRecords, " ",
                           recorded * TwoSums::kSingleStarts + (4 - recorded) * TwoSums::kLaunches))
        << rank;
  }
}

using OneRankTest = testing::EachDevice;
INSTANTIATE_TEST_SUITE_P(Devices, OneRankTest, ::testing::Bool(), testing::DeviceKind);

TEST_P(OneRankTest, ADeviceAddsItsOwn) {
  if (emulated_ == nullptr && !FindNccl().ok()) GTEST_SKIP() << FindNccl().status();
  const ScopedGpu scope(gpu_);
  EXPECT_EQ(AddOnDevice(std::make_shared<Communicator>(parallel::RankOptions())), "");
}

TEST_P(OneRankTest, WhatStandsBetweenSumsIsRecorded) {
  if (emulated_ == nullptr && !FindNccl().ok()) GTEST_SKIP() << FindNccl().status();
  TwoSums sums(gpu_, std::make_shared<Communicator>(parallel::RankOptions()));
  EXPECT_EQ(sums.kernels().num_launches(), size_t{TwoSums::kLaunches});
  EXPECT_EQ(sums.kernels().num_starts(), size_t{TwoSums::kRecords + TwoSums::kSingleStarts});
  EXPECT_EQ(sums.Start(0), "");  // Not recorded: libraries load what they need.
  for (int call = 1; call < 4; ++call) {
    const int starts = emulated_ == nullptr ? 0 : emulated_->num_starts(),
              single = emulated_ == nullptr ? 0 : emulated_->num_single_starts();
    EXPECT_EQ(sums.Start(call), "");
    EXPECT_EQ(sums.kernels().runs().recorded, call);
    if (emulated_ == nullptr) continue;
    EXPECT_EQ(emulated_->num_starts() - starts, TwoSums::kRecords);
    EXPECT_EQ(emulated_->num_single_starts() - single, TwoSums::kSingleStarts);
  }
}

TEST_P(OneRankTest, ARecordThatIsRefusedInTheMiddleIsNoError) {
  if (emulated_ == nullptr) GTEST_SKIP() << "A device does not refuse it.";
  TwoSums sums(gpu_, std::make_shared<Communicator>(parallel::RankOptions()));
  emulated_->set_most_records(TwoSums::kRecords - 1);
  for (int call = 0; call < 4; ++call) {
    EXPECT_EQ(sums.Start(call), "");
    EXPECT_EQ(emulated_->num_records(), 0);  // The first one was given back.
    if (call == 2) emulated_->set_most_records(INT_MAX);
  }
  EXPECT_EQ(emulated_->num_starts(), 0);
  EXPECT_EQ(emulated_->num_single_starts(), 4 * TwoSums::kLaunches);
  EXPECT_EQ(sums.kernels().runs().recorded, 0);
}

}  // namespace
}  // namespace lamina::gpu
