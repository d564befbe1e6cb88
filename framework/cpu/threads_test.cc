#include "framework/cpu/threads.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace lamina::cpu {
namespace {

class ThreadsTest : public testing::Test {
 protected:
  void TearDown() override { SetNumThreads(before_); }
  const int before_ = NumThreads();
};

TEST_F(ThreadsTest, CoversEachElementOnce) {
  for (int threads : {1, 2, 3, 7}) {
    SetNumThreads(threads);
    for (int64_t n : {0, 1, 2, 5, 6, 7, 100, 1001}) {
      std::vector<std::atomic<int>> hits(static_cast<size_t>(n));
      ParallelFor(n, 3, [&](int64_t begin, int64_t end) {
        EXPECT_LT(begin, end);
        for (int64_t i = begin; i < end; ++i) ++hits[static_cast<size_t>(i)];
      });
      for (const auto& h : hits) EXPECT_EQ(h.load(), 1);
    }
  }
}

TEST_F(ThreadsTest, NoPartIsShorterThanTheGrain) {
  SetNumThreads(8);
  std::atomic<int> parts{0};
  ParallelFor(100, 30, [&](int64_t begin, int64_t end) {
    EXPECT_GE(end - begin, 30);
    ++parts;
  });
  EXPECT_LE(parts.load(), 3);
}

TEST_F(ThreadsTest, BelowTwoGrainsItRunsOnceOnTheCaller) {
  SetNumThreads(8);
  int calls = 0;
  const std::thread::id caller = std::this_thread::get_id();
  ParallelFor(99, 50, [&](int64_t begin, int64_t end) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(begin, 0);
    EXPECT_EQ(end, 99);
    ++calls;
  });
  EXPECT_EQ(calls, 1);
}

TEST_F(ThreadsTest, NestedCallsRunOnTheirCaller) {
  SetNumThreads(4);
  std::atomic<int> outer{0}, inner{0};
  ParallelFor(4, 1, [&](int64_t, int64_t) {
    ++outer;
    const std::thread::id caller = std::this_thread::get_id();
    ParallelFor(1000, 1, [&](int64_t begin, int64_t end) {
      EXPECT_EQ(std::this_thread::get_id(), caller);
      EXPECT_EQ(end - begin, 1000);
      ++inner;
    });
  });
  EXPECT_EQ(inner.load(), outer.load());
}

TEST_F(ThreadsTest, AnExceptionReachesTheCallerAndTheNextCallWorks) {
  SetNumThreads(4);
  const auto faulty = [](int64_t begin, int64_t) {
    if (begin > 0 || NumThreads() == 1) throw std::runtime_error("part");
  };
  EXPECT_THROW(ParallelFor(4, 1, faulty), std::runtime_error);
  std::atomic<int64_t> sum{0};
  ParallelFor(4, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  EXPECT_EQ(sum.load(), 4);
}

TEST_F(ThreadsTest, MayBeCalledFromSeveralThreads) {
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        ParallelFor(64, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
      }
    });
  }
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(sum.load(), 4 * 50 * 64);
}

TEST_F(ThreadsTest, LessThanOneThreadMeansOne) {
  SetNumThreads(-3);
  EXPECT_EQ(NumThreads(), 1);
}

}  // namespace
}  // namespace lamina::cpu
