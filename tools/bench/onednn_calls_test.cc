// What oneDNN computes when it is called directly is what Lamina's workloads compute: theirs in
// double, which does not run on oneDNN.
#include "tools/bench/onednn_calls.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tools/bench/workloads.h"

namespace lamina::bench {
namespace {

class OneDnnCallsTest : public testing::TestWithParam<DirectWorkload> {};

Work WorkOf(const std::string& name) {
  for (const Workload& workload : Workloads()) {
    if (workload.name == name) return workload.make(DataType::kDouble);
  }
  ADD_FAILURE() << name << " is no workload of ours";
  return {};
}

TEST_P(OneDnnCallsTest, EachVariantComputesTheSame) {
  const DirectWorkload& workload = GetParam();
  Work work = WorkOf(workload.name);
  ASSERT_EQ(work.inputs.size(), workload.input_sizes.size());
  std::vector<Floats> inputs;
  for (size_t i = 0; i < work.inputs.size(); ++i) {
    ASSERT_EQ(work.inputs[i].numel(), workload.input_sizes[i]) << i;
    const double* const values = work.inputs[i].Data<double>();
    inputs.emplace_back(values, values + work.inputs[i].numel());
  }
  const DlArray output = bench::Run(work, 1)[0];
  const double* const expected = output.Data<double>();
  double largest = 0;
  for (int64_t i = 0; i < output.numel(); ++i) largest = std::max(largest, std::abs(expected[i]));

  int available = 0;
  for (const DirectVariant& variant : workload.variants) {
    SCOPED_TRACE(variant.name);
    std::unique_ptr<DirectCall> call;
    try {
      call = variant.make(inputs);
    } catch (const dnnl::error& error) {
      ASSERT_EQ(error.status, dnnl_unimplemented) << error.what();
      continue;
    }
    ++available;
    call->Run();
    call->Run();  // As when it is timed: nothing of the first run may stay.
    const Floats actual = call->Output();
    ASSERT_EQ(static_cast<int64_t>(actual.size()), output.numel());
    double error = 0;
    for (int64_t i = 0; i < output.numel(); ++i) {
      error = std::max(error, std::abs(actual[i] - expected[i]));
    }
    // Inputs and sums in single; Winograd's algorithm adds and subtracts more.
    EXPECT_LE(error, 5e-6 * largest);
  }
  EXPECT_GT(available, 0);
}

INSTANTIATE_TEST_SUITE_P(All, OneDnnCallsTest, testing::ValuesIn(DirectWorkloads()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lamina::bench
