// The elements of an array as plain numbers.
//
//   std::vector<double> c = Components(x);     // re, im, re, im, .. of a complex array
//
// Threads: pure functions.
#ifndef CHECKS_ARRAY_COMPONENTS_H_
#define CHECKS_ARRAY_COMPONENTS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checks/numbers.h"
#include "framework/dlarray/dlarray.h"

namespace lamina::checks {

/// Elements as doubles, the real and imaginary parts of complex ones side by side. Empty for arrays
/// of other types than floating ones.
std::vector<double> Components(const DlArray& x);
/// The inverse: an array of this spec.
DlArray FromComponents(std::span<const double> components, const ArraySpec& spec);
/// The components of several arrays in a row, without a copy where one double array is all.
Numbers NumbersOf(std::span<const DlArray> arrays);
/// The inverse for one of them, whose components begin at number `at`.
DlArray FromNumbers(const Numbers& numbers, size_t at, const ArraySpec& spec);

/// "'in1'", "'LeftSlope'".
std::string Quoted(std::string_view name);

}  // namespace lamina::checks

#endif  // CHECKS_ARRAY_COMPONENTS_H_
