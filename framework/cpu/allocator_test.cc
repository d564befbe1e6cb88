#include "framework/cpu/allocator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>
#include <utility>
#include <vector>

namespace lamina::cpu {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kCaches = false;
#else
constexpr bool kCaches = true;
#endif

TEST(AllocatorTest, BlocksAreAlignedAndWritable) {
  std::vector<std::pair<void*, size_t>> blocks;
  for (size_t bytes = 1; bytes < (size_t{16} << 20); bytes = bytes * 5 / 3 + 1) {
    void* p = Allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 64, 0u) << bytes;
    std::memset(p, static_cast<int>(bytes % 251), bytes);
    blocks.emplace_back(p, bytes);
  }
  for (const auto& [p, bytes] : blocks) {  // no two blocks overlap
    const auto* c = static_cast<const unsigned char*>(p);
    EXPECT_TRUE(std::all_of(c, c + bytes, [&](unsigned char v) { return v == bytes % 251; }));
    Deallocate(p, bytes);
  }
}

TEST(AllocatorTest, NothingForZeroBytes) {
  const AllocatorStats before = Stats();
  EXPECT_EQ(Allocate(0), nullptr);
  Deallocate(nullptr, 0);
  EXPECT_EQ(Stats().allocations, before.allocations);
}

TEST(AllocatorTest, CountsWhatIsInUse) {
  const AllocatorStats before = Stats();
  ResetPeak();
  void* a = Allocate(1000);  // class of 1024 bytes
  void* b = Allocate(1 << 20);
  EXPECT_EQ(Stats().bytes_in_use - before.bytes_in_use, 1024 + (1 << 20));
  Deallocate(b, 1 << 20);
  EXPECT_EQ(Stats().bytes_in_use - before.bytes_in_use, 1024);
  EXPECT_EQ(Stats().peak_bytes_in_use - before.bytes_in_use, 1024 + (1 << 20));
  EXPECT_EQ(Stats().allocations - before.allocations, 2);
  ResetPeak();
  EXPECT_EQ(Stats().peak_bytes_in_use - before.bytes_in_use, 1024);
  Deallocate(a, 1000);
  EXPECT_EQ(Stats().bytes_in_use, before.bytes_in_use);
}

TEST(AllocatorTest, WasteIsAtMostOneEighth) {
  for (size_t bytes = 1024; bytes < (size_t{1} << 22); bytes = bytes * 9 / 8 + 13) {
    const int64_t before = Stats().bytes_in_use;
    void* p = Allocate(bytes);
    const auto taken = static_cast<size_t>(Stats().bytes_in_use - before);
    EXPECT_GE(taken, bytes);
    EXPECT_LE(taken, bytes + bytes / 8 + 64);
    Deallocate(p, bytes);
  }
}

TEST(AllocatorTest, GivesFreedBlocksOutAgain) {
  if (!kCaches) GTEST_SKIP() << "the address sanitizer needs fresh blocks";
  for (size_t bytes : {size_t{100}, size_t{5} << 20}) {
    void* a = Allocate(bytes);
    Deallocate(a, bytes);
    const AllocatorStats before = Stats();
    EXPECT_GE(before.bytes_cached, static_cast<int64_t>(bytes));
    void* b = Allocate(bytes);
    EXPECT_EQ(a, b);
    EXPECT_EQ(Stats().system_allocations, before.system_allocations);
    Deallocate(b, bytes);
  }
  ReleaseCached();
  EXPECT_LT(Stats().bytes_cached, 5 << 20);
}

TEST(AllocatorTest, TooMuchIsBadAlloc) {
  const AllocatorStats before = Stats();
  EXPECT_THROW(Allocate(size_t{1} << 62), std::bad_alloc);
  EXPECT_THROW(Allocate(~size_t{0}), std::bad_alloc);
  EXPECT_EQ(Stats().bytes_in_use, before.bytes_in_use);
}

TEST(AllocatorTest, AReclaimerIsAskedBeforeTheLastAttempt) {
  static int asked = 0;
  SetReclaimer([] { ++asked; });
  EXPECT_THROW(Allocate(size_t{1} << 47), std::bad_alloc);
  EXPECT_EQ(asked, 1);
  Deallocate(Allocate(100), 100);
  EXPECT_EQ(asked, 1);
  SetReclaimer(nullptr);
}

TEST(AllocatorTest, BlocksMayBeFreedByAnotherThread) {
  const AllocatorStats before = Stats();
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::pair<void*, size_t>> blocks;
    for (int i = 0; i < 100; ++i) {
      const size_t bytes = static_cast<size_t>(64 + (i % 7) * 1000);
      blocks.emplace_back(Allocate(bytes), bytes);
    }
    std::thread([&] {
      for (const auto& [p, bytes] : blocks) Deallocate(p, bytes);
    }).join();
  }
  const AllocatorStats after = Stats();
  EXPECT_EQ(after.bytes_in_use, before.bytes_in_use);
  if (kCaches) {  // blocks come back: the system was not asked in each round
    EXPECT_LT(after.system_allocations - before.system_allocations, 1000);
  }
}

TEST(AllocatorTest, CountsExactlyWithManyThreads) {
  const AllocatorStats before = Stats();
  constexpr int kThreads = 4, kCalls = 20000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      std::vector<std::pair<unsigned char*, size_t>> mine;
      for (int i = 0; i < kCalls; ++i) {
        const size_t bytes = static_cast<size_t>(1 + (i * 37 + t * 11) % 50000);
        auto* p = static_cast<unsigned char*>(Allocate(bytes));
        p[0] = p[bytes - 1] = static_cast<unsigned char>(t);
        mine.emplace_back(p, bytes);
        if (mine.size() > 20) {
          auto [q, size] = mine[static_cast<size_t>(i % 20)];
          EXPECT_EQ(q[size - 1], t);
          Deallocate(q, size);
          mine.erase(mine.begin() + i % 20);
        }
      }
      for (auto [p, bytes] : mine) Deallocate(p, bytes);
    });
  }
  for (std::thread& t : threads) t.join();
  const AllocatorStats after = Stats();
  EXPECT_EQ(after.bytes_in_use, before.bytes_in_use);
  EXPECT_EQ(after.allocations - before.allocations, kThreads * kCalls);
  EXPECT_GE(after.peak_bytes_in_use, after.bytes_in_use);
}

}  // namespace
}  // namespace lamina::cpu
