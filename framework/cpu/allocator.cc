#include "framework/cpu/allocator.h"

#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define LAMINA_CACHE_MEMORY 0
#else
#define LAMINA_CACHE_MEMORY 1
#endif

namespace lamina::cpu {
namespace {

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;
// Up to here blocks are kept by their thread.
constexpr size_t kSmallBytes = 32 * 1024;
constexpr int kNumClasses = 8 * 64;
// A thread keeps at most this many bytes and blocks of a class, then hands half of them on.
constexpr size_t kThreadBytes = 256 * 1024;
constexpr size_t kThreadBlocks = 64;

// Eight classes for each power of two, none finer than the alignment. Class c holds blocks of
// ClassBytes(c), and c grows with the size.
constexpr int ClassOf(size_t bytes) {
  const size_t units = (bytes + kAlignment - 1) / kAlignment;  // >= 1
  if (units <= 16) return static_cast<int>(units);
  const int shift = std::bit_width(units - 1) - 4;  // keeps four leading bits: 8 .. 15
  return static_cast<int>(8 * shift + (((units - 1) >> shift) + 1));
}

constexpr size_t ClassBytes(int c) {
  if (c <= 16) return static_cast<size_t>(c) * kAlignment;
  const int shift = (c - 9) / 8;
  return (static_cast<size_t>(c - 8 * shift) << shift) * kAlignment;
}

constexpr int kNumSmallClasses = ClassOf(kSmallBytes) + 1;

static_assert(ClassBytes(ClassOf(1)) == 64 && ClassBytes(ClassOf(1024)) == 1024 &&
              ClassBytes(ClassOf(1025)) == 1152 && ClassBytes(ClassOf(kSmallBytes)) == kSmallBytes);
static_assert([] {
  for (size_t b = 1; b < 200000; b += 61) {
    const int c = ClassOf(b);
    if (ClassBytes(c) < b || (c > 1 && ClassBytes(c - 1) >= b)) return false;
  }
  return true;
}());

// A free block holds the link to the next one in its first bytes.
struct FreeBlock {
  FreeBlock* next;
};

struct Counters {
  // On lines of their own: every thread writes the first.
  alignas(64) std::atomic<int64_t> bytes_in_use{0};
  std::atomic<int64_t> allocations{0};
  alignas(64) std::atomic<int64_t> peak{0};
  std::atomic<int64_t> system_bytes{0};
  std::atomic<int64_t> system_allocations{0};
};
constinit Counters counters;

constinit std::atomic<void (*)()> reclaimer{nullptr};

// The lists shared by all threads.
struct Shared {
  std::mutex mutex;
  FreeBlock* lists[kNumClasses] = {};
};
constinit Shared shared;

// The lists of one thread. Without constructor or destructor, so that the fast path needs no guard;
// `Keeper` below hands the blocks on when the thread ends.
struct ThreadLists {
  FreeBlock* head[kNumSmallClasses];
  uint32_t count[kNumSmallClasses];
  enum : uint8_t { kNew, kOpen, kClosed } state;
};
constinit thread_local ThreadLists thread_lists = {};

void FreeToSystem(void* block, size_t class_bytes) {
  std::free(block);
  counters.system_bytes.fetch_sub(static_cast<int64_t>(class_bytes), std::memory_order_relaxed);
}

[[maybe_unused]] void FreeList(FreeBlock* list, size_t class_bytes) {
  while (list != nullptr) {
    FreeBlock* next = list->next;
    FreeToSystem(list, class_bytes);
    list = next;
  }
}

void* AskSystem(size_t class_bytes) {
  // Large arrays are read from end to end: with huge pages the first touch costs far less.
  const bool huge = class_bytes >= 2 * kHugePage;
  void* block = std::aligned_alloc(
      huge ? kHugePage : kAlignment,
      huge ? (class_bytes + kHugePage - 1) / kHugePage * kHugePage : class_bytes);
  if (block == nullptr) return nullptr;
  if (huge) madvise(block, class_bytes, MADV_HUGEPAGE);
  counters.system_bytes.fetch_add(static_cast<int64_t>(class_bytes), std::memory_order_relaxed);
  counters.system_allocations.fetch_add(1, std::memory_order_relaxed);
  return block;
}

// Moves the first `n` blocks of the list of class c to the shared lists.
[[maybe_unused]] void HandOn(ThreadLists& lists, int c, uint32_t n) {
  if (n == 0) return;
  FreeBlock* first = lists.head[c];
  FreeBlock* last = first;
  for (uint32_t i = 1; i < n; ++i) last = last->next;
  lists.head[c] = last->next;
  lists.count[c] -= n;
  const std::lock_guard<std::mutex> lock(shared.mutex);
  last->next = shared.lists[c];
  shared.lists[c] = first;
}

struct Keeper {
  ~Keeper() {
    for (int c = 0; c < kNumSmallClasses; ++c) HandOn(thread_lists, c, thread_lists.count[c]);
    thread_lists.state = ThreadLists::kClosed;
  }
};

// Whether this thread may use its lists; makes their keeper at the first call.
[[maybe_unused]] bool OpenLists() {
  if (thread_lists.state == ThreadLists::kNew) {
    thread_local Keeper keeper;
    (void)keeper;
    thread_lists.state = ThreadLists::kOpen;
  }
  return thread_lists.state == ThreadLists::kOpen;
}

[[maybe_unused]] uint32_t ThreadLimit(size_t class_bytes) {
  return static_cast<uint32_t>(std::min(kThreadBlocks, kThreadBytes / class_bytes));
}

// The slow ways to a block: the shared lists (for a small class several blocks at once), the
// system, and once more the system after everything kept was given back.
void* AllocateSlowly([[maybe_unused]] int c, size_t class_bytes) {
#if LAMINA_CACHE_MEMORY
  {
    const std::lock_guard<std::mutex> lock(shared.mutex);
    if (FreeBlock* block = shared.lists[c]; block != nullptr) {
      shared.lists[c] = block->next;
      if (c < kNumSmallClasses && thread_lists.state == ThreadLists::kOpen) {
        for (uint32_t n = ThreadLimit(class_bytes) / 2; n > 0 && shared.lists[c] != nullptr; --n) {
          FreeBlock* extra = shared.lists[c];
          shared.lists[c] = extra->next;
          extra->next = thread_lists.head[c];
          thread_lists.head[c] = extra;
          ++thread_lists.count[c];
        }
      }
      return block;
    }
  }
#endif
  void* block = AskSystem(class_bytes);
  if (block == nullptr) {
    if (void (*reclaim)() = reclaimer.load(); reclaim != nullptr) reclaim();
    ReleaseCached();
    block = AskSystem(class_bytes);
    if (block == nullptr) throw std::bad_alloc();
  }
  return block;
}

void CountAllocation(size_t class_bytes) {
  const auto bytes = static_cast<int64_t>(class_bytes);
  const int64_t now = counters.bytes_in_use.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  counters.allocations.fetch_add(1, std::memory_order_relaxed);
  int64_t peak = counters.peak.load(std::memory_order_relaxed);
  while (now > peak && !counters.peak.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
  }
}

}  // namespace

void* Allocate(size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes > (size_t{1} << 48)) throw std::bad_alloc();  // more than an address space
  const int c = ClassOf(bytes);
  const size_t class_bytes = ClassBytes(c);
  void* result = nullptr;
#if LAMINA_CACHE_MEMORY
  if (c < kNumSmallClasses && OpenLists()) {
    if (FreeBlock* block = thread_lists.head[c]; block != nullptr) [[likely]] {
      thread_lists.head[c] = block->next;
      --thread_lists.count[c];
      result = block;
    }
  }
#endif
  if (result == nullptr) result = AllocateSlowly(c, class_bytes);
  CountAllocation(class_bytes);
  return result;
}

void Deallocate(void* block, size_t bytes) noexcept {
  if (block == nullptr) return;
  const int c = ClassOf(bytes);
  const size_t class_bytes = ClassBytes(c);
  counters.bytes_in_use.fetch_sub(static_cast<int64_t>(class_bytes), std::memory_order_relaxed);
#if LAMINA_CACHE_MEMORY
  auto* free_block = static_cast<FreeBlock*>(block);
  if (c < kNumSmallClasses && OpenLists()) {
    free_block->next = thread_lists.head[c];
    thread_lists.head[c] = free_block;
    const uint32_t limit = ThreadLimit(class_bytes);
    if (++thread_lists.count[c] > limit) [[unlikely]] {
      HandOn(thread_lists, c, (limit + 1) / 2);
    }
    return;
  }
  const std::lock_guard<std::mutex> lock(shared.mutex);
  free_block->next = shared.lists[c];
  shared.lists[c] = free_block;
#else
  FreeToSystem(block, class_bytes);
#endif
}

AllocatorStats Stats() {
  AllocatorStats stats;
  stats.bytes_in_use = counters.bytes_in_use.load();
  stats.peak_bytes_in_use = counters.peak.load();
  stats.bytes_cached = counters.system_bytes.load() - stats.bytes_in_use;
  stats.allocations = counters.allocations.load();
  stats.system_allocations = counters.system_allocations.load();
  return stats;
}

void SetReclaimer(void (*reclaim)()) { reclaimer.store(reclaim); }

void ResetPeak() { counters.peak.store(counters.bytes_in_use.load()); }

void ReleaseCached() {
#if LAMINA_CACHE_MEMORY
  for (int c = 1; c < kNumClasses; ++c) {
    FreeBlock* list;
    {
      const std::lock_guard<std::mutex> lock(shared.mutex);
      list = std::exchange(shared.lists[c], nullptr);
    }
    FreeList(list, ClassBytes(c));
    if (c < kNumSmallClasses) {
      FreeList(std::exchange(thread_lists.head[c], nullptr), ClassBytes(c));
      thread_lists.count[c] = 0;
    }
  }
#endif
}

}  // namespace lamina::cpu
