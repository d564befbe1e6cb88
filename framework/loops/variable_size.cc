#include "framework/loops/variable_size.h"

#include <cstring>

namespace lamina::loops {
namespace {

struct Sizes {
  int64_t a, b;
  const Expression& size;
};

std::optional<Expression> Linear(int64_t a, int64_t b, const Sizes& sizes) {
  const int64_t rise = b - a, run = sizes.b - sizes.a;
  if (rise % run != 0) return std::nullopt;
  const int64_t slope = rise / run;
  return Expression(slope) * sizes.size + Expression(a - slope * sizes.a);
}

bool SameBits(double a, double b) { return std::memcmp(&a, &b, sizeof a) == 0; }

std::optional<Expression> Unified(const Expression& a, const Expression& b, const Sizes& sizes) {
  const Expression::Node &x = a.node(), &y = b.node();
  if (x.operation != y.operation || x.type != y.type || x.name != y.name ||
      x.operands.size() != y.operands.size()) {
    return std::nullopt;
  }
  if (x.operation == Operation::kNumber) {
    if (SameBits(x.value, y.value)) return a;
    if (x.type != DataType::kInt32) return std::nullopt;
    return Linear(static_cast<int64_t>(x.value), static_cast<int64_t>(y.value), sizes);
  }
  std::vector<Expression> operands;
  for (size_t i = 0; i < x.operands.size(); ++i) {
    const std::optional<Expression> operand = Unified(x.operands[i], y.operands[i], sizes);
    if (!operand) return std::nullopt;
    operands.push_back(*operand);
  }
  if (operands.empty()) return a;
  return Expression::Make(x.operation, x.type, std::move(operands), x.name);
}

}  // namespace

std::optional<Block> WithVariableSize(const Block& a, const Block& b, int64_t size_a,
                                      int64_t size_b, const Expression& size) {
  if (a.size() != b.size()) return std::nullopt;
  const Sizes sizes{size_a, size_b, size};
  Block block;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].kind != b[i].kind || a[i].name != b[i].name) return std::nullopt;
    const std::optional<Expression> index = Unified(a[i].index, b[i].index, sizes),
                                    value = Unified(a[i].value, b[i].value, sizes);
    const std::optional<Block> body = WithVariableSize(a[i].body, b[i].body, size_a, size_b, size);
    if (!index || !value || !body) return std::nullopt;
    Statement s = a[i];
    s.index = *index;
    s.value = *value;
    s.body = *body;
    if (a[i].extent != b[i].extent) {
      const std::optional<Expression> extent = Linear(a[i].extent, b[i].extent, sizes);
      if (!extent) return std::nullopt;
      s.variable_extent = *extent;
      s.extent = Statement::kVariableExtent;
    }
    block.push_back(std::move(s));
  }
  return block;
}

}  // namespace lamina::loops
