// junit_xml.h: what tests found, as the JUnit XML that build servers, editors and Bazel read.
//
// Threads: pure functions and plain values.
//
//   TestSuite suite{"SReluLayer", {{"parametersAreValid", 0.002}, {"gradients", 0.4,
//   TestOutcome::kFailed, "dX differs"}}}; absl::Status written = WriteFileAtomically(path,
//   JUnitXml("check_layer", {suite}));
//
// The form: https://github.com/testmoapp/junitxml
#ifndef FRAMEWORK_IO_JUNIT_XML_H_
#define FRAMEWORK_IO_JUNIT_XML_H_

#include <string>
#include <vector>

namespace lamina {

enum class TestOutcome {
  kPassed,
  kFailed,  // what was expected did not come
  kError,   // the test itself could not run to its end
  kSkipped,
};

struct TestCase {
  std::string name;
  double seconds = 0;
  TestOutcome outcome = TestOutcome::kPassed;
  std::string message{};  // why it failed or was skipped, in a line
  std::string details{};  // the same in many lines
};

struct TestSuite {
  std::string name;
  std::vector<TestCase> cases;
};

/// The text of a report: the suites in their order, with their counts and times. Any bytes are
/// allowed in names and messages. A time that is negative or not finite counts as 0. The same input
/// gives the same bytes.
std::string JUnitXml(const std::string& name, const std::vector<TestSuite>& suites);

}  // namespace lamina

#endif  // FRAMEWORK_IO_JUNIT_XML_H_
