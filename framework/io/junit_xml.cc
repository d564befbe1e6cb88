#include "framework/io/junit_xml.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/io/xml.h"

namespace lamina {
namespace {

struct Counts {
  size_t tests = 0;
  size_t failures = 0;
  size_t errors = 0;
  size_t skipped = 0;
  double seconds = 0;

  void Add(const Counts& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
    seconds += other.seconds;
  }
  std::string Attributes() const {
    return absl::StrFormat(
        "tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\" time=\"%.6f\"", tests, failures,
        errors, skipped, seconds);
  }
};

double Seconds(const TestCase& test) {
  return std::isfinite(test.seconds) ? std::max(test.seconds, 0.0) : 0.0;
}

Counts Count(const TestSuite& suite) {
  Counts counts;
  for (const TestCase& test : suite.cases) {
    counts.Add({1, test.outcome == TestOutcome::kFailed, test.outcome == TestOutcome::kError,
                test.outcome == TestOutcome::kSkipped, Seconds(test)});
  }
  return counts;
}

const char* Element(TestOutcome outcome) {
  switch (outcome) {
    case TestOutcome::kFailed:
      return "failure";
    case TestOutcome::kError:
      return "error";
    case TestOutcome::kSkipped:
      return "skipped";
    case TestOutcome::kPassed:
      break;
  }
  return "system-out";
}

std::string CaseXml(const TestSuite& suite, const TestCase& test) {
  std::string xml = absl::StrFormat("    <testcase name=\"%s\" classname=\"%s\" time=\"%.6f\"",
                                    XmlEscape(test.name), XmlEscape(suite.name), Seconds(test));
  // A test that passed has no element for a message: what it says goes to its output.
  const bool passed = test.outcome == TestOutcome::kPassed;
  std::string text = test.details;
  if (passed && !test.message.empty()) {
    text = text.empty() ? test.message : absl::StrCat(test.message, "\n", text);
  }
  if (passed && text.empty()) return xml + "/>\n";
  const char* element = Element(test.outcome);
  absl::StrAppend(&xml, ">\n      <", element);
  if (!passed) absl::StrAppend(&xml, " message=\"", XmlEscape(test.message), "\"");
  if (text.empty()) {
    xml += "/>\n";
  } else {
    absl::StrAppend(&xml, ">", XmlEscape(text), "</", element, ">\n");
  }
  return xml + "    </testcase>\n";
}

}  // namespace

std::string JUnitXml(const std::string& name, const std::vector<TestSuite>& suites) {
  Counts all;
  std::string body;
  for (const TestSuite& suite : suites) {
    const Counts counts = Count(suite);
    all.Add(counts);
    absl::StrAppend(&body, "  <testsuite name=\"", XmlEscape(suite.name), "\" ",
                    counts.Attributes(), ">\n");
    for (const TestCase& test : suite.cases) body += CaseXml(suite, test);
    body += "  </testsuite>\n";
  }
  return absl::StrCat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"",
                      XmlEscape(name), "\" ", all.Attributes(), ">\n", body, "</testsuites>\n");
}

}  // namespace lamina
