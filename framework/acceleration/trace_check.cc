#include "framework/acceleration/trace_check.h"

#include <cmath>
#include <complex>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

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

}  // namespace

void CheckAgreement(std::string_view what, const DlArrays& came, const DlArrays& expected,
                    double tolerance) {
  const std::string name(what);
  if (came.size() != expected.size()) {
    Fail(absl::StrCat("The function returned ", came.size(), " arrays when it was recorded."),
         absl::StrCat("It returned ", expected.size(), "."));
  }
  for (size_t k = 0; k < came.size(); ++k) {
    const DlArray &a = came[k], &b = expected[k];
    const ArraySpec& spec = a.empty() ? b.spec() : a.spec();
    if (!a.empty() && !b.empty() && !(a.spec() == b.spec())) {
      Fail(absl::StrCat(name, " ", k, " was recorded as a ", ToString(a.spec()), "."),
           absl::StrCat("The function returned a ", ToString(b.spec()), "."));
    }
    double largest = 0, worst = 0;
    int64_t at = 0;
    std::complex<double> worst_a, worst_b;
    for (int64_t i = 0; i < spec.numel(); ++i) {
      const std::complex<double> va = a.empty() ? 0 : a.ComplexAt(i),
                                 vb = b.empty() ? 0 : b.ComplexAt(i);
      if (std::isfinite(std::abs(vb))) largest = std::max(largest, std::abs(vb));
      const double distance = Distance(va, vb);
      if (distance <= worst) continue;
      worst = distance, at = i, worst_a = va, worst_b = vb;
    }
    if (worst <= tolerance * largest) continue;
    Fail(absl::StrCat("The accelerated function gives what the function gives, to ", tolerance,
                      " times the largest magnitude of each array."),
         absl::StrCat(name, " ", k, ", a ", ToString(spec), ", differs most at element (",
                      Place(spec, at), "): ", ValueText(worst_a, spec.type), " accelerated, ",
                      ValueText(worst_b, spec.type), " without; the largest magnitude is ",
                      absl::StrFormat("%.9g", largest), "."));
  }
}

}  // namespace lamina::internal
