#include "framework/emit/testing/run_items.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace lamina::testing {
namespace {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

class ItemRunner {
 public:
  ItemRunner(std::map<std::string, double> variables, Memory* memory)
      : variables_(std::move(variables)), memory_(*memory) {}

  void Run(const Block& code) {
    for (const Statement& s : code) {
      switch (s.kind) {
        case Statement::kFor:
          for (int64_t i = 0; i < s.extent; ++i) {
            variables_[s.name] = static_cast<double>(i);
            Run(s.body);
          }
          break;
        case Statement::kIf:
          if (Value(s.value) != 0) Run(s.body);
          break;
        case Statement::kLet:
        case Statement::kVar:
        case Statement::kAssign:
          variables_[s.name] = Value(s.value);
          break;
        case Statement::kStore:
          At(s.name, s.index) = Value(s.value);
          break;
      }
    }
  }

 private:
  double& At(const std::string& array, const Expression& index) {
    return memory_.at(array).at(static_cast<size_t>(Value(index)));
  }
  double Value(const Expression& x) {
    const Expression::Node& node = x.node();
    const auto operand = [&](size_t i) { return Value(node.operands[i]); };
    switch (node.operation) {
      case Operation::kNumber:
        return node.value;
      case Operation::kVariable:
        return variables_.at(node.name);
      case Operation::kLoad:
        return At(node.name, node.operands[0]);
      case Operation::kConvert:
        return operand(0);
      case Operation::kAdd:
        return operand(0) + operand(1);
      case Operation::kSubtract:
        return operand(0) - operand(1);
      case Operation::kMultiply:
        return operand(0) * operand(1);
      case Operation::kDivide:
        return operand(0) / operand(1);
      default:
        ADD_FAILURE() << "an operation that the test does not know";
        return 0;
    }
  }

  std::map<std::string, double> variables_;
  Memory& memory_;
};

}  // namespace

void RunItems(const ParallelNest& nest, std::mt19937* random, Memory* memory) {
  std::vector<int64_t> items(static_cast<size_t>(NumItems(nest.loops)));
  std::iota(items.begin(), items.end(), 0);
  std::shuffle(items.begin(), items.end(), *random);
  for (int64_t item : items) {
    std::map<std::string, double> variables;
    for (auto loop = nest.loops.rbegin(); loop != nest.loops.rend(); ++loop) {
      variables[loop->name] = static_cast<double>(item % loop->extent);
      item /= loop->extent;
    }
    ItemRunner(std::move(variables), memory).Run(nest.body);
  }
}

}  // namespace lamina::testing
