// Loops: a kernel as data. Statements, and the builder that writes them.
//
//   LoopBuilder b;
//   b.For("i", 10, [&](const Expression& i) {
//     const Expression x = Expression::Load("x", DataType::kSingle, i);
//     b.Store("y", i, x * x);
//   });
//   // for (i = 0; i < 10; ++i) y[i] = x[i] * x[i];
//
// Names of variables are unique within a builder's open loops: a hint that is taken gets a number.
//
// Threads: a builder is used by one thread; statements are plain values.
#ifndef FRAMEWORK_LOOPS_STATEMENT_H_
#define FRAMEWORK_LOOPS_STATEMENT_H_

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "framework/loops/expression.h"

namespace lamina::loops {

struct Statement;
using Block = std::vector<Statement>;

struct Statement {
  enum Kind : uint8_t {
    kFor,     ///< for (int name = 0; name < extent; ++name) body
    kIf,      ///< if (value) body
    kLet,     ///< const type name = value
    kVar,     ///< type name = value, to be assigned to
    kAssign,  ///< name = value
    kStore,   ///< name[index] = value
  };
  Kind kind;
  std::string name;
  int64_t extent = 0;
  Expression index = Expression(0);
  Expression value = Expression(0);
  Block body = {};
  /// Of a loop whose `extent` is kVariableExtent.
  Expression variable_extent = Expression(0);
  /// Of a loop: where it begins. The extent is where it ends.
  Expression first = Expression(0);
  /// Of a loop: its iterations may be computed at once, but for `sums`, variables that it only adds
  /// to, in any order.
  bool is_independent = false;
  std::vector<std::string> sums = {};
  static constexpr int64_t kVariableExtent = -1;
};

class LoopBuilder {
 public:
  using Body = std::function<void(const Expression&)>;

  /// Runs `body` for each index below `extent`. With an extent of 1 there is no loop and the index
  /// is 0; with 0 nothing is written.
  void For(std::string_view hint, int64_t extent, const Body& body);
  void If(const Expression& condition, const std::function<void()>& body);
  /// A name for a value.
  Expression Let(std::string_view hint, const Expression& value);
  /// A variable that changes.
  Expression Var(std::string_view hint, const Expression& value);
  void Assign(const Expression& variable, const Expression& value);
  void Store(std::string_view array, const Expression& index, const Expression& value);

  /// What was written; the builder is then empty.
  Block Take();
  /// How many blocks are open: what was named in one is not known after it.
  int depth() const { return static_cast<int>(open_.size()); }
  /// Called when a block closes.
  void OnClose(std::function<void()> listener) { on_close_ = std::move(listener); }
  /// A name that nothing open has; it stays taken until its block closes.
  std::string Unique(std::string_view hint);
  /// Names that must not be used.
  void Reserve(const std::set<std::string>& names) { reserved_ = names; }

 private:
  void Open();
  Block Close();

  struct Scope {
    Block block;
    std::vector<std::string> names;
  };
  std::vector<Scope> open_{1};
  std::set<std::string> names_, reserved_;
  std::function<void()> on_close_;
};

/// Puts a value in the place of a variable, in all of a block.
void Substitute(Block& block, const std::string& variable, const Expression& value);

/// Nested loops over neighbouring elements become one loop: for each pair of loops, one right
/// inside the other, whose indices meet in all places as i + extent(i) * j.
void JoinLoops(Block& block);

}  // namespace lamina::loops

#endif  // FRAMEWORK_LOOPS_STATEMENT_H_
