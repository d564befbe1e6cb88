// Which way runs go, by the times that they are said to take.
#include "framework/acceleration/thread_choice.h"

#include <gtest/gtest.h>

namespace lamina::internal {
namespace {

// Runs of which each takes as long as its way does; how many of them were alone.
int NumAlone(ThreadChoice& choice, int64_t runs, double shared, double alone) {
  int count = 0;
  for (int64_t i = 0; i < runs; ++i) {
    const ThreadChoice::Turn turn = choice.Next(2);
    count += turn.way == ThreadChoice::kAlone;
    if (turn.is_timed) choice.Note(turn.way, turn.way == ThreadChoice::kAlone ? alone : shared);
  }
  return count;
}

constexpr int64_t kPeriod = ThreadChoice::kPeriod, kTried = ThreadChoice::kTried;

TEST(ThreadChoiceTest, TakesTheFasterWay) {
  ThreadChoice faster_shared, faster_alone;
  EXPECT_EQ(NumAlone(faster_shared, kPeriod, 50e-6, 90e-6), kTried);
  EXPECT_EQ(NumAlone(faster_alone, kPeriod, 90e-6, 50e-6), kPeriod - kTried);
}

TEST(ThreadChoiceTest, LooksAgainAfterSomeTime) {
  ThreadChoice choice;
  EXPECT_EQ(NumAlone(choice, kPeriod, 50e-6, 90e-6), kTried);
  EXPECT_EQ(NumAlone(choice, kPeriod, 120e-6, 90e-6), kPeriod - kTried);
  EXPECT_EQ(NumAlone(choice, kPeriod, 50e-6, 90e-6), kTried);
}

TEST(ThreadChoiceTest, LooksAgainWithMoreThreads) {
  ThreadChoice choice;
  EXPECT_EQ(NumAlone(choice, 100, 90e-6, 50e-6), 100 - kTried);
  for (int64_t i = 0; i < kTried; ++i) EXPECT_EQ(choice.Next(4).way, ThreadChoice::kShared);
}

TEST(ThreadChoiceTest, LongProgramsAreAlwaysShared) {
  ThreadChoice choice;
  EXPECT_EQ(NumAlone(choice, 3 * kPeriod, 2e-3, 1e-3), 0);
}

TEST(ThreadChoiceTest, TheFastestOfSeveralRunsCounts) {
  ThreadChoice choice;
  // One run in four takes long, since something else ran.
  int count = 0;
  for (int64_t i = 0; i < kPeriod; ++i) {
    const ThreadChoice::Turn turn = choice.Next(2);
    count += turn.way == ThreadChoice::kAlone;
    const double seconds = turn.way == ThreadChoice::kAlone ? 90e-6 : 50e-6;
    if (turn.is_timed) choice.Note(turn.way, i % 4 == 1 ? 100 * seconds : seconds);
  }
  EXPECT_EQ(count, kTried);
}

TEST(ThreadChoiceTest, RunsWithoutATimeStayShared) {
  // Those that throw.
  ThreadChoice choice;
  for (int64_t i = 0; i < kPeriod; ++i) EXPECT_EQ(choice.Next(2).way, ThreadChoice::kShared);
}

}  // namespace
}  // namespace lamina::internal
