// The table of speed of the lessons' kernels.
//
//   PrintSpeedTable(gpu::CurrentGpu(), {}, std::cout);
//
// For each version the time of a call (as one launch for given arrays), what it moves or computes
// in a second, and which part that is of a copy, or of what the same function gives without a
// kernel of one's own. The bandwidth counts inputs and results once. "Apart" is the greatest
// difference from the result without a kernel of one's own, in parts of its largest value.
//
// One thread measures at a time.
#ifndef LESSONS_GPU_KERNELS_SPEED_TABLE_H_
#define LESSONS_GPU_KERNELS_SPEED_TABLE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>

#include "framework/gpu/gpu.h"
#include "lessons/gpu_kernels/chapters.h"

namespace lamina {

struct SpeedTableOptions {
  int64_t copied = int64_t{1} << 28;  ///< Elements of the copy, a multiple of 4.
  /// Of each chapter's arrays.
  std::function<Sizes(const KernelChapter&)> sizes = [](const KernelChapter& c) { return c.large; };
  double round = 0.1;  ///< As MedianSeconds (tools/bench/device_timing.h).
};

/// True when all versions agree to 1e-4. Errors: "gpu:OutOfMemory".
bool PrintSpeedTable(const std::shared_ptr<gpu::Gpu>& gpu, const SpeedTableOptions& options,
                     std::ostream& out);

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_SPEED_TABLE_H_
