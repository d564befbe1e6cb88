// Checks of options, with errors that name the option, what it was, and what is allowed.
#ifndef FRAMEWORK_TRAINNET_OPTION_CHECK_H_
#define FRAMEWORK_TRAINNET_OPTION_CHECK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lamina::internal {

/// Throws "trainnet:InvalidOption": option `name` is `allowed`; `came` came.
[[noreturn]] void ThrowInvalidOption(std::string_view name, std::string_view allowed,
                                     std::string_view came);

// Each of these throws unless the value is a number (never NaN) that fits.
void CheckPositive(std::string_view name, double value);     ///< Finite, above 0.
void CheckNonNegative(std::string_view name, double value);  ///< Finite, 0 or more.
void CheckFraction(std::string_view name, double value);     ///< From 0 to 1.
void CheckDecay(std::string_view name, double value);        ///< From 0 to below 1.
void CheckAtLeastOne(std::string_view name, int64_t value);
/// `value` is one of `names`.
void CheckChoice(std::string_view name, std::string_view value,
                 const std::vector<std::string>& names);

}  // namespace lamina::internal

#endif  // FRAMEWORK_TRAINNET_OPTION_CHECK_H_
