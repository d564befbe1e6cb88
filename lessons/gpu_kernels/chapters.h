// The kernels of the three lessons, version by version, for those who count, compare or time all of
// them.
//
//   for (const KernelChapter& chapter : KernelChapters()) {
//     for (const KernelVersion& v : chapter.versions) v.compute(chapter.inputs(chapter.small));
//   }
//
// Threads: any.
#ifndef LESSONS_GPU_KERNELS_CHAPTERS_H_
#define LESSONS_GPU_KERNELS_CHAPTERS_H_

#include <functional>
#include <string>
#include <vector>

#include "framework/lamina.h"

namespace lamina {

struct KernelVersion {
  std::string name;
  std::function<DlArray(const DlArrays&)> compute;
};

struct KernelChapter {
  std::string name;
  std::vector<KernelVersion> versions;
  /// The same without a kernel of one's own: printed by Lamina, or a library's.
  KernelVersion without;
  /// Of arrays of these sizes, or with this size of their inputs: drawn from the current source.
  std::function<DlArrays(const Sizes&, DataType)> inputs;
  Sizes small;               ///< To count on a device that the processor plays.
  Sizes large;               ///< To time on a device.
  std::vector<Sizes> tried;  ///< To compare with the processor: odd ones.
  bool is_product = false;   ///< Its operations matter, not its bytes.
};

/// In the order of the lessons: "elements", "rows", "products".
const std::vector<KernelChapter>& KernelChapters();

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_CHAPTERS_H_
