// Are copies by way of pinned memory whole, and in order, when the device does them as late as it
// may? "The device" is memory here.
#include "framework/gpu/staging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "framework/gpu/testing/late_copies.h"

namespace lamina::gpu {
namespace {

using testing::LateCopies;
using Bytes = std::vector<unsigned char>;

constexpr size_t kSmallest = 10, kChunk = 64, kMostChunks = 3;

Bytes Random(size_t n) {
  static std::mt19937 random(1);
  Bytes bytes(n);
  for (unsigned char& b : bytes) b = static_cast<unsigned char>(random());
  return bytes;
}

class StagingTest : public ::testing::TestWithParam<int> {
 protected:
  StagingTest() {
    auto copies = std::make_unique<LateCopies>(&room_);
    copies_ = copies.get();
    staging_ = std::make_unique<Staging>(
        std::move(copies),
        Staging::Options{.smallest = kSmallest, .chunk_bytes = kChunk, .most_chunks = kMostChunks});
  }

  int room_ = GetParam();  // How many chunks can be had.
  LateCopies* copies_;
  std::unique_ptr<Staging> staging_;
};

TEST_P(StagingTest, CopiesOfAllSizesAreWhole) {
  for (const size_t n : {kSmallest, kChunk - 1, kChunk, kChunk + 1, 2 * kChunk, 3 * kChunk - 1,
                         3 * kChunk, 3 * kChunk + 1, 4 * kChunk, 11 * kChunk + 5}) {
    SCOPED_TRACE(n);
    const Bytes bytes = Random(n);
    Bytes from = bytes, device(n + 1, 7), to(n + 1, 8);
    ASSERT_TRUE(staging_->CopyIn(device.data(), from.data(), n));
    std::fill(from.begin(), from.end(), 0);  // It may be changed now.
    ASSERT_TRUE(staging_->CopyOut(to.data(), device.data(), n));
    EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), to.begin()));
    EXPECT_EQ(to[n], 8);
    EXPECT_EQ(device[n], 7);
    EXPECT_EQ(copies_->num_asked(), 0u);
  }
  EXPECT_EQ(copies_->num_taken(), std::min<int>(room_, kMostChunks));
}

TEST_P(StagingTest, TheLaterCopyIsTheLater) {
  std::mt19937 random(2);
  constexpr size_t kSize = 6 * kChunk;
  Bytes device(kSize, 0), expected(kSize, 0);
  for (int i = 0; i < 200; ++i) {
    const size_t n = kSmallest + random() % (kSize - kSmallest), at = random() % (kSize - n + 1);
    if (random() % 3 == 0) {
      Bytes to(n);
      ASSERT_TRUE(staging_->CopyOut(to.data(), device.data() + at, n));
      ASSERT_TRUE(std::equal(to.begin(), to.end(), expected.begin() + static_cast<int64_t>(at)));
      continue;
    }
    const Bytes from = Random(n);
    ASSERT_TRUE(staging_->CopyIn(device.data() + at, from.data(), n));
    std::copy(from.begin(), from.end(), expected.begin() + static_cast<int64_t>(at));
  }
  copies_->DoAll();
  EXPECT_EQ(device, expected);
}

INSTANTIATE_TEST_SUITE_P(Room, StagingTest, ::testing::Values(1, 2, 3, 100));

using Staged = StagingTest;
INSTANTIATE_TEST_SUITE_P(Room, Staged, ::testing::Values(kMostChunks));

TEST_P(Staged, NobodyWaitsWhileChunksAreFree) {
  const Bytes from = Random(kMostChunks * kChunk);
  Bytes device(from.size());
  ASSERT_TRUE(staging_->CopyIn(device.data(), from.data(), from.size()));
  EXPECT_EQ(copies_->num_waits(), 0);
  EXPECT_EQ(copies_->num_asked(), kMostChunks);
  // The next waits for the first chunk alone.
  Bytes other(kChunk);
  ASSERT_TRUE(staging_->CopyIn(other.data(), from.data(), kChunk));
  EXPECT_EQ(copies_->num_waits(), 1);
  EXPECT_EQ(copies_->num_asked(), kMostChunks);
}

TEST_P(Staged, SmallCopiesAreLeftToTheDriver) {
  Bytes a(kSmallest - 1), b(kSmallest - 1);
  EXPECT_FALSE(staging_->CopyIn(a.data(), b.data(), a.size()));
  EXPECT_FALSE(staging_->CopyOut(a.data(), b.data(), a.size()));
  EXPECT_FALSE(staging_->CopyIn(nullptr, nullptr, 0));
  EXPECT_EQ(copies_->num_taken(), 0);
}

using NotStaged = StagingTest;
INSTANTIATE_TEST_SUITE_P(Room, NotStaged, ::testing::Values(0));

TEST_P(NotStaged, WithoutPinnedMemoryAllAreLeftToTheDriver) {
  const Bytes bytes = Random(3 * kChunk);
  Bytes other(bytes.size(), 0);
  EXPECT_FALSE(staging_->CopyIn(other.data(), bytes.data(), bytes.size()));
  EXPECT_FALSE(staging_->CopyOut(other.data(), bytes.data(), bytes.size()));
  EXPECT_EQ(other, Bytes(bytes.size(), 0));
  EXPECT_EQ(copies_->num_asked(), 0u);
  room_ = 1;  // Not asked for again.
  EXPECT_FALSE(staging_->CopyIn(other.data(), bytes.data(), bytes.size()));
}

}  // namespace
}  // namespace lamina::gpu
