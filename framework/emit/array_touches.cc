#include "framework/emit/array_touches.h"

namespace lamina::internal {

std::vector<std::vector<ArrayTouch>> FindTouches(const Graph& graph, const KernelProgram& program) {
  std::vector<std::vector<ArrayTouch>> touches(program.arrays.size());
  for (size_t c = 0; c < program.calls.size(); ++c) {
    const KernelCall& call = program.calls[c];
    const int at = static_cast<int>(c);
    for (const KernelAccess& a : call.accesses) {
      touches[a.array].push_back(
          {at, a.first, a.first + a.step * (call.count - 1) + a.width, a.is_stored});
    }
    if (call.kernel >= 0) continue;
    const GraphStep& step = graph.steps()[call.op_step];
    const auto touch = [&](int value, bool is_stored) {
      const int a = program.array_of[value];
      if (a >= 0) touches[a].push_back({at, 0, BytesOf(program.arrays[a]), is_stored, true});
    };
    for (const int v : step.inputs) touch(v, false);
    for (const int v : step.outputs) touch(v, true);
  }
  return touches;
}

KernelAccess WholeOf(const KernelProgram& program, int array, bool is_stored) {
  return {array, is_stored, 0, 0, BytesOf(program.arrays[array])};
}

int64_t BytesOf(const ProgramArray& array) {
  return array.spec.numel() * static_cast<int64_t>(SizeOf(array.spec.type));
}

}  // namespace lamina::internal
