// Indices as linear functions of the variables of loops.
//
// Threads: pure functions; a form is a plain value.
#ifndef FRAMEWORK_EMIT_LINEAR_FORM_H_
#define FRAMEWORK_EMIT_LINEAR_FORM_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/loops/expression.h"

namespace lamina {

/// constant + sum of coefficient * variable.
struct Linear {
  int64_t constant = 0;
  std::map<std::string, int64_t> of;
};

/// An index with `variable` at `value`; nothing where it is not linear.
std::optional<Linear> LinearForm(const loops::Expression& x, const std::string& variable = "",
                                 int64_t value = 0);

/// The terms of indices: a coefficient, and how many values its variable has, from 0 on.
using Digits = std::vector<std::pair<int64_t, int64_t>>;

/// Is each sum of terms that of one choice of values alone, since each coefficient is beyond what
/// smaller ones reach? Then `digits` are sorted.
bool AreDigits(Digits* digits);

/// Can two sums of these terms, for which AreDigits held, lie `distance` apart?
bool CanLieApart(const Digits& digits, int64_t distance);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_LINEAR_FORM_H_
