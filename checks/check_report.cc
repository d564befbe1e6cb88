#include "checks/check_report.h"

#include <algorithm>
#include <ostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace lamina {
namespace {

constexpr int kDotsInGroup = 10;
constexpr int kGroupsInLine = 5;
constexpr size_t kWidth = 100;
constexpr std::string_view kRule = "__________\n";

std::string Title(const TestPoint& test) {
  return test.variant.empty() ? test.name : absl::StrCat(test.name, " (", test.variant, ")");
}

// `text` in lines of at most `width` characters, broken at spaces; its own line ends stay.
std::vector<std::string> Wrapped(const std::string& text, size_t width) {
  std::vector<std::string> lines;
  for (absl::string_view given : absl::StrSplit(text, '\n')) {
    std::string line;
    for (absl::string_view word : absl::StrSplit(given, ' ')) {
      if (!line.empty() && line.size() + 1 + word.size() > width) {
        lines.push_back(std::move(line));
        line.clear();
      } else if (!line.empty()) {
        line += ' ';
      }
      absl::StrAppend(&line, word);
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

// `label` and `text` beside it, set in.
std::string Field(const std::string& label, const std::string& text) {
  constexpr size_t kMargin = 4, kHang = 10;
  if (text.empty()) return "";
  std::string out;
  for (const std::string& line : Wrapped(text, kWidth - kMargin - kHang)) {
    absl::StrAppendFormat(&out, "%*s%-*s%s\n", kMargin, "", kHang, out.empty() ? label : "", line);
  }
  return out;
}

std::string Paragraph(const std::string& text) {
  return absl::StrCat(absl::StrJoin(Wrapped(text, kWidth), "\n"), "\n\n");
}

}  // namespace

std::string ToString(const Diagnostic& d) {
  std::string out = absl::StrCat(Field("Expected:", d.expected), Field("Came:", d.came),
                                 Field("Where:", d.where));
  for (size_t i = 0; i < d.causes.size(); ++i) {
    absl::StrAppend(
        &out, Field(i > 0                  ? ""
                    : d.causes.size() == 1 ? "Cause:"
                                           : "Causes:",
                    d.causes.size() == 1 ? d.causes[i] : absl::StrCat(i + 1, ". ", d.causes[i])));
  }
  return out + Field("Fix:", d.fix);
}

namespace {

std::string Dots(const CheckReport& report) {
  std::string out;
  int n = 0;
  for (const TestPoint& t : report.tests) {
    if (t.status == TestStatus::kSkipped) continue;
    if (n > 0 && n % (kDotsInGroup * kGroupsInLine) == 0) {
      out += "\n";
    } else if (n > 0 && n % kDotsInGroup == 0) {
      out += " ";
    }
    out += t.status == TestStatus::kPassed ? "." : t.status == TestStatus::kFailed ? "F" : "I";
    ++n;
  }
  return out + "\n";
}

std::string Block(const TestPoint& test) {
  const bool failed = test.status == TestStatus::kFailed;
  std::string out = absl::StrCat("\n", std::string(kRule),
                                 failed ? "Failed: " : "Incomplete: ", Title(test), "\n");
  bool first = true;
  for (const Diagnostic& d : test.diagnostics) {
    absl::StrAppend(&out, first ? "" : "\n", ToString(d));
    first = false;
  }
  return out + Field(failed ? "Note:" : "Reason:", test.message);
}

// "error / tolerance" of each numeric check, largest of all variants of a test and one quantity.
std::string MarginTable(const CheckReport& report) {
  std::string rows;
  for (const TestPoint& t : report.tests) {
    if (t.margins.empty()) continue;
    absl::StrAppend(&rows, "  ", Title(t), "\n");
    for (const Margin& m : t.margins) {
      absl::StrAppendFormat(&rows, "    %-24s error %.1e, tolerance %.1e, ratio %.2g\n", m.what,
                            m.error, m.tolerance, m.ratio());
    }
    if (t.status == TestStatus::kPassed && !t.message.empty()) {
      absl::StrAppend(&rows, "    ", t.message, "\n");
    }
  }
  return rows.empty() ? rows
                      : "\nHow close the numeric checks came (a ratio above 1 fails):\n" + rows;
}

}  // namespace

std::string_view ToString(TestStatus status) {
  constexpr std::string_view kNames[] = {"passed", "failed", "incomplete", "skipped"};
  return kNames[static_cast<int>(status)];
}

void TestPoint::Fail(Diagnostic diagnostic) {
  status = TestStatus::kFailed;
  diagnostics.push_back(std::move(diagnostic));
}

void TestPoint::Incomplete(std::string why) {
  if (status != TestStatus::kFailed) status = TestStatus::kIncomplete;
  message = std::move(why);
}

void TestPoint::Skip(std::string why) {
  if (status == TestStatus::kPassed) status = TestStatus::kSkipped;
  message = std::move(why);
}

int CheckReport::Count(TestStatus status) const {
  return static_cast<int>(std::count_if(tests.begin(), tests.end(),
                                        [&](const TestPoint& t) { return t.status == status; }));
}

bool CheckReport::ok() const {
  return Count(TestStatus::kFailed) == 0 && Count(TestStatus::kIncomplete) == 0;
}

const TestPoint* CheckReport::FindFailed(std::string_view name) const {
  for (const TestPoint& t : tests) {
    if (t.status == TestStatus::kFailed && t.name == name) return &t;
  }
  return nullptr;
}

double CheckReport::SecondsOf(std::span<const std::string> names) const {
  double sum = 0;
  for (const TestPoint& t : tests) {
    if (std::find(names.begin(), names.end(), t.name) != names.end()) sum += t.seconds;
  }
  return sum;
}

std::string ToString(const CheckReport& report) {
  std::string out;
  for (const std::string& skip : report.skips) out += Paragraph(skip);
  for (const std::string& note : report.notes) out += Paragraph(note);
  absl::StrAppend(&out, "Running ", report.suite, " on ", report.layer, ", ", report.inputs, "\n",
                  Dots(report), "Done ", report.suite, "\n");
  // What failed tells why the rest is incomplete.
  for (const TestStatus status : {TestStatus::kFailed, TestStatus::kIncomplete}) {
    for (const TestPoint& t : report.tests) {
      if (t.status == status) out += Block(t);
    }
  }
  out += MarginTable(report);
  absl::StrAppend(&out, std::string(kRule), "\nTest Summary:\n\t ");
  absl::StrAppendFormat(&out, "%d Passed, %d Failed, %d Incomplete, %d Skipped.\n",
                        report.Count(TestStatus::kPassed), report.Count(TestStatus::kFailed),
                        report.Count(TestStatus::kIncomplete), report.Count(TestStatus::kSkipped));
  absl::StrAppendFormat(&out, "\t Time elapsed: %.5f seconds.\n", report.seconds);
  return out;
}

std::ostream& operator<<(std::ostream& out, const CheckReport& report) {
  return out << ToString(report);
}

}  // namespace lamina
