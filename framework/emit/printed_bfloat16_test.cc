// Rounding to bfloat16 as printed C, with the flags that could change it.
#include <vector>

#include "framework/emit/testing/run_printed.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/testing/bfloat16_numbers.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(PrintedBfloat16Test, RoundsToTheNearestWhateverIsContracted) {
  const DlArray x = NumbersAroundBfloat16();
  const Graph graph = RecordGraph([](Arrays in) { return DlArrays{RoundToBfloat16(in[0])}; },
                                  std::vector<ArraySpec>{x.spec()});
  for (const char* flags : {"-O0", "-O3 -march=native -ffp-contract=fast"}) {
    const std::vector<DlArrays> came = testing::RunPrinted({{graph, {x}}}, flags);
    ASSERT_EQ(came.size(), 1u);
    EXPECT_TRUE(IsNearestBfloat16(x, came[0][0])) << flags;
  }
}

}  // namespace
}  // namespace lamina
