// Are sums over ranks those of what the ranks give, op by op, recorded, and in derivatives?
#include "framework/ops/all_reduce.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/program.h"
#include "framework/graph/graph.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/parallel/testing/run_ranks.h"

namespace lamina {
namespace {

using parallel::Communicator;
using parallel::RanksOfProcess;
using parallel::testing::RunRanks;

// 1 + rank, 2 (1 + rank), ...
DlArray Multiples(int rank, int64_t n, DataType type = DataType::kSingle) {
  std::vector<double> x;
  for (int64_t i = 1; i <= n; ++i) x.push_back(static_cast<double>(i * (1 + rank)));
  return Cast(DlArray::FromVector<double>(x, {n, 1}, "CB"), type);
}
// 1 + 2 + ...
int SumOfFirst(int size) { return size * (size + 1) / 2; }

void ExpectRight(int size, const std::function<std::string(Communicator&)>& function) {
  const auto results = RunRanks(size, function);
  for (const auto& r : results) {
    EXPECT_EQ(r.error, "") << r.text;
    EXPECT_EQ(r.text, "right");
  }
}

std::string Compare(const DlArray& x, double times, const std::string& what) {
  for (int64_t i = 0; i < x.numel(); ++i) {
    if (x.At(i) != times * static_cast<double>(i + 1)) {
      return absl::StrCat(what, ": element ", i, " is ", x.At(i));
    }
  }
  return "right";
}

class AllReduceTest : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, AllReduceTest, testing::Values(1, 2, 3));

TEST_P(AllReduceTest, SumsKeepTypesAndLabels) {
  ExpectRight(GetParam(), [](Communicator& ranks) -> std::string {
    const DlArrays x{Multiples(ranks.rank(), 3), Multiples(ranks.rank(), 5, DataType::kDouble),
                     Multiples(ranks.rank(), 2)};
    const DlArrays sums = AllReduceSum(x, RanksOfProcess());
    for (size_t i = 0; i < x.size(); ++i) {
      if (!(sums[i].spec() == x[i].spec())) return ToString(sums[i].spec());
      const std::string text = Compare(sums[i], SumOfFirst(ranks.size()), "sum");
      if (text != "right") return text;
    }
    return "right";
  });
}

// L of a rank is the sum of (1 + rank) w y, y the sum over ranks of r x: each x gets the sum over
// ranks of (1 + rank) w r.
TEST_P(AllReduceTest, DerivativesAreSumsOverRanks) {
  ExpectRight(GetParam(), [](Communicator& ranks) -> std::string {
    const DlArray w = Multiples(0, 4);
    const DlArrays x{Multiples(ranks.rank(), 4), Multiples(ranks.rank(), 4)};
    const DlArray gradient = DlFeval(
        [&](const DlArray& a) {
          // Only the first of two sums is used.
          const DlArrays y =
              AllReduceSum(DlArrays{(1.0 + ranks.rank()) * a, x[1]}, RanksOfProcess());
          return DlGradient(Sum((1.0 + ranks.rank()) * w * y[0]), a);
        },
        x[0]);
    return Compare(gradient, (1 + ranks.rank()) * SumOfFirst(ranks.size()), "derivative");
  });
}

// Recorded functions call it once in each call, compiled or not.
TEST_P(AllReduceTest, RecordedFunctionsMeetTheOthersOnceInACall) {
  const TemporaryFolder cache("cache");
  ASSERT_EQ(setenv("LAMINA_CACHE", cache.path().c_str(), 1), 0);
  ExpectRight(GetParam(), [](Communicator& ranks) -> std::string {
    // One that is compiled at its second call, beside one that never is.
    const AccelerateOptions options{.enabled = ranks.rank() != 1, .wait_for_compiler = true};
    const auto f = DlAccelerate(
        [](const DlArray& x, const DlArray& scale) {
          const DlArrays y = AllReduceSum(DlArrays{x * scale + x, x}, RanksOfProcess());
          return y[0] + y[1];
        },
        options);
    for (int i = 0; i < 6; ++i) {
      const DlArray y = f(Multiples(ranks.rank(), 1000), DlArray(static_cast<float>(i)));
      const std::string text =
          Compare(y, (i + 2) * SumOfFirst(ranks.size()), absl::StrCat("call ", i));
      if (text != "right") return text;
    }
    if (ranks.rank() == 0 && f.Report().find("compiled") == std::string::npos) return f.Report();
    return "right";
  });
}

TEST(AllReduceErrorsTest, OtherTypesAreRefused) {
  const auto one = std::make_shared<Communicator>(parallel::RankOptions());
  try {
    AllReduceSum(DlArrays{Multiples(0, 2), DlArray::FromVector<int64_t>({1, 2}, {2})}, one);
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "ops:UnsupportedType");
    EXPECT_NE(std::string(e.what()).find("Array 2 is a"), std::string::npos) << e.what();
  }
  EXPECT_TRUE(AllReduceSum(DlArrays(), one).empty());
}

TEST(AllReduceErrorsTest, GeneratedCodeHasNoSuchSum) {
  const auto one = std::make_shared<Communicator>(parallel::RankOptions());
  const Graph graph = RecordGraph([&](Arrays x) { return AllReduceSum(x, one); },
                                  std::vector{Multiples(0, 2).spec()});
  ASSERT_EQ(graph.steps().size(), 1u);
  try {
    WriteProgram(graph, {.inputs = {"x"}, .outputs = {"y"}});
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "emit:CannotPrint");
    EXPECT_NE(std::string(e.what()).find("all_reduce_sum"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lamina
