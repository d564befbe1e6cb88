#include "framework/acceleration/trace_check.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <complex>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/moved.h"

namespace lamina::internal {
namespace {

std::string ValueText(std::complex<double> v, DataType type) {
  return IsComplex(type) ? absl::StrFormat("%.9g%+.9gi", v.real(), v.imag())
                         : absl::StrFormat("%.9g", v.real());
}

// "2(S), 0(C)": where element `index` stands.
std::string Place(const ArraySpec& spec, int64_t index) {
  std::string text;
  for (int d = 0; d < spec.rank(); ++d) {
    absl::StrAppend(&text, d == 0 ? "" : ", ", index % spec.sizes[d]);
    if (!spec.format.empty()) absl::StrAppend(&text, "(", std::string(1, spec.format[d]), ")");
    index /= spec.sizes[d];
  }
  return text;
}

double Distance(std::complex<double> a, std::complex<double> b) {
  if (a == b) return 0;
  if (std::isnan(std::abs(a)) && std::isnan(std::abs(b))) return 0;
  const double distance = std::abs(a - b);
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

[[noreturn]] void Fail(const std::string& expected, const std::string& came) {
  throw Error("accelerate:CheckFailed", expected, came,
              "Look for something that the function reads besides its arguments, or raise "
              "check_tolerance where only rounding differs.");
}

const ArraySpec& SpecOf(const DlArray& a, const DlArray& b) {
  return a.empty() ? b.spec() : a.spec();
}
std::complex<double> ValueAt(const DlArray& x, int64_t i) { return x.empty() ? 0 : x.ComplexAt(i); }

void CheckSpecs(const char* what, const DlArrays& came, const DlArrays& expected) {
  if (came.size() != expected.size()) {
    Fail(absl::StrCat("The function returned ", Counted(came.size(), "array"),
                      " when it was recorded."),
         absl::StrCat("It returned ", expected.size(), "."));
  }
  for (size_t k = 0; k < came.size(); ++k) {
    const DlArray &a = came[k], &b = expected[k];
    if (a.empty() || b.empty() || a.spec() == b.spec()) continue;
    Fail(absl::StrCat(what, " ", k, " was recorded as a ", ToString(a.spec()), "."),
         absl::StrCat("The function returned a ", ToString(b.spec()), "."));
  }
}

// Where two arrays are furthest apart.
struct Worst {
  double distance = 0, largest = 0;  // The largest magnitude of the second array.
  int64_t at = 0;
};
Worst WorstOf(const DlArray& a, const DlArray& b) {
  Worst worst;
  const int64_t n = SpecOf(a, b).numel();
  for (int64_t i = 0; i < n; ++i) {
    const std::complex<double> va = ValueAt(a, i), vb = ValueAt(b, i);
    if (std::isfinite(std::abs(vb))) worst.largest = std::max(worst.largest, std::abs(vb));
    const double distance = Distance(va, vb);
    if (distance > worst.distance) worst.distance = distance, worst.at = i;
  }
  return worst;
}

// From a device, where they lie on one.
DlArrays Here(DlArrays arrays) {
  for (DlArray& x : arrays) x = Gather(x);
  return arrays;
}

// What is wrong with what the two functions gave for these arguments; "" if nothing is.
std::string Difference(const CheckedCall& call, Arrays arguments, const DlArrays& came,
                       double tolerance) {
  const DlArrays expected = Here(call.plain(arguments));
  CheckSpecs(call.what, came, expected);
  std::optional<DlArrays> up, down;
  for (size_t k = 0; k < came.size(); ++k) {
    const DlArray &a = came[k], &b = expected[k];
    const Worst worst = WorstOf(a, b);
    double allowed = tolerance * worst.largest;
    if (worst.distance <= allowed) continue;
    if (!up.has_value()) {
      up = Here(call.plain(Moved(arguments, kLastDigits)));
      down = Here(call.plain(Moved(arguments, -kLastDigits)));
    }
    allowed += 4 * std::max(WorstOf((*up)[k], b).distance, WorstOf((*down)[k], b).distance);
    if (worst.distance <= allowed) continue;
    const ArraySpec& spec = SpecOf(a, b);
    return absl::StrCat(call.what, " ", k, ", a ", ToString(spec), ", differs most at element (",
                        Place(spec, worst.at), "): ", ValueText(ValueAt(a, worst.at), spec.type),
                        " accelerated, ", ValueText(ValueAt(b, worst.at), spec.type),
                        " without; the largest magnitude is ",
                        absl::StrFormat("%.9g", worst.largest), ".");
  }
  return "";
}

struct Count {
  std::atomic<int64_t> calls{0}, by_kernels{0};
};
Count& Checked() {
  static Count count;
  return count;
}

void TellChecked() {
  absl::FPrintF(stderr,
                "LAMINA_CHECK_ACCELERATION: %d accelerated calls, %d of them by compiled kernels, "
                "gave what they give op by op.\n",
                Checked().calls.load(), Checked().by_kernels.load());
}

int64_t ReadEnvironment() {
  const char* const value = std::getenv("LAMINA_CHECK_ACCELERATION");
  if (value == nullptr || *value == '\0') return 0;
  int64_t checks = 0;
  if (!absl::SimpleAtoi(value, &checks) || checks < 0) {
    absl::FPrintF(stderr, "LAMINA_CHECK_ACCELERATION=%s is not a number of calls: ignored\n",
                  value);
    return 0;
  }
  if (checks > 0) std::atexit(TellChecked);
  return checks;
}

}  // namespace

void CheckAgreement(const CheckedCall& call, double tolerance) {
  // Far enough that other elements stand at a jump, near enough that all is as large as before.
  constexpr double kElsewhere = 0x1p-10;
  const std::string found = Difference(call, call.arguments, Here(call.came), tolerance);
  bool everywhere = !found.empty();
  for (const double by : {kElsewhere, -kElsewhere}) {
    if (!everywhere) break;
    const DlArrays arguments = Moved(call.arguments, by);
    everywhere = !Difference(call, arguments, Here(call.accelerated(arguments)), tolerance).empty();
  }
  if (everywhere) {
    Fail(absl::StrCat("The accelerated function gives what the function gives, to ", tolerance,
                      " times the largest magnitude of each array."),
         found);
  }
  ++Checked().calls;
  if (call.by_kernels) ++Checked().by_kernels;
}

int64_t ChecksByEnvironment() {
  static const int64_t checks = ReadEnvironment();
  return checks;
}

}  // namespace lamina::internal
