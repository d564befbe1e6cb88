#include "framework/loops/expression.h"

#include <cmath>

#include "framework/dlarray/error.h"

namespace lamina::loops {
namespace {

using O = Operation;

bool IsIndexLike(const Expression& x) {
  return x.type() == DataType::kInt32 || (x.is_number() && !x.node().is_typed);
}

// Both with the type of the one that has one.
std::pair<Expression, Expression> Matched(const Expression& x, const Expression& y) {
  if (!x.node().is_typed && y.node().is_typed) return {x.Typed(y.type()), y};
  if (x.node().is_typed && !y.node().is_typed) return {x, y.Typed(x.type())};
  return {x, y};
}

// Integers narrower than int are computed as int: the result is brought back.
Expression Arithmetic(O operation, DataType type, std::vector<Expression> operands) {
  Expression result = Expression::Make(operation, type, std::move(operands));
  return type == DataType::kUint8 ? Expression::Make(O::kConvert, type, {result}) : result;
}

Expression Binary(O operation, const Expression& x, const Expression& y, bool logical = false) {
  auto [a, b] = Matched(x, y);
  if (logical) return Expression::Make(operation, DataType::kLogical, {std::move(a), std::move(b)});
  const DataType type = a.type();
  return Arithmetic(operation, type, {std::move(a), std::move(b)});
}

Expression Call(std::string_view name, std::vector<Expression> operands) {
  const DataType type = operands[0].type();
  return Expression::Make(O::kCall, type, std::move(operands), name);
}

bool IsWhole(const Expression& x) { return !IsFloating(x.type()); }

}  // namespace

Expression::Expression(double value)
    : node_(std::make_shared<Node>(
          Node{O::kNumber, DataType::kInt32, /*is_typed=*/false, value, "", {}})) {}

Expression Expression::Number(double value, DataType type) {
  return Expression(std::make_shared<Node>(Node{O::kNumber, type, true, value, "", {}}));
}
Expression Expression::Variable(std::string_view name, DataType type) {
  return Expression(
      std::make_shared<Node>(Node{O::kVariable, type, true, 0, std::string(name), {}}));
}
Expression Expression::Load(std::string_view array, DataType type, const Expression& index) {
  return Make(O::kLoad, type, {index.Typed(DataType::kInt32)}, array);
}
Expression Expression::Make(Operation operation, DataType type, std::vector<Expression> operands,
                            std::string_view name) {
  return Expression(std::make_shared<Node>(
      Node{operation, type, true, 0, std::string(name), std::move(operands)}));
}

Expression Expression::Typed(DataType type) const {
  return node_->is_typed ? *this : Number(node_->value, type);
}

int Expression::Size() const {
  int size = 1;
  for (const Expression& x : node_->operands) size += x.Size();
  return size;
}

Expression operator-(const Expression& x) {
  if (x.is_number() && !x.node().is_typed) return Expression(-x.node().value);
  return Arithmetic(O::kNegate, x.type(), {x});
}
Expression operator!(const Expression& x) {
  return Expression::Make(O::kNot, DataType::kLogical, {x});
}

Expression operator+(const Expression& x, const Expression& y) {
  if (IsIndexLike(x) && IsIndexLike(y)) {
    if (x.is_number() && y.is_number()) return Expression(x.node().value + y.node().value);
    if (x.is_number(0)) return y;
    if (y.is_number(0)) return x;
    if (y.is_number() && y.node().value < 0) return x - Expression(-y.node().value);
  }
  return Binary(O::kAdd, x, y);
}
Expression operator-(const Expression& x, const Expression& y) {
  if (IsIndexLike(x) && IsIndexLike(y)) {
    if (x.is_number() && y.is_number()) return Expression(x.node().value - y.node().value);
    if (y.is_number(0)) return x;
    if (y.is_number() && y.node().value < 0) return x + Expression(-y.node().value);
  }
  return Binary(O::kSubtract, x, y);
}
Expression operator*(const Expression& x, const Expression& y) {
  if (IsIndexLike(x) && IsIndexLike(y)) {
    if (x.is_number() && y.is_number()) return Expression(x.node().value * y.node().value);
    if (x.is_number(0) || y.is_number(0)) return Expression(0);
    if (x.is_number(1)) return y;
    if (y.is_number(1)) return x;
  }
  return Binary(O::kMultiply, x, y);
}
Expression operator/(const Expression& x, const Expression& y) {
  if (IsIndexLike(x) && IsIndexLike(y)) {
    if (y.is_number(1)) return x;
    if (x.is_number(0)) return x;
  }
  return Binary(O::kDivide, x, y);
}
Expression operator%(const Expression& x, const Expression& y) {
  if (y.is_number(1) || x.is_number(0)) return Expression(0);
  return Binary(O::kModulo, x, y);
}

Expression operator<(const Expression& x, const Expression& y) {
  return Binary(O::kLess, x, y, true);
}
Expression operator<=(const Expression& x, const Expression& y) {
  return Binary(O::kLessEqual, x, y, true);
}
Expression operator>(const Expression& x, const Expression& y) {
  return Binary(O::kGreater, x, y, true);
}
Expression operator>=(const Expression& x, const Expression& y) {
  return Binary(O::kGreaterEqual, x, y, true);
}
Expression operator==(const Expression& x, const Expression& y) {
  return Binary(O::kEqual, x, y, true);
}
Expression operator!=(const Expression& x, const Expression& y) {
  // A condition is a mask already.
  if (x.type() == DataType::kLogical && x.operation() >= O::kNot && x.operation() <= O::kXor &&
      y.is_number(0)) {
    return x;
  }
  return Binary(O::kNotEqual, x, y, true);
}
Expression operator&(const Expression& x, const Expression& y) {
  return Binary(O::kAnd, x, y, true);
}
Expression operator|(const Expression& x, const Expression& y) {
  return Binary(O::kOr, x, y, true);
}
Expression operator^(const Expression& x, const Expression& y) {
  return Binary(O::kXor, x, y, true);
}

Expression Select(const Expression& condition, const Expression& x, const Expression& y) {
  auto [a, b] = Matched(x, y);
  const DataType type = a.type();
  const bool typed = a.node().is_typed;
  Expression result = Expression::Make(O::kSelect, type, {condition, std::move(a), std::move(b)});
  LAMINA_CHECK(typed || type == DataType::kInt32);
  return result;
}

Expression Convert(const Expression& x, DataType type) {
  if (!x.node().is_typed) return x.Typed(type);
  if (x.is_number() && !IsComplex(type)) return Expression::Number(x.node().value, type);
  return x.type() == type ? x : Expression::Make(O::kConvert, type, {x});
}

Expression Abs(const Expression& x) {
  if (x.type() == DataType::kUint8 || x.type() == DataType::kLogical) return x;
  if (IsWhole(x)) return Select(x < Expression(0), -x, x);
  Expression call = Call("abs", {x});
  return IsComplex(x.type()) ? Expression::Make(O::kCall, ToReal(x.type()), {x}, "abs") : call;
}
Expression Exp(const Expression& x) { return Call("exp", {x}); }
Expression Expm1(const Expression& x) { return Call("expm1", {x}); }
Expression Log(const Expression& x) { return Call("log", {x}); }
Expression Log1p(const Expression& x) { return Call("log1p", {x}); }
Expression Log2(const Expression& x) { return Call("log2", {x}); }
Expression Log10(const Expression& x) { return Call("log10", {x}); }
Expression Sqrt(const Expression& x) { return Call("sqrt", {x}); }
Expression Sin(const Expression& x) { return Call("sin", {x}); }
Expression Cos(const Expression& x) { return Call("cos", {x}); }
Expression Tan(const Expression& x) { return Call("tan", {x}); }
Expression Asin(const Expression& x) { return Call("asin", {x}); }
Expression Acos(const Expression& x) { return Call("acos", {x}); }
Expression Atan(const Expression& x) { return Call("atan", {x}); }
Expression Sinh(const Expression& x) { return Call("sinh", {x}); }
Expression Cosh(const Expression& x) { return Call("cosh", {x}); }
Expression Tanh(const Expression& x) { return Call("tanh", {x}); }
Expression Asinh(const Expression& x) { return Call("asinh", {x}); }
Expression Acosh(const Expression& x) { return Call("acosh", {x}); }
Expression Atanh(const Expression& x) { return Call("atanh", {x}); }
Expression Sigmoid(const Expression& x) { return Call("sigmoid", {x}); }
Expression Erf(const Expression& x) { return Call("erf", {x}); }
Expression Floor(const Expression& x) { return IsWhole(x) ? x : Call("floor", {x}); }
Expression Ceil(const Expression& x) { return IsWhole(x) ? x : Call("ceil", {x}); }
Expression Round(const Expression& x) { return IsWhole(x) ? x : Call("round", {x}); }
Expression Trunc(const Expression& x) { return IsWhole(x) ? x : Call("trunc", {x}); }
Expression Pow(const Expression& x, const Expression& y) {
  auto [a, b] = Matched(x, y);
  return Call("pow", {a, b});
}
Expression Atan2(const Expression& y, const Expression& x) {
  auto [a, b] = Matched(y, x);
  return Call("atan2", {a, b});
}
Expression Mod(const Expression& x, const Expression& y) {
  auto [a, b] = Matched(x, y);
  return Call("mod", {a, b});
}
Expression MakeComplex(const Expression& re, const Expression& im) {
  auto [a, b] = Matched(re, im);
  return Expression::Make(O::kCall, ToComplex(a.type()), {a, b}, "complex");
}

Expression Rewrite(const Expression& x,
                   const std::function<Expression(const Expression&)>& replace) {
  const Expression::Node& node = x.node();
  if (node.operation == O::kVariable) return replace(x);
  if (node.operands.empty()) return x;
  std::vector<Expression> operands;
  operands.reserve(node.operands.size());
  for (const Expression& operand : node.operands) operands.push_back(Rewrite(operand, replace));
  // Through the operators, so that index arithmetic is simplified again.
  Expression result = x;
  if (node.operation == O::kAdd) {
    result = operands[0] + operands[1];
  } else if (node.operation == O::kSubtract) {
    result = operands[0] - operands[1];
  } else if (node.operation == O::kMultiply) {
    result = operands[0] * operands[1];
  } else {
    result = Expression::Make(node.operation, node.type, std::move(operands), node.name);
  }
  return node.operation == O::kLoad ? replace(result) : result;
}

void Visit(const Expression& x, const std::function<void(const Expression&)>& visit) {
  visit(x);
  for (const Expression& operand : x.node().operands) Visit(operand, visit);
}

}  // namespace lamina::loops
