#include "framework/cpu/softmax.h"

#include <algorithm>

#include "framework/cpu/instruction_set.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/softmax_loops.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

constexpr int64_t kGrain = kElementwiseGrain / 8;  // exponentials that are worth a thread
constexpr int64_t kLongLine = 64;                  // fills vectors by itself
constexpr int64_t kWide = 16;                      // so do columns
constexpr int64_t kPackedWidth = 64;               // columns that are brought side by side

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T>
const SoftmaxLoops<T>& Loops() {
  using Find = const SoftmaxLoops<T>& (*)(T);
  static const Find find = []() -> Find {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindSoftmaxLoops;
      case InstructionSet::kV3:
        return v3::FindSoftmaxLoops;
      default:
        return v2::FindSoftmaxLoops;
    }
  }();
  return find(T());
}

// Calls f(item, scratch) for all items of about `elements` elements each.
template <class T, class F>
void ForItems(int64_t items, int64_t elements, F f) {
  ParallelFor(items, std::max<int64_t>(1, kGrain / elements), [&](int64_t begin, int64_t end) {
    ScratchArray<T> scratch(kSoftmaxScratch);
    for (int64_t i = begin; i < end; ++i) f(i, scratch.data());
  });
}

// What makes an item of work depends on the sizes alone, so the result does, too.
template <class T>
void Run(bool logarithm, int64_t inner, int64_t n, int64_t outer, const T* x, T* y) {
  const SoftmaxLoops<T>& loops = Loops<T>();
  if (inner == 1 && (n >= kLongLine || outer < kWide)) {
    return ForItems<T>(outer, n, [&](int64_t i, T* scratch) {
      loops.line(logarithm, x + i * n, n, y + i * n, scratch);
    });
  }
  const int64_t matrix = inner * n;
  const int64_t pack = std::min({outer, kPackedWidth / inner, kSoftmaxMaxPacked / matrix});
  if (inner < kWide && pack > 1) {
    return ForItems<T>(DivideUp(outer, pack), matrix * pack, [&](int64_t i, T* scratch) {
      const int64_t first = i * pack * matrix;
      loops.packed(logarithm, x + first, inner, n, std::min(pack, outer - i * pack), y + first,
                   scratch);
    });
  }
  const int64_t tiles = DivideUp(inner, kSoftmaxMaxWidth);
  ForItems<T>(outer * tiles, n * std::min(inner, kSoftmaxMaxWidth), [&](int64_t i, T* scratch) {
    const int64_t column = i % tiles * kSoftmaxMaxWidth;
    const int64_t first = i / tiles * matrix + column;
    loops.columns(logarithm, x + first, inner, n, std::min(kSoftmaxMaxWidth, inner - column),
                  y + first, scratch);
  });
}

void RunType(bool logarithm, DataType type, int64_t inner, int64_t n, int64_t outer, const void* x,
             void* y) {
  LAMINA_CHECK(IsRealFloating(type));
  if (inner == 0 || n == 0 || outer == 0) return;
  if (type == DataType::kSingle) {
    Run(logarithm, inner, n, outer, static_cast<const float*>(x), static_cast<float*>(y));
  } else {
    Run(logarithm, inner, n, outer, static_cast<const double*>(x), static_cast<double*>(y));
  }
}

}  // namespace

void Softmax(DataType type, int64_t inner, int64_t n, int64_t outer, const void* x, void* y) {
  RunType(false, type, inner, n, outer, x, y);
}

void LogSoftmax(DataType type, int64_t inner, int64_t n, int64_t outer, const void* x, void* y) {
  RunType(true, type, inner, n, outer, x, y);
}

}  // namespace lamina::cpu
