#include "framework/emit/kernel_memory.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "framework/emit/call_ranges.h"
#include "framework/emit/scratch_plan.h"

namespace lamina::internal {
namespace {

constexpr int64_t kAlignment = 64;

class MemoryPlanner {
 public:
  MemoryPlanner(const Graph& graph, KernelProgram& program) : graph_(graph), program_(program) {}

  void Run() {
    FindLives();
    FindItemBytes();
    // What is placed as one: an array, or all of a range whose items have as many bytes.
    std::vector<Life> lives;
    std::vector<std::vector<int>> placed;
    std::map<std::pair<int, int64_t>, std::vector<int>> together;
    for (int a = 0; a < num_arrays(); ++a) {
      ProgramArray& array = program_.arrays[a];
      if (array.role != ProgramArray::kScratch || array.first_step < 0) continue;
      array.offset = 0;
      if (item_bytes_[a] > 0) {
        together[{RangeOf(array.first_step), item_bytes_[a]}].push_back(a);
        continue;
      }
      // Of a range that touches it all calls.
      if (const int r = RangeOf(array.first_step); r >= 0) {
        array.first_step = program_.ranges[r].first;
      }
      if (const int r = RangeOf(array.last_step); r >= 0) {
        array.last_step = program_.ranges[r].last;
      }
      lives.push_back(LifeOf(a));
      placed.push_back({a});
    }
    for (const auto& [key, arrays] : together) {
      const CallRange& range = program_.ranges[key.first];
      lives.push_back({PlaceTogether(arrays), range.first, range.last});
      placed.push_back(arrays);
    }
    program_.scratch_bytes = PlanMemory(&lives);
    for (size_t i = 0; i < lives.size(); ++i) {
      for (const int a : placed[i]) program_.arrays[a].offset += lives[i].offset;
    }
  }

 private:
  int num_arrays() const { return static_cast<int>(program_.arrays.size()); }

  int64_t Bytes(int a) const {
    const ArraySpec& spec = program_.arrays[a].spec;
    return spec.numel() * static_cast<int64_t>(SizeOf(spec.type));
  }

  Life LifeOf(int a) const {
    const ProgramArray& array = program_.arrays[a];
    return {(Bytes(a) + kAlignment - 1) / kAlignment * kAlignment, array.first_step,
            array.last_step};
  }

  // The range that a call is in, or -1.
  int RangeOf(int call) const {
    const auto after =
        std::upper_bound(program_.ranges.begin(), program_.ranges.end(), call,
                         [](int c, const CallRange& range) { return c < range.first; });
    if (after == program_.ranges.begin() || std::prev(after)->last < call) return -1;
    return static_cast<int>(std::prev(after) - program_.ranges.begin());
  }

  void FindLives() {
    for (ProgramArray& a : program_.arrays) a.first_step = a.last_step = -1;
    for (size_t c = 0; c < program_.calls.size(); ++c) {
      const auto touch = [&](int a) {
        if (a < 0) return;
        ProgramArray& array = program_.arrays[a];
        if (array.first_step < 0) array.first_step = static_cast<int>(c);
        array.last_step = static_cast<int>(c);
      };
      const KernelCall& call = program_.calls[c];
      for (const KernelArgument& argument : call.arguments) touch(argument.array);
      if (call.kernel >= 0) continue;
      const GraphStep& step = graph_.steps()[call.op_step];
      for (const int v : step.inputs) touch(program_.array_of[v]);
      for (const int v : step.outputs) touch(program_.array_of[v]);
    }
  }

  // For arrays of one range alone whose items lie one after the other: the bytes of an item.
  void FindItemBytes() {
    item_bytes_.assign(program_.arrays.size(), 0);
    for (int a = 0; a < num_arrays(); ++a) {
      const ProgramArray& array = program_.arrays[a];
      if (array.role != ProgramArray::kScratch || array.first_step < 0) continue;
      const int r = RangeOf(array.first_step);
      if (r < 0 || r != RangeOf(array.last_step)) continue;
      const int64_t items = program_.ranges[r].items;
      if (Bytes(a) % items == 0) item_bytes_[a] = Bytes(a) / items;
    }
    for (const CallRange& range : program_.ranges) {
      for (int c = range.first; c <= range.last; ++c) {
        const KernelCall& call = program_.calls[c];
        for (const KernelAccess& access : call.accesses) {
          const ItemWindow w = WindowOf(access, call.count, range.items);
          int64_t& bytes = item_bytes_[access.array];
          if (w.step != bytes || w.first < 0 || w.first + w.width > bytes) bytes = 0;
        }
      }
    }
  }

  // Gives arrays of one size places from 0 on; the size of all.
  int64_t PlaceTogether(const std::vector<int>& arrays) {
    std::vector<Life> lives;
    for (const int a : arrays) lives.push_back(LifeOf(a));
    const int64_t bytes = PlanMemory(&lives);
    for (size_t i = 0; i < arrays.size(); ++i) program_.arrays[arrays[i]].offset = lives[i].offset;
    return bytes;
  }

  const Graph& graph_;
  KernelProgram& program_;
  std::vector<int64_t> item_bytes_;
};

}  // namespace

void PlanKernelMemory(const Graph& graph, KernelProgram* program) {
  MemoryPlanner(graph, *program).Run();
}

}  // namespace lamina::internal
