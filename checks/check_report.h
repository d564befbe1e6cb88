// What CheckLayer found: a list of test points, and the ways to show it.
//
//   CheckReport report = CheckLayer(SReluLayer(), {layout}, {.quiet = true});
//   if (!report.ok()) std::cout << report;      // the whole text
//   WriteFileAtomically("check.xml", ToJUnit(report));
//
// Threads: plain values.
#ifndef CHECKS_CHECK_REPORT_H_
#define CHECKS_CHECK_REPORT_H_

#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "framework/io/json.h"

namespace lamina {

enum class TestStatus : uint8_t {
  kPassed,
  kFailed,
  kIncomplete,  ///< Could not be run to its end: another test tells why.
  kSkipped,     ///< Was not run: its message tells how to have it run.
};
/// "passed", "failed", "incomplete", "skipped".
std::string_view ToString(TestStatus status);

/// Why a test failed. Sentences; a part that has nothing to say is empty.
struct Diagnostic {
  std::string expected{};
  std::string came{};
  std::string where{};  ///< The worst element and its label coordinates, the input, the parameter.
  std::vector<std::string> causes{};  ///< The probable ones, most probable first.
  std::string fix{};
};

/// The parts, each under its name, set in.
std::string ToString(const Diagnostic& diagnostic);

/// How close a numeric check came to its limit: it fails when the error exceeds the tolerance.
struct Margin {
  std::string what;  ///< The input, learnable or state: "in", "LeftSlope".
  double error = 0;
  double tolerance = 0;
  double ratio() const { return tolerance > 0 ? error / tolerance : error > 0 ? 1e300 : 0; }
};

struct TestPoint {
  std::string name;     ///< "predictIsConsistentInType"
  std::string variant;  ///< "1 observation, single"; may be empty.
  TestStatus status = TestStatus::kPassed;
  std::vector<Diagnostic> diagnostics{};  ///< Of a failed test, one for each finding.
  std::vector<Margin> margins{};
  std::string message{};  ///< Why it is skipped or incomplete, or what else is to be said.
  double seconds = 0;

  void Fail(Diagnostic diagnostic);
  void Incomplete(std::string why);
  /// The test turned out to have no meaning for this layer; `why` is a whole skip message.
  void Skip(std::string why);
};

struct CheckReport {
  std::string layer{};               ///< The type: "SReluLayer".
  std::string suite{};               ///< "TestLayerWithoutBackward" or "TestLayerWithBackward".
  std::string inputs{};              ///< The layouts: "24(S) x 24(S) x 20(C) x 128(B)".
  std::vector<std::string> skips{};  ///< Which tests are skipped and what to do to have them run.
  std::vector<std::string> notes{};  ///< Sizes that CheckLayer chose.
  std::vector<TestPoint> tests{};
  double seconds = 0;

  int Count(TestStatus status) const;
  /// Nothing failed and nothing is incomplete.
  bool ok() const;
  /// The first test point of this name that failed; null when there is none.
  const TestPoint* FindFailed(std::string_view name) const;
  /// The time that the tests of these names took together.
  double SecondsOf(std::span<const std::string> names) const;
};

/// The text for a person: skipped tests and what to do, a dot for each passed test and an F for
/// each other, each failure with its diagnosis, how close the numeric checks came, the summary.
std::string ToString(const CheckReport& report);
std::ostream& operator<<(std::ostream& out, const CheckReport& report);

/// The same for programs. Keys: layer, suite, inputs, passed, failed, incomplete, skipped, seconds,
/// skips, notes, tests; a test has name, variant, status, seconds, message, margins, diagnostics.
Json ToJson(const CheckReport& report);
/// The same as JUnit XML, one suite; an incomplete test is an error there.
std::string ToJUnit(const CheckReport& report);

}  // namespace lamina

#endif  // CHECKS_CHECK_REPORT_H_
