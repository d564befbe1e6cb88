#include "framework/emit/places.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

std::set<std::string> LoadedArrays(const Block& code) {
  std::set<std::string> arrays;
  internal::ForEachPlace(
      code, [&](const std::string& array, const Expression&) { arrays.insert(array); },
      [](const std::string&, const Expression&) {});
  return arrays;
}

std::set<std::string> StoredArrays(const Block& code) {
  std::set<std::string> arrays;
  internal::ForEachPlace(
      code, [](const std::string&, const Expression&) {},
      [&](const std::string& array, const Expression&) { arrays.insert(array); });
  return arrays;
}

namespace internal {

void ReplacePlaces(Block* code, const PlaceOf& place) {
  const auto replaced = [&place](const Expression& value) {
    return Rewrite(value, [&place](const Expression& x) {
      if (x.operation() != Operation::kLoad) return x;
      const auto [name, index] = place(x.node().name, x.node().operands[0]);
      return Expression::Load(name, x.type(), index);
    });
  };
  for (Statement& s : *code) {
    s.value = replaced(s.value);
    if (s.kind == Statement::kStore) {
      const auto [name, index] = place(s.name, replaced(s.index));
      s.name = name;
      s.index = index.Typed(DataType::kInt32);
    }
    ReplacePlaces(&s.body, place);
  }
}

std::pair<Expression, int64_t> SplitConstant(const Expression& x) {
  if (x.is_number()) return {Expression(0), static_cast<int64_t>(x.node().value)};
  if (x.operation() != Operation::kAdd && x.operation() != Operation::kMultiply) return {x, 0};
  const Expression &left = x.node().operands[0], &right = x.node().operands[1];
  const auto [a, m] = SplitConstant(left);
  if (x.operation() == Operation::kAdd) {
    const auto [b, n] = SplitConstant(right);
    return {a + b, m + n};
  }
  if (!right.is_number()) return {x, 0};
  return {a * right, m * static_cast<int64_t>(right.node().value)};
}

}  // namespace internal
}  // namespace lamina
