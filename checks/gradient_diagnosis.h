// From derivatives that differ to what is probably wrong with the layer.
#ifndef CHECKS_GRADIENT_DIAGNOSIS_H_
#define CHECKS_GRADIENT_DIAGNOSIS_H_

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "checks/check_report.h"
#include "checks/gradient_check.h"

namespace lamina::checks {

/// What came where an analytic derivative is NaN or infinite.
inline constexpr char kGetsNotFinite[] = "Training gets NaN or infinity.";
/// Its causes: the op that gives it when `gradient` computes it again, if one does, and the most
/// probable one.
std::vector<std::string> CausesOfNotFinite(absl::FunctionRef<void()> gradient);

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
