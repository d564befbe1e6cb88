#include "framework/emit/linear_form.h"

#include <algorithm>
#include <utility>

namespace lamina {

using loops::Expression;
using loops::Operation;

std::optional<Linear> LinearForm(const Expression& x, const std::string& variable, int64_t value) {
  const Expression::Node& node = x.node();
  if (node.operation == Operation::kNumber) return Linear{static_cast<int64_t>(node.value), {}};
  if (node.operation == Operation::kVariable) {
    if (node.name == variable) return Linear{value, {}};
    return Linear{0, {{node.name, 1}}};
  }
  if (node.operation != Operation::kAdd && node.operation != Operation::kSubtract &&
      node.operation != Operation::kMultiply) {
    return std::nullopt;
  }
  std::optional<Linear> a = LinearForm(node.operands[0], variable, value),
                        b = LinearForm(node.operands[1], variable, value);
  if (!a || !b) return std::nullopt;
  if (node.operation == Operation::kMultiply) {
    if (!a->of.empty()) std::swap(a, b);
    if (!a->of.empty()) return std::nullopt;
    for (auto& [name, c] : b->of) c *= a->constant;
    b->constant *= a->constant;
    return b;
  }
  const int64_t sign = node.operation == Operation::kAdd ? 1 : -1;
  a->constant += sign * b->constant;
  for (const auto& [name, c] : b->of) a->of[name] += sign * c;
  return a;
}

bool AreDigits(Digits* digits) {
  std::erase_if(*digits, [](const auto& digit) { return digit.second <= 1; });
  std::sort(digits->begin(), digits->end());
  int64_t reach = 0;
  for (const auto& [coefficient, extent] : *digits) {
    if (coefficient <= reach) return false;
    reach += (extent - 1) * coefficient;
  }
  return true;
}

bool CanLieApart(const Digits& digits, int64_t distance) {
  if (digits.empty()) return distance == 0;
  const auto [coefficient, extent] = digits.back();
  const Digits smaller(digits.begin(), digits.end() - 1);
  // What the smaller ones reach is less than one of these steps, so there are two at most.
  int64_t steps = distance / coefficient;
  if (steps * coefficient > distance) --steps;
  for (const int64_t s : {steps, steps + 1}) {
    const bool is_there = -extent < s && s < extent;
    if (is_there && CanLieApart(smaller, distance - s * coefficient)) return true;
  }
  return false;
}

}  // namespace lamina
