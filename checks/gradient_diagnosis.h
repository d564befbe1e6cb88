// From derivatives that differ to what is probably wrong with the layer.
#ifndef CHECKS_GRADIENT_DIAGNOSIS_H_
#define CHECKS_GRADIENT_DIAGNOSIS_H_

#include <vector>

#include "checks/check_report.h"
#include "checks/gradient_check.h"

namespace lamina::checks {

/// What came, and its most probable cause, where an analytic derivative is NaN or infinite.
inline constexpr char kGetsNotFinite[] = "Training gets NaN or infinity.";
inline constexpr char kNotFiniteCause[] =
    "The derivative divides by what is 0 here: that of a root, a norm or a standard deviation is "
    "infinite at 0. Add a small constant under the root.";

/// What is wrong with the derivative of variable `i`; `findings` has all variables. `observations`
/// is how many there are, 1 when not known.
Diagnostic DiagnoseGradient(const CheckContext& context, const GradientCheck& check,
                            const std::vector<VariableFinding>& findings, int i,
                            int64_t observations);

/// "'LeftSlope' at 0, 0, 3"; the element of a variable.
std::string WhereInVariable(const Variable& variable, int64_t component);

/// "the input 'in'", "the learnable 'LeftSlope'".
std::string InWords(const Variable& variable);

}  // namespace lamina::checks

#endif  // CHECKS_GRADIENT_DIAGNOSIS_H_
