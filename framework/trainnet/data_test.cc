#include "framework/trainnet/data.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "framework/ops/creation.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Observation i is (i, -i), its target 10 i.
Dataset Counted(int n) {
  std::vector<float> x, t;
  for (int i = 0; i < n; ++i) {
    x.push_back(static_cast<float>(i));
    x.push_back(static_cast<float>(-i));
    t.push_back(static_cast<float>(10 * i));
  }
  return {DlArray::FromVector(x, {2, n}, "CB"), DlArray::FromVector(t, {1, n}, "CB")};
}

// The numbers of the observations of all batches, after a check that targets came along.
std::vector<int> Drain(MiniBatchQueue& queue, std::vector<int64_t>* sizes = nullptr) {
  std::vector<int> seen;
  while (queue.HasData()) {
    const MiniBatch batch = queue.Next();
    EXPECT_EQ(Size(batch.inputs[0], 'B'), batch.num_observations);
    if (sizes != nullptr) sizes->push_back(batch.num_observations);
    for (int64_t k = 0; k < batch.num_observations; ++k) {
      const int i = static_cast<int>(batch.inputs[0].At(2 * k));
      EXPECT_EQ(batch.inputs[0].At(2 * k + 1), -i);
      EXPECT_EQ(batch.targets[0].At(k), 10 * i);
      seen.push_back(i);
    }
  }
  return seen;
}

TEST(MiniBatchQueueTest, BatchesInOrder) {
  MiniBatchQueue queue(Counted(7), {.mini_batch_size = 3});
  std::vector<int64_t> sizes;
  EXPECT_EQ(Drain(queue, &sizes), (std::vector<int>{0, 1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(sizes, (std::vector<int64_t>{3, 3, 1}));
  EXPECT_TRUE(Throws("data:NoMoreData", [&] { queue.Next(); }));
  queue.Reset();
  EXPECT_EQ(Drain(queue).size(), 7u);
}

TEST(MiniBatchQueueTest, PartialBatches) {
  const MiniBatchOptions discard{.mini_batch_size = 3,
                                 .partial_mini_batch = PartialMiniBatch::kDiscard};
  MiniBatchQueue queue(Counted(8), discard);
  EXPECT_EQ(queue.NumBatches(), 2);
  EXPECT_EQ(Drain(queue).size(), 6u);
  MiniBatchQueue small(Counted(2), discard);
  EXPECT_EQ(Drain(small).size(), 2u) << "the only batch is never left out";
  MiniBatchQueue exact(Counted(6), {.mini_batch_size = 3});
  EXPECT_EQ(exact.NumBatches(), 2);
}

TEST(MiniBatchQueueTest, ShufflesByTheSourceAlone) {
  MiniBatchQueue queue(Counted(50), {.mini_batch_size = 8});
  RandomSource a{.seed = 1}, b{.seed = 1}, other{.seed = 2};
  RandomSource& current = CurrentRandomSource();
  const uint64_t offset = current.offset;
  queue.Shuffle(a);
  const std::vector<int> first = Drain(queue);
  queue.Shuffle(a);
  const std::vector<int> second = Drain(queue);
  queue.Shuffle(b);
  EXPECT_EQ(Drain(queue), first);
  queue.Shuffle(other);
  EXPECT_NE(Drain(queue), first);
  EXPECT_NE(second, first);
  EXPECT_EQ(current.offset, offset);
  std::vector<int> sorted = second;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 50; ++i) ASSERT_EQ(sorted[i], i);
}

// Each of the 24 orders of 4 observations comes about as often: chi-squared with 23 degrees of
// freedom is above 49.7 in one of a thousand.
TEST(MiniBatchQueueTest, AllOrdersAreEquallyLikely) {
  MiniBatchQueue queue(Counted(4), {.mini_batch_size = 4});
  RandomSource source{.seed = 5};
  std::map<std::vector<int>, int> counts;
  const int draws = 4800;
  for (int i = 0; i < draws; ++i) {
    queue.Shuffle(source);
    ++counts[Drain(queue)];
  }
  ASSERT_EQ(counts.size(), 24u);
  double chi_squared = 0;
  for (const auto& [order, n] : counts) chi_squared += (n - 200.0) * (n - 200.0) / 200;
  EXPECT_LT(chi_squared, 49.7);
}

TEST(MiniBatchQueueTest, ObservationsAreTakenAlongBWhereverItStands) {
  // "CBT": observations are no longer side by side.
  std::vector<float> values;
  for (int i = 0; i < 2 * 3 * 4; ++i) values.push_back(static_cast<float>(i));
  const DlArray x = DlArray::FromVector(values, {2, 3, 4}, "CBT");
  MiniBatchQueue queue(Dataset(x, DlArray::FromVector<int64_t>({0, 1, 2}, {3}, "B")),
                       {.mini_batch_size = 2});
  const MiniBatch batch = queue.Next();
  EXPECT_EQ(Dims(batch.inputs[0]), "CBT");
  EXPECT_EQ(batch.inputs[0].sizes(), (Sizes{2, 2, 4}));
  EXPECT_EQ(batch.inputs[0].At(4), 6);
  EXPECT_EQ(batch.targets[0].type(), DataType::kInt64);
}

TEST(DataTest, WrongDataAreErrors) {
  const DlArray x = Zeros({2, 5}, DataType::kSingle, "CB");
  EXPECT_EQ(NumObservations({x, x}), 5);
  EXPECT_TRUE(Throws("data:Empty", [] { NumObservations(Dataset()); }));
  EXPECT_TRUE(Throws("data:Empty", [&] { NumObservations({x, DlArray()}); }));
  EXPECT_TRUE(Throws("data:Empty", [&] {
    NumObservations({Zeros({2, 0}, DataType::kSingle, "CB"), x});
  }));
  EXPECT_TRUE(Throws("data:Unlabelled", [&] { NumObservations({Zeros({2, 5}), x}); }));
  EXPECT_TRUE(Throws("data:Unlabelled", [&] {
    NumObservations({x, Zeros({2, 5}, DataType::kSingle, "CT")});
  }));
  EXPECT_TRUE(Throws("trainnet:InvalidOption", [&] {
    MiniBatchQueue({x, x}, {.mini_batch_size = 0});
  }));
  try {
    NumObservations({x, Zeros({1, 4}, DataType::kSingle, "CB")});
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "data:ObservationMismatch");
    EXPECT_NE(e.message().find("5"), std::string::npos) << e.what();
    EXPECT_NE(e.message().find("Target 1 has 4, 1(C) x 4(B)"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace lamina
