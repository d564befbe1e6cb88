#include "framework/emit/kernel_copies.h"

#include <algorithm>
#include <set>
#include <utility>

namespace lamina::internal {
namespace {

class CopyRemover {
 public:
  CopyRemover(const Graph& graph, KernelProgram& program) : graph_(graph), program_(program) {
    touches_.resize(program.arrays.size());
    places_.resize(program.arrays.size());
    is_operand_.resize(program.arrays.size());
    for (size_t c = 0; c < program.calls.size(); ++c) FindTouches(static_cast<int>(c));
  }

  void Run(const std::vector<CopyCall>& copies) {
    std::set<int> removed;
    for (const CopyCall& copy : copies) {
      if (!CanLieInTarget(copy)) continue;
      places_[copy.from] = {copy.to, copy.offset};
      removed.insert(copy.call);
    }
    if (removed.empty()) return;
    std::vector<KernelCall> kept;
    for (size_t c = 0; c < program_.calls.size(); ++c) {
      if (removed.count(static_cast<int>(c)) > 0) continue;
      kept.push_back(std::move(program_.calls[c]));
      for (KernelArgument& a : kept.back().arguments) Move(&a.array, &a.offset);
      for (KernelAccess& a : kept.back().accesses) Move(&a.array, &a.first);
    }
    program_.calls = std::move(kept);
    for (int& a : program_.array_of) {
      if (a >= 0 && places_[a].array >= 0) a = -1;
    }
  }

 private:
  // Bytes [first, end) of an array.
  struct ArrayTouch {
    int call;
    int64_t first, end;
    bool is_stored;
  };
  // Where an array lies: in another one.
  struct Place {
    int array = -1;
    int64_t offset = 0;
  };

  int64_t Bytes(int a) const {
    const ArraySpec& spec = program_.arrays[a].spec;
    return spec.numel() * static_cast<int64_t>(SizeOf(spec.type));
  }

  void FindTouches(int c) {
    const KernelCall& call = program_.calls[c];
    for (const KernelAccess& a : call.accesses) {
      touches_[a.array].push_back(
          {c, a.first, a.first + a.step * (call.count - 1) + a.width, a.is_stored});
    }
    if (call.kernel >= 0) return;
    const GraphStep& step = graph_.steps()[call.op_step];
    const auto touch = [&](int value, bool is_stored) {
      const int a = program_.array_of[value];
      if (a < 0) return;
      is_operand_[a] = true;
      touches_[a].push_back({c, 0, Bytes(a), is_stored});
    };
    for (const int v : step.inputs) touch(v, false);
    for (const int v : step.outputs) touch(v, true);
  }

  bool CanLieInTarget(const CopyCall& copy) const {
    if (program_.arrays[copy.from].role != ProgramArray::kScratch || is_operand_[copy.from] ||
        places_[copy.from].array >= 0) {
      return false;
    }
    for (const ArrayTouch& t : touches_[copy.from]) {
      if (t.is_stored && t.call >= copy.call) return false;
    }
    const int64_t end = copy.offset + Bytes(copy.from);
    for (const ArrayTouch& t : touches_[copy.to]) {
      if (t.call == copy.call || t.end <= copy.offset || end <= t.first) continue;
      if (t.is_stored || t.call < copy.call) return false;
    }
    return true;
  }

  void Move(int* array, int64_t* offset) const {
    while (places_[*array].array >= 0) {
      *offset += places_[*array].offset;
      *array = places_[*array].array;
    }
  }

  const Graph& graph_;
  KernelProgram& program_;
  std::vector<std::vector<ArrayTouch>> touches_;  // Of each array.
  std::vector<Place> places_;
  std::vector<bool> is_operand_;  // Of an op that is called.
};

}  // namespace

void RemoveCopies(const Graph& graph, const std::vector<CopyCall>& copies, KernelProgram* program) {
  if (!copies.empty()) CopyRemover(graph, *program).Run(copies);
}

}  // namespace lamina::internal
