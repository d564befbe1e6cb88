#include "framework/emit/scratch_plan.h"

#include <algorithm>
#include <vector>

namespace lamina::internal {

void PlanScratch(Program* program) {
  std::vector<ProgramArray*> waiting, placed;
  for (ProgramArray& a : program->arrays) {
    if (a.role == ProgramArray::kScratch && a.first_step >= 0) waiting.push_back(&a);
  }
  std::stable_sort(waiting.begin(), waiting.end(),
                   [](const ProgramArray* a, const ProgramArray* b) {
                     return a->spec.numel() > b->spec.numel();
                   });
  for (ProgramArray* a : waiting) {
    std::vector<const ProgramArray*> beside;
    for (const ProgramArray* b : placed) {
      if (b->spec.type == a->spec.type && b->first_step <= a->last_step &&
          a->first_step <= b->last_step) {
        beside.push_back(b);
      }
    }
    std::sort(beside.begin(), beside.end(),
              [](const ProgramArray* x, const ProgramArray* y) { return x->offset < y->offset; });
    int64_t offset = 0;
    for (const ProgramArray* b : beside) {
      if (b->offset >= offset + a->spec.numel()) break;
      offset = std::max(offset, b->offset + b->spec.numel());
    }
    a->offset = offset;
    placed.push_back(a);
    int64_t& total = program->scratch[static_cast<int>(a->spec.type)];
    total = std::max(total, offset + a->spec.numel());
  }
}

}  // namespace lamina::internal
