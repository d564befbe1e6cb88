// Indices as linear functions of the variables of loops.
//
// Threads: a pure function; a form is a plain value.
#ifndef FRAMEWORK_EMIT_LINEAR_FORM_H_
#define FRAMEWORK_EMIT_LINEAR_FORM_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

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

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_LINEAR_FORM_H_
