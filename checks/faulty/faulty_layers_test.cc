// Each faulty layer is caught by the test that is meant to catch it; no correct layer is accused.
#include <algorithm>

#include "checks/check_layer.h"
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina::faulty {
namespace {

std::vector<Fault> Flat() {
  std::vector<Fault> all;
  for (const FaultGroup& group : AllFaults()) {
    all.insert(all.end(), group.faults.begin(), group.faults.end());
  }
  return all;
}

class FaultTest : public testing::TestWithParam<Fault> {};

TEST_P(FaultTest, IsCaughtByTheTestThatShould) {
  const Fault& fault = GetParam();
  const CheckReport report = Check(fault, 0);
  Names expected = fault.also;
  expected.insert(fault.caught_by);
  EXPECT_THAT(FailedTests(report), testing::IsSupersetOf(expected)) << report;
  const TestPoint* point = report.FindFailed(fault.caught_by);
  ASSERT_NE(point, nullptr);
  for (const Diagnostic& d : point->diagnostics) {
    EXPECT_NE(d.expected, "");
    EXPECT_NE(d.came, "");
    EXPECT_NE(d.fix, "");
  }
}

INSTANTIATE_TEST_SUITE_P(All, FaultTest, testing::ValuesIn(Flat()),
                         [](const auto& info) { return info.param.name; });

class CorrectLayerTest : public testing::TestWithParam<CorrectLayer> {};

// A sample of the long run that docs/mutation_table.md tells of: every fourth layout, each with
// another seed. Kernels are compiled for one of them, which takes a second for large layers.
TEST_P(CorrectLayerTest, IsNotAccused) {
  CorrectLayer layer = GetParam();
  const std::vector<Layouts>& layouts = layer.layouts;
  EXPECT_EQ(layouts.size(), 20);
  for (size_t i = 0; i < layouts.size(); i += 4) {
    if (i > 0) layer.skip_tests.insert("kernelsGiveTheSame");
    const CheckReport report = Check(layer, layouts[i], i);
    EXPECT_TRUE(report.ok()) << "seed " << i << "\n" << report;
    EXPECT_GT(report.Count(TestStatus::kPassed), 10);
  }
}

INSTANTIATE_TEST_SUITE_P(All, CorrectLayerTest, testing::ValuesIn(CorrectLayers()),
                         [](const auto& info) {
                           std::string name = info.param.name;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

TEST(FaultsTest, HaveNamesOfTheirOwn) {
  Names names;
  for (const Fault& fault : Flat()) EXPECT_TRUE(names.insert(fault.name).second) << fault.name;
}

TEST(FaultsTest, NameTestsOfCheckLayer) {
  const std::vector<std::string> known = CheckLayerTestNames();
  for (const Fault& fault : Flat()) {
    EXPECT_THAT(known, testing::Contains(fault.caught_by));
    for (const std::string& name : fault.also) EXPECT_THAT(known, testing::Contains(name));
  }
}

}  // namespace
}  // namespace lamina::faulty
