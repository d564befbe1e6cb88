// The table counts right, and prints what it counted.
#include "checks/faulty/mutation_table.h"

#include <algorithm>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina::faulty {
namespace {

using testing::HasSubstr;

// A layer that is no fault at all, passed off as one.
Fault NoFault() { return Of<TanhScaleLayer, TanhScaleLayer>("nothing", Image(), "none"); }

TEST(MutationTableTest, CountsWhatIsCaughtAndWhatIsNot) {
  const FaultTable table =
      RunFaults({{"One kind", {FindFault("WrongSign"), FindFault("HiddenCounter")}},
                 {"Another", {NoFault()}}},
                2, {{"WrongSign", "caught"}, {"TanhScaleLayer", "missed"}});
  EXPECT_EQ(table.total(), 3);
  EXPECT_EQ(table.caught(), 2);
  std::ostringstream out;
  Print(table, out);
  EXPECT_THAT(out.str(), HasSubstr("\nOne kind\n"));
  EXPECT_THAT(out.str(), testing::ContainsRegex(
                             "WrongSign +OwnBackwardLayer +dLdX has the wrong sign +caught +"
                             "gradientsAreNumericallyCorrect"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("HiddenCounter .* -  .*predictIsRepeatable"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("TanhScaleLayer .* missed +nothing\n"));
  EXPECT_THAT(out.str(), HasSubstr("Of 2 faults that were written for PyTorch too, gradcheck and "
                                   "gradgradcheck catch 1, CheckLayer 1.\n"));
  EXPECT_EQ(LastLine(table, {.runs = 800, .alarms = 1}), "caught 2 of 3, false alarms 1 of 800");
}

// A faulty layer passed off as a correct one is a false alarm in each run.
TEST(MutationTableTest, CountsFalseAlarms) {
  const CorrectLayer right{"Right",
                           [] { return AnyLayer(TanhScaleLayer()); },
                           [] { return AnyLayer(TanhScaleLayer()); },
                           {Image(), Image()}};
  const CorrectLayer wrong{"Wrong",
                           FindFault("HiddenCounter").make,
                           FindFault("HiddenCounter").make,
                           {Image(), Features()}};
  std::ostringstream out;
  const FalseAlarms alarms = RunCorrectLayers({right, wrong}, {.seeds = 3, .layouts = 1}, out);
  EXPECT_EQ(alarms.runs, 6);
  EXPECT_EQ(alarms.alarms, 3);
  EXPECT_THAT(out.str(), testing::ContainsRegex("  Right +0 of 3\n"));
  EXPECT_THAT(out.str(), testing::ContainsRegex("  Wrong +3 of 3\n"));
  EXPECT_THAT(out.str(), HasSubstr("False alarm: Wrong, 4(S) x 3(S) x 2(C) x 5(B), seed 2: "));
}

TEST(MutationTableTest, RecordOfGradcheckNamesFaultsOfTheTable) {
  Names names;
  for (const FaultGroup& group : AllFaults()) {
    for (const Fault& fault : group.faults) names.insert(fault.name);
  }
  const GradcheckRecord record = LoadGradcheckRecord();
  EXPECT_GT(record.size(), 50);
  for (const auto& [name, result] : record) EXPECT_EQ(names.count(name), 1) << name;
}

}  // namespace
}  // namespace lamina::faulty
