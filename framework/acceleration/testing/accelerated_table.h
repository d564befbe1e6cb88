// For tests: are some functions of arrays the same accelerated as op by op?
//
//   AcceleratedTable table(DataType::kDouble);
//   table.Add("tanh", {table.Array({5, 3})}, [](Arrays x) { return Tanh(x[0]); });
//   table.ExpectSame();
//
// All functions of a table are accelerated together, as one function, so that the compiler is
// called once for all of them. Each has inputs of its own. Compared are the values, the derivatives
// of all floating outputs with respect to all floating inputs, and the derivatives of these.
// Threads: one.
#ifndef FRAMEWORK_ACCELERATION_TESTING_ACCELERATED_TABLE_H_
#define FRAMEWORK_ACCELERATION_TESTING_ACCELERATED_TABLE_H_

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "framework/graph/graph.h"

namespace lamina {

class AcceleratedTable {
 public:
  /// Of the arrays that Array gives.
  explicit AcceleratedTable(DataType type) : type_(type) {}
  DataType type() const { return type_; }
  /// From 0.05 to 0.95, where nearly all functions are smooth. Draws from the current source.
  DlArray Array(const Sizes& sizes, std::string_view format = "") const;

  void Add(std::string name, DlArrays inputs, std::function<DlArrays(Arrays)> function) {
    cases_.push_back({std::move(name), std::move(inputs), std::move(function)});
  }
  void Add(std::string name, DlArrays inputs, std::function<DlArray(Arrays)> function) {
    Add(std::move(name), std::move(inputs),
        [f = std::move(function)](Arrays x) { return DlArrays{f(x)}; });
  }

  /// Expects that nothing differs by more than rounding, and that kernels were compiled. The names
  /// of the ops that were applied are added to `ops` unless it is null.
  void ExpectSame(std::set<std::string>* ops = nullptr) const;
  /// The same of inputs that `move` brings to a device: values and first derivatives. Cases that
  /// have no kernels there are left out, and named.
  std::set<std::string> ExpectSameThere(const std::function<DlArray(const DlArray&)>& move,
                                        const std::function<bool(const Graph&)>& has_kernels) const;

 private:
  struct Case {
    std::string name;
    DlArrays inputs;
    std::function<DlArrays(Arrays)> function;
  };
  DlArrays Inputs() const;
  DlArrays Outputs(Arrays inputs, std::vector<std::string>* names) const;

  const DataType type_;
  std::vector<Case> cases_;
};

}  // namespace lamina

#endif  // FRAMEWORK_ACCELERATION_TESTING_ACCELERATED_TABLE_H_
