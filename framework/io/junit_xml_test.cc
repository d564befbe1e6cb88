#include "framework/io/junit_xml.h"

#include <cmath>

#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(JUnitXmlTest, WritesSuitesWithTheirCounts) {
  const TestSuite first{
      "SReluLayer",
      {{"valid", 0.25},
       {"gradients", 0.5, TestOutcome::kFailed, "dX differs: 1 < 2", "at [1,2]\nexpected \"1\""},
       {"gpu", 0, TestOutcome::kSkipped, "no GPU"}}};
  const TestSuite second{"Other",
                         {{"throws", 1, TestOutcome::kError, "Error"},
                          {"note", 0, TestOutcome::kPassed, "margin 0.1"}}};
  EXPECT_EQ(JUnitXml("check_layer", {first, second}),
            R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="check_layer" tests="5" failures="1" errors="1" skipped="1" time="1.750000">
  <testsuite name="SReluLayer" tests="3" failures="1" errors="0" skipped="1" time="0.750000">
    <testcase name="valid" classname="SReluLayer" time="0.250000"/>
    <testcase name="gradients" classname="SReluLayer" time="0.500000">
      <failure message="dX differs: 1 &lt; 2">at [1,2]
expected &quot;1&quot;</failure>
    </testcase>
    <testcase name="gpu" classname="SReluLayer" time="0.000000">
      <skipped message="no GPU"/>
    </testcase>
  </testsuite>
  <testsuite name="Other" tests="2" failures="0" errors="1" skipped="0" time="1.000000">
    <testcase name="throws" classname="Other" time="1.000000">
      <error message="Error"/>
    </testcase>
    <testcase name="note" classname="Other" time="0.000000">
      <system-out>margin 0.1</system-out>
    </testcase>
  </testsuite>
</testsuites>
)");
}

TEST(JUnitXmlTest, SurvivesAnyInput) {
  EXPECT_NE(JUnitXml("", {}).find("tests=\"0\""), std::string::npos);
  const std::string odd =
      JUnitXml("\"&", {{"<a>", {{"\x1B\xff", NAN}, {"b", -1}, {"c", INFINITY}}}});
  EXPECT_NE(odd.find("name=\"&quot;&amp;\""), std::string::npos);
  EXPECT_NE(odd.find("classname=\"&lt;a&gt;\""), std::string::npos);
  EXPECT_EQ(odd.find('\x1B'), std::string::npos);
  EXPECT_EQ(odd.find("nan"), std::string::npos);
  EXPECT_EQ(odd.find("inf"), std::string::npos);
  EXPECT_NE(odd.find("tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"0\" time=\"0.000000\""),
            std::string::npos);
}

}  // namespace
}  // namespace lamina
