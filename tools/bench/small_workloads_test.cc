// Every small workload runs, and gives the same with one thread and with several.
#include <algorithm>
#include <cmath>

#include "framework/cpu/threads.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"
#include "tools/bench/workloads.h"

namespace lamina::bench {
namespace {

class SmallWorkloadsTest : public testing::TestWithParam<Workload> {
 protected:
  void TearDown() override { cpu::SetNumThreads(before_); }

 private:
  const int before_ = cpu::NumThreads();
};

DlArrays OutputsWith(int threads, const Workload& workload) {
  cpu::SetNumThreads(threads);
  Rng(0);
  Work work = workload.make(DataType::kDouble);
  return bench::Run(work, 1);
}

TEST_P(SmallWorkloadsTest, NumberOfThreadsChangesNothing) {
  const DlArrays one = OutputsWith(1, GetParam()), several = OutputsWith(3, GetParam());
  ASSERT_EQ(one.size(), several.size());
  for (size_t i = 0; i < one.size(); ++i) {
    ASSERT_EQ(one[i].sizes(), several[i].sizes()) << i;
    const double largest = std::max(1.0, MaxOver(Abs(one[i])).Scalar());
    const double error = MaxOver(Abs(one[i] - several[i])).Scalar();
    EXPECT_LE(error, 1e-12 * largest) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, SmallWorkloadsTest, testing::ValuesIn(SmallWorkloads()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lamina::bench
