// Graphs of ops drawn by chance, printed, compiled and compared with the eager ops bit for bit:
// what is fused, shared and planned must not change what is computed.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "framework/emit/testing/run_printed.h"
#include "framework/graph/testing/random_function.h"

namespace lamina {
namespace {

void ComputeWhatTheEagerOpsCompute(ProgramFor target) {
  const char* const asked = std::getenv("LAMINA_RANDOM_GRAPHS");
  const int count = asked != nullptr ? std::atoi(asked) : 150;
  constexpr int kPerProgram = 50;
  for (int first = 0; first < count; first += kPerProgram) {
    std::vector<testing::PrintedCase> cases;
    std::vector<DlArrays> expected;
    for (int i = first; i < std::min(count, first + kPerProgram); ++i) {
      const DlArrays inputs = testing::RandomInputs(static_cast<uint32_t>(i));
      testing::RandomFunction function(static_cast<uint32_t>(i), 4 + i % 20);
      const std::vector<ArraySpec> specs{inputs[0].spec(), inputs[1].spec()};
      cases.push_back({RecordGraph([&](Arrays x) { return function(x); }, specs), inputs});
      expected.push_back(function(inputs));
    }
    const std::vector<DlArrays> came = testing::RunPrinted(
        cases, "-fsanitize=address,undefined -fno-sanitize-recover=all", target);
    ASSERT_EQ(came.size(), cases.size());
    for (size_t i = 0; i < cases.size(); ++i) {
      ASSERT_EQ(came[i].size(), expected[i].size());
      for (size_t k = 0; k < expected[i].size(); ++k) {
        ASSERT_TRUE(IsEqual(came[i][k], expected[i][k]))
            << "graph " << first + static_cast<int>(i) << ", output " << k << "\n"
            << ToString(cases[i].graph) << testing::PrintedFunction(cases[i].graph, "f")
            << "printed gives " << came[i][k] << "\neager gives " << expected[i][k];
      }
    }
  }
}

TEST(RandomGraphsTest, ComputeWhatTheEagerOpsCompute) {
  ComputeWhatTheEagerOpsCompute(ProgramFor::kProducts);
}

// What is fused and saved for a device.
TEST(RandomGraphsTest, ProgramsForADeviceDoSoToo) {
  ComputeWhatTheEagerOpsCompute(ProgramFor::kDevice);
}

}  // namespace
}  // namespace lamina
