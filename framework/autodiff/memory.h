// What stands between a forward and its own backward: in the functions of a layer (layer.h) and of
// a DifferentiableFunction (differentiable_function.h).
//
//   std::pair<DlArray, Memory> Forward(const DlArray& x) const { return {y, Memory{mask}}; }
//   DlArray Backward(Unused, Unused, const DlArray& dLdY, const Memory& memory) const {
//     return Where(memory[0], dLdY, 0);
//   }
//
// Threads: values.
#ifndef FRAMEWORK_AUTODIFF_MEMORY_H_
#define FRAMEWORK_AUTODIFF_MEMORY_H_

#include <initializer_list>
#include <span>
#include <utility>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// Values that Forward hands to Backward, as many as it likes. They belong to the call, never to
/// the layer or function: another call may come before this one's Backward.
class Memory {
 public:
  Memory() = default;
  Memory(std::initializer_list<DlArray> values) : values_(values) {}
  explicit Memory(DlArrays values) : values_(std::move(values)) {}
  size_t size() const { return values_.size(); }
  /// Errors: "autodiff:NoSuchMemory".
  const DlArray& operator[](size_t i) const;
  const DlArrays& values() const { return values_; }

 private:
  DlArrays values_;
};

/// In place of an argument that Backward does not need. That array is then not kept.
class Unused {
 public:
  Unused() = default;
};

/// Which derivatives are asked for: Backward may take it as its last argument, and return an unset
/// array (`DlArray()`) where the answer is false.
class NeededGradients {
 public:
  /// All of them.
  NeededGradients() = default;
  /// One mark for each derivative that Backward returns; they must outlive this.
  explicit NeededGradients(std::span<const bool> needed) : needed_(needed) {}
  bool operator[](size_t i) const { return i >= needed_.size() || needed_[i]; }

 private:
  std::span<const bool> needed_;
};

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_MEMORY_H_
