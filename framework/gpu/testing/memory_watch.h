// Whether the threads of a kernel touch memory as they may: within arrays, what was set, and
// nothing that another thread writes with no barrier between.
//
//   MemoryWatch watch(&regions, line_of);
//   watch.BeginLaunch("RowSum", {x, y});
//   watch.BeginBlock({{shared_begin, shared_bytes}});
//   if (std::optional<Error> fault = watch.Access(when, address, 4, AccessKind::kRead, code)) ...
//
// Found are: two accesses of one place, one of them a write, by threads of a block that no
// __syncthreads() (in a warp: no __syncwarp()) orders, or by two blocks, unless both are atomic;
// what lies outside of all arrays; shared memory that is read and was not written. Not found: what
// two launches do to one another, which run in order; an access beyond an array that hits another
// one of the same memory, as intermediate results of a recorded function have it; of many readers
// of a place only the last two of a block are remembered.
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_TESTING_MEMORY_WATCH_H_
#define FRAMEWORK_GPU_TESTING_MEMORY_WATCH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "framework/codegen/testing/emulated_cuda/machine.h"
#include "framework/dlarray/error.h"

namespace lamina::gpu::testing {

class MemoryWatch {
 public:
  /// The thread that touches memory, and how often it has met others.
  struct When {
    unsigned block = 0, thread = 0, block_meetings = 0, warp_meetings = 0;
  };
  /// Where arrays begin, and their bytes.
  using Regions = std::map<uintptr_t, size_t>;
  /// "line 5" for code at an address.
  using LineOf = std::function<std::string(const void*)>;

  /// `regions` may change between launches.
  explicit MemoryWatch(const Regions* regions) : regions_(regions) {}

  /// `arguments`: values of the kernel's arguments; numbers among them do no harm.
  void BeginLaunch(LineOf line_of, std::vector<uintptr_t> arguments);
  /// Shared memory of fixed size, and that of the launch.
  struct Range {
    uintptr_t begin = 0;
    size_t bytes = 0;
  };
  void BeginBlock(const std::array<Range, 2>& shared);

  enum class Space { kDevice, kShared, kElsewhere };
  Space SpaceOf(uintptr_t address);

  /// Of the device's or of shared memory, and of what is neither. What is wrong, if anything.
  std::optional<Error> Access(const When& when, uintptr_t address, size_t bytes,
                              emulator::AccessKind kind, const void* code);

 private:
  struct Touch {
    When when;
    const void* code = nullptr;
    uint8_t bytes = 0;  // Of the word, a bit for each; 0: there was none.
    bool is_atomic = false;
  };
  struct Word {
    Touch write, reads[2];
    uint8_t set = 0;  // Bytes that were written.
  };

  static bool AreOrdered(const When& a, const When& b);
  static void Remember(const Touch& touch, Word* word);
  Error OutOfBounds(const When& when, uintptr_t address, size_t bytes, emulator::AccessKind kind,
                    const void* code) const;
  Error Race(const Touch& first, bool first_writes, const Touch& second, bool second_writes,
             uintptr_t address, bool is_shared) const;
  // The one that has the address, or the end.
  Regions::const_iterator RegionOf(uintptr_t address) const;
  // "byte 12 of argument 2, which has 400 bytes"; "" for what belongs to none.
  std::string PlaceOf(uintptr_t address) const;

  const Regions* const regions_;
  LineOf line_of_;
  std::vector<uintptr_t> arguments_;
  std::array<Range, 2> shared_;
  Range touched_;         // Of shared memory: where was touched last.
  uintptr_t region_ = 0;  // Likewise of the device's.
  size_t region_bytes_ = 0;
  absl::flat_hash_map<uintptr_t, Word> device_words_, shared_words_;
};

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_MEMORY_WATCH_H_
