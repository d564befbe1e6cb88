#include "framework/acceleration/recomputation.h"

#include <algorithm>
#include <string_view>

#include "framework/ops/bfloat16.h"
#include "framework/ops/elementwise_op.h"

namespace lamina::internal {
namespace {

// So many steps in a row are done again for one value: every so many values of a long chain are
// kept.
constexpr int kMaxDepth = 6;

// Is it dearer to store what the op gives and to load it again than to compute it?
bool IsCheap(const Op& op) {
  using F = cpu::ScalarFunction;
  if (const auto* const elementwise = dynamic_cast<const ElementwiseOp*>(&op)) {
    switch (elementwise->function()) {
      case F::kNegate:
      case F::kAbs:
      case F::kSign:
      case F::kSquare:
      case F::kRelu:
      case F::kNot:
      case F::kConj:
      case F::kReal:
      case F::kImag:
      case F::kPlus:
      case F::kMinus:
      case F::kTimes:
      case F::kMax:
      case F::kMin:
      case F::kEq:
      case F::kNe:
      case F::kLt:
      case F::kLe:
      case F::kGt:
      case F::kGe:
      case F::kAnd:
      case F::kOr:
      case F::kXor:
      case F::kComplex:
      case F::kWhere:
        return true;
      default:
        return false;
    }
  }
  const std::string_view name = op.Name();
  return name == "reshape" || name == "relabel" || name == "cast" || IsRoundToBfloat16(op);
}

}  // namespace

Recomputation::Recomputation(const Graph& graph, size_t boundary, const std::set<int>& read)
    : graph_(graph), step_of_(graph.values().size(), -1), kept_(graph.values().size()) {
  for (size_t s = 0; s < boundary; ++s) {
    for (const int v : graph.steps()[s].outputs) step_of_[v] = static_cast<int>(s);
  }
  std::vector<int> values;  // In the order of the steps, as their numbers are.
  for (const int v : read) {
    if (step_of_[v] < 0) continue;
    kept_[v] = true;
    values.push_back(v);
  }
  std::vector<bool> is_output(graph.values().size());
  for (const int v : graph.outputs()) is_output[v] = true;  // There anyway.
  for (const int v : values) {
    if (is_output[v]) continue;
    kept_[v] = false;
    kept_[v] = !IsAtHand(v, kMaxDepth);
  }
  for (const int v : values) Need(v);
}

std::vector<int> Recomputation::Kept() const {
  std::vector<int> kept;
  for (size_t v = 0; v < kept_.size(); ++v) {
    if (kept_[v]) kept.push_back(static_cast<int>(v));
  }
  return kept;
}

bool Recomputation::IsAtHand(int value, int depth) const {
  if (step_of_[value] < 0 || kept_[value]) return true;
  const GraphStep& step = graph_.steps()[step_of_[value]];
  if (depth == 0 || !IsCheap(*step.op)) return false;
  return std::all_of(step.inputs.begin(), step.inputs.end(),
                     [&](int i) { return IsAtHand(i, depth - 1); });
}

void Recomputation::Need(int value) {
  if (step_of_[value] < 0 || kept_[value]) return;
  if (!steps_.insert(static_cast<size_t>(step_of_[value])).second) return;
  for (const int i : graph_.steps()[step_of_[value]].inputs) Need(i);
}

}  // namespace lamina::internal
