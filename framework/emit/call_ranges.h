// Which calls of kernels threads walk through alone.
//
// A time step of a recurrent layer is some calls, each over the same observations. Were each call
// split over the threads by itself, they would meet after each; and what a time step computes for
// one observation depends on no other. A range is a run of such calls. It is found from the bytes
// that each part of a call touches (KernelCall::accesses), so no value needs to be known.
//
// Why no two threads ever touch the same byte, one of them to store it: within a range, calls touch
// what is stored there at windows which move by the same number of bytes from item to item, and no
// window of one item meets one of another item (IsApart below). Scratch memory keeps that up: see
// kernel_memory.h. Which items a thread has depends on the number of threads alone, so results do.
//
// Used by kernels.cc. Threads: a pure function.
#ifndef FRAMEWORK_EMIT_CALL_RANGES_H_
#define FRAMEWORK_EMIT_CALL_RANGES_H_

#include <cstdint>
#include <vector>

#include "framework/emit/kernels.h"

namespace lamina::internal {

/// Bytes that item i touches, of an array: [first + i step, first + i step + width).
struct ItemWindow {
  int64_t first = 0, step = 0, width = 0;
  bool is_stored = false;
  bool operator==(const ItemWindow&) const = default;
};

/// The windows of a call's access when its parts are put together to `items` items.
ItemWindow WindowOf(const KernelAccess& access, int64_t count, int64_t items);

/// Whether item i may touch one window and item j the other, for all i != j below `items`, at once.
bool IsApart(const ItemWindow& a, const ItemWindow& b, int64_t items);

/// Whether the parts of a call store apart from one another, as far as `accesses` tell.
bool PartsAreApart(const std::vector<KernelAccess>& accesses, int64_t count);

/// The ranges of a program, as long as they can be. Only calls, accesses and arrays are read.
std::vector<CallRange> FindRanges(const KernelProgram& program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_CALL_RANGES_H_
