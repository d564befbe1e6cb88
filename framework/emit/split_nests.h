// Nests of few items with long loops, as several nests that a whole device can share.
//
// The statistics of a normalization are a mean, a variance that needs the mean, and elements that
// need both: as one nest, three loops for each of a few channels. One block would compute a channel
// and leave most of a device idle, since blocks cannot wait for one another. So each loop becomes a
// nest of its own: a sum, which blocks share (cuda_kernels.h), or elements, which are items then.
// What later loops need of earlier ones stands in memory between them, a number for each item.
//
// Used by program.cc. Threads: a pure function but for its argument.
#ifndef FRAMEWORK_EMIT_SPLIT_NESTS_H_
#define FRAMEWORK_EMIT_SPLIT_NESTS_H_

#include <cstdint>

#include "framework/emit/program.h"

namespace lamina::internal {

/// Loops of fewer iterations than this cost less than the launches that splitting brings.
inline constexpr int64_t kLeastToSplit = int64_t{1} << 15;

/// Splits nests of at most 132 items of which a loop has `least` iterations or more. Each part is a
/// step. Memory must not have been planned yet.
void SplitNests(Program* program, int64_t least = kLeastToSplit);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_SPLIT_NESTS_H_
