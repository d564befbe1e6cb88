// Expression: what is computed from one element, as data.
//
// A generic function that computes on numbers can be evaluated on expressions, and then yields the
// tree of what it does: the functions of framework/cpu/scalar_functions.h are written once and
// printed from here. Index arithmetic is made of the same expressions, of type int32.
//
//   const Expression x = Expression::Load("x", DataType::kSingle, Expression::Variable("i"));
//   const Expression y = Select(x > Expression(0), x, Expression(0.1) * x);
//   // x[i] > 0.0f ? x[i] : 0.1f * x[i]
//
// A number has no type of its own: it takes that of its partner. Arithmetic on integers that are
// known is done at once, and x + 0, x * 1, x * 0 of indices is simplified.
//
// Threads: expressions are immutable and may be shared.
#ifndef FRAMEWORK_LOOPS_EXPRESSION_H_
#define FRAMEWORK_LOOPS_EXPRESSION_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/dlarray/data_type.h"

namespace lamina::loops {

enum class Operation : uint8_t {
  kNumber,    ///< value
  kVariable,  ///< name
  kLoad,      ///< name[operand 0]
  kNegate,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,  ///< of integers, both positive
  kNot,     ///< of a logical
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kEqual,
  kNotEqual,
  kAnd,  ///< of logicals
  kOr,
  kXor,
  kSelect,   ///< operand 0 ? operand 1 : operand 2; only the chosen one is computed
  kCall,     ///< name(operands): an elementary function
  kConvert,  ///< to `type`, as Cast does
};

class Expression {
 public:
  struct Node {
    Operation operation;
    DataType type;
    bool is_typed;  ///< False for a number that has not met a partner.
    double value;
    std::string name;
    std::vector<Expression> operands;
  };

  explicit Expression(int value) : Expression(static_cast<double>(value)) {}
  explicit Expression(int64_t value) : Expression(static_cast<double>(value)) {}
  explicit Expression(double value);
  /// A number of this type.
  static Expression Number(double value, DataType type);
  static Expression Variable(std::string_view name, DataType type = DataType::kInt32);
  static Expression Load(std::string_view array, DataType type, const Expression& index);
  /// A node whose type is given; operands that are numbers take `operand_type`.
  static Expression Make(Operation operation, DataType type, std::vector<Expression> operands,
                         std::string_view name = "");

  const Node& node() const { return *node_; }
  Operation operation() const { return node_->operation; }
  DataType type() const { return node_->type; }
  bool is_number() const { return node_->operation == Operation::kNumber; }
  bool is_number(double value) const { return is_number() && node_->value == value; }
  /// This number with a type; anything else as it is.
  Expression Typed(DataType type) const;
  /// The number of nodes.
  int Size() const;

 private:
  explicit Expression(std::shared_ptr<const Node> node) : node_(std::move(node)) {}
  std::shared_ptr<const Node> node_;
};

Expression operator-(const Expression& x);
Expression operator!(const Expression& x);
Expression operator+(const Expression& x, const Expression& y);
Expression operator-(const Expression& x, const Expression& y);
Expression operator*(const Expression& x, const Expression& y);
Expression operator/(const Expression& x, const Expression& y);
Expression operator%(const Expression& x, const Expression& y);
Expression operator<(const Expression& x, const Expression& y);
Expression operator<=(const Expression& x, const Expression& y);
Expression operator>(const Expression& x, const Expression& y);
Expression operator>=(const Expression& x, const Expression& y);
Expression operator==(const Expression& x, const Expression& y);
Expression operator!=(const Expression& x, const Expression& y);
Expression operator&(const Expression& x, const Expression& y);
Expression operator|(const Expression& x, const Expression& y);
Expression operator^(const Expression& x, const Expression& y);
Expression Select(const Expression& condition, const Expression& x, const Expression& y);
/// The value of x in another type, as Cast converts it.
Expression Convert(const Expression& x, DataType type);

// The elementary functions, by the names of framework/cpu/math.h.
Expression Abs(const Expression& x);
Expression Exp(const Expression& x);
Expression Expm1(const Expression& x);
Expression Log(const Expression& x);
Expression Log1p(const Expression& x);
Expression Log2(const Expression& x);
Expression Log10(const Expression& x);
Expression Sqrt(const Expression& x);
Expression Sin(const Expression& x);
Expression Cos(const Expression& x);
Expression Tan(const Expression& x);
Expression Asin(const Expression& x);
Expression Acos(const Expression& x);
Expression Atan(const Expression& x);
Expression Sinh(const Expression& x);
Expression Cosh(const Expression& x);
Expression Tanh(const Expression& x);
Expression Asinh(const Expression& x);
Expression Acosh(const Expression& x);
Expression Atanh(const Expression& x);
Expression Sigmoid(const Expression& x);
Expression Erf(const Expression& x);
Expression Floor(const Expression& x);
Expression Ceil(const Expression& x);
Expression Round(const Expression& x);
Expression Trunc(const Expression& x);
Expression Pow(const Expression& x, const Expression& y);
Expression Atan2(const Expression& y, const Expression& x);
Expression Mod(const Expression& x, const Expression& y);
Expression MakeComplex(const Expression& re, const Expression& im);

/// The expression with each variable or load replaced by what `replace` returns for it; operands of
/// loads are replaced first. A tree without changes is returned as it is.
Expression Rewrite(const Expression& x,
                   const std::function<Expression(const Expression&)>& replace);
/// Calls `visit` for x and everything that it is made of.
void Visit(const Expression& x, const std::function<void(const Expression&)>& visit);

}  // namespace lamina::loops

#endif  // FRAMEWORK_LOOPS_EXPRESSION_H_
