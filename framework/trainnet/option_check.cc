#include "framework/trainnet/option_check.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/error.h"

namespace lamina::internal {

void ThrowInvalidOption(std::string_view name, std::string_view allowed, std::string_view came) {
  throw Error(
      "trainnet:InvalidOption",
      absl::StrCat("Option ", std::string(name), " is expected to be ", std::string(allowed), "."),
      absl::StrCat(std::string(came), " came."), "");
}

void CheckPositive(std::string_view name, double value) {
  if (value > 0 && std::isfinite(value)) return;
  ThrowInvalidOption(name, "a finite number above 0", absl::StrCat(value));
}
void CheckNonNegative(std::string_view name, double value) {
  if (value >= 0 && std::isfinite(value)) return;
  ThrowInvalidOption(name, "a finite number, 0 or more", absl::StrCat(value));
}
void CheckFraction(std::string_view name, double value) {
  if (value >= 0 && value <= 1) return;
  ThrowInvalidOption(name, "a number from 0 to 1", absl::StrCat(value));
}
void CheckDecay(std::string_view name, double value) {
  if (value >= 0 && value < 1) return;
  ThrowInvalidOption(name, "a number from 0 to less than 1", absl::StrCat(value));
}
void CheckAtLeastOne(std::string_view name, int64_t value) {
  if (value >= 1) return;
  ThrowInvalidOption(name, "a whole number, 1 or more", absl::StrCat(value));
}
void CheckChoice(std::string_view name, std::string_view value,
                 const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), value) != names.end()) return;
  ThrowInvalidOption(name, absl::StrCat("one of [", absl::StrJoin(names, ", "), "]"),
                     absl::StrCat("\"", std::string(value), "\""));
}

}  // namespace lamina::internal
