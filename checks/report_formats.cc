// The report for programs: JSON and JUnit XML.
#include "absl/strings/str_cat.h"
#include "checks/check_report.h"
#include "framework/io/junit_xml.h"

namespace lamina {
namespace {

Json DiagnosticJson(const Diagnostic& d) {
  return {{"expected", d.expected},
          {"came", d.came},
          {"where", d.where},
          {"causes", d.causes},
          {"fix", d.fix}};
}

Json TestJson(const TestPoint& t) {
  Json margins = Json::array(), diagnostics = Json::array();
  for (const Margin& m : t.margins) {
    margins.push_back(
        {{"what", m.what}, {"error", m.error}, {"tolerance", m.tolerance}, {"ratio", m.ratio()}});
  }
  for (const Diagnostic& d : t.diagnostics) diagnostics.push_back(DiagnosticJson(d));
  return {{"name", t.name},
          {"variant", t.variant},
          {"status", std::string(ToString(t.status))},
          {"seconds", t.seconds},
          {"message", t.message},
          {"margins", margins},
          {"diagnostics", diagnostics}};
}

}  // namespace

Json ToJson(const CheckReport& report) {
  Json tests = Json::array();
  for (const TestPoint& t : report.tests) tests.push_back(TestJson(t));
  return {{"layer", report.layer},
          {"suite", report.suite},
          {"inputs", report.inputs},
          {"passed", report.Count(TestStatus::kPassed)},
          {"failed", report.Count(TestStatus::kFailed)},
          {"incomplete", report.Count(TestStatus::kIncomplete)},
          {"skipped", report.Count(TestStatus::kSkipped)},
          {"seconds", report.seconds},
          {"skips", report.skips},
          {"notes", report.notes},
          {"tests", tests}};
}

std::string ToJUnit(const CheckReport& report) {
  TestSuite suite{.name = report.layer, .cases = {}};
  for (const TestPoint& t : report.tests) {
    TestCase c{.name = t.variant.empty() ? t.name : absl::StrCat(t.name, " (", t.variant, ")"),
               .seconds = t.seconds};
    switch (t.status) {
      case TestStatus::kPassed:
        break;
      case TestStatus::kFailed:
        c.outcome = TestOutcome::kFailed;
        c.message = t.diagnostics.empty() ? t.message : t.diagnostics[0].came;
        for (const Diagnostic& d : t.diagnostics) absl::StrAppend(&c.details, ToString(d), "\n");
        break;
      case TestStatus::kIncomplete:
        c.outcome = TestOutcome::kError;
        c.message = t.message;
        break;
      case TestStatus::kSkipped:
        c.outcome = TestOutcome::kSkipped;
        c.message = t.message;
        break;
    }
    suite.cases.push_back(std::move(c));
  }
  return JUnitXml("check_layer", {suite});
}

}  // namespace lamina
