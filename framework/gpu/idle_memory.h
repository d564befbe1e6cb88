// Memory of a device that was given back, kept for the next arrays of its size.
//
// Of memory of one size the lowest is taken first: which arrays get which depends on what is free
// alone, not on the order in which it became free. So what is done again and again with arrays of
// the same sizes, as a step of training is, finds the same addresses after a turn or two, and
// launches that were recorded for them can be started again (device_kernels.h).
//
// Work on a device is done in order: memory may be taken while what used it before still runs.
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_IDLE_MEMORY_H_
#define FRAMEWORK_GPU_IDLE_MEMORY_H_

#include <cstddef>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "framework/dlarray/error.h"

namespace lamina::gpu {

class IdleMemory {
 public:
  /// What must be asked of the device for so many bytes.
  static size_t Rounded(size_t bytes) { return bytes == 0 ? 256 : (bytes + 255) / 256 * 256; }

  /// Memory of so many rounded bytes, or null.
  void* Take(size_t rounded) {
    std::set<void*>& idle = idle_[rounded];
    if (idle.empty()) return nullptr;
    void* const memory = *idle.begin();
    idle.erase(idle.begin());
    taken_[memory] = rounded;
    return memory;
  }
  /// The device gave this memory.
  void Add(void* memory, size_t rounded) { taken_[memory] = rounded; }
  /// Keeps memory that was taken or added.
  void Give(void* memory) {
    const auto found = taken_.find(memory);
    LAMINA_CHECK(found != taken_.end());
    idle_[found->second].insert(memory);
    taken_.erase(found);
  }
  /// All that is kept, to be given back to the device.
  std::vector<void*> Clear() {
    std::vector<void*> all;
    for (const auto& [bytes, idle] : idle_) all.insert(all.end(), idle.begin(), idle.end());
    idle_.clear();
    return all;
  }
  size_t num_taken() const { return taken_.size(); }
  size_t BytesOf(void* memory) const { return taken_.at(memory); }

 private:
  std::map<size_t, std::set<void*>> idle_;   // By size.
  std::unordered_map<void*, size_t> taken_;  // And their sizes.
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_IDLE_MEMORY_H_
