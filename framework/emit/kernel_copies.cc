#include "framework/emit/kernel_copies.h"

#include <algorithm>
#include <set>
#include <utility>

#include "framework/emit/array_touches.h"

namespace lamina::internal {
namespace {

class CopyRemover {
 public:
  CopyRemover(const Graph& graph, KernelProgram& program)
      : program_(program), touches_(FindTouches(graph, program)) {
    places_.resize(program.arrays.size());
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
  // Where an array lies: in another one.
  struct Place {
    int array = -1;
    int64_t offset = 0;
  };

  bool CanLieInTarget(const CopyCall& copy) const {
    if (program_.arrays[copy.from].role != ProgramArray::kScratch ||
        places_[copy.from].array >= 0) {
      return false;
    }
    for (const ArrayTouch& t : touches_[copy.from]) {
      if (t.by_op || (t.is_stored && t.call >= copy.call)) return false;
    }
    const int64_t end = copy.offset + BytesOf(program_.arrays[copy.from]);
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

  KernelProgram& program_;
  const std::vector<std::vector<ArrayTouch>> touches_;  // Of each array.
  std::vector<Place> places_;
};

}  // namespace

void RemoveCopies(const Graph& graph, const std::vector<CopyCall>& copies, KernelProgram* program) {
  if (!copies.empty()) CopyRemover(graph, *program).Run(copies);
}

}  // namespace lamina::internal
