// Padding, cutting, the mask, and the steps that are real; batches of sequences; what is refused.
#include "framework/trainnet/sequences.h"

#include <numeric>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/data.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using V = std::vector<float>;

// 2(C) x steps(T): 1, 2, 3, ... times `sign`.
DlArray Count(int64_t steps, float sign = 1) {
  V values(2 * steps);
  for (size_t i = 0; i < values.size(); ++i) values[i] = sign * static_cast<float>(i + 1);
  return DlArray::FromVector(values, {2, steps}, "CT");
}
DlArray Mask(const std::vector<uint8_t>& values, int64_t steps) {
  const int64_t n = static_cast<int64_t>(values.size()) / steps;
  return DlArray::FromBytes(DataType::kLogical, values.data(), values.size(), {n, steps}, "BT");
}

TEST(PadSequencesTest, OnTheRightToTheLongest) {
  const PaddedSequences p = PadSequences({Count(3), Count(1, -1)}, {.padding_value = 9});
  EXPECT_TRUE(
      IsEqual(p.x, DlArray::FromVector(V{1, 2, -1, -2, 3, 4, 9, 9, 5, 6, 9, 9}, {2, 2, 3}, "CBT")));
  EXPECT_TRUE(IsEqual(p.mask, Mask({1, 1, 1, 0, 1, 0}, 3)));
}

TEST(PadSequencesTest, OnTheLeft) {
  const PaddedSequences p =
      PadSequences({Count(3), Count(1, -1)}, {.direction = PaddingDirection::kLeft});
  EXPECT_TRUE(
      IsEqual(p.x, DlArray::FromVector(V{1, 2, 0, 0, 3, 4, 0, 0, 5, 6, -1, -2}, {2, 2, 3}, "CBT")));
  EXPECT_TRUE(IsEqual(p.mask, Mask({1, 0, 1, 0, 1, 1}, 3)));
}

TEST(PadSequencesTest, ToTheShortestOnEitherSide) {
  const DlArrays both = {Count(3), Count(1, -1)};
  const PaddedSequences right = PadSequences(both, {.length = "shortest"});
  EXPECT_TRUE(IsEqual(right.x, DlArray::FromVector(V{1, 2, -1, -2}, {2, 2, 1}, "CBT")));
  EXPECT_TRUE(IsEqual(right.mask, Mask({1, 1}, 1)));
  const PaddedSequences left =
      PadSequences(both, {.length = "shortest", .direction = PaddingDirection::kLeft});
  EXPECT_TRUE(IsEqual(left.x, DlArray::FromVector(V{5, 6, -1, -2}, {2, 2, 1}, "CBT")));
}

TEST(PadSequencesTest, ToANumberPadsAndCuts) {
  const PaddedSequences p = PadSequences({Count(3), Count(1, -1)}, {.length = 2});
  EXPECT_TRUE(IsEqual(p.x, DlArray::FromVector(V{1, 2, -1, -2, 3, 4, 0, 0}, {2, 2, 2}, "CBT")));
  EXPECT_TRUE(IsEqual(p.mask, Mask({1, 1, 1, 0}, 2)));
}

TEST(PadSequencesTest, ImagesClassNumbersAndDouble) {
  const PaddedSequences films = PadSequences({Ones({4, 3, 1, 2}, DataType::kDouble, "SSCT"),
                                              Ones({4, 3, 1, 5}, DataType::kDouble, "SSCT")});
  EXPECT_EQ(ToString(films.x.spec()), "4(S) x 3(S) x 1(C) x 2(B) x 5(T) double DlArray");
  EXPECT_EQ(Sum(films.x).Scalar(), 12 * 7);
  const PaddedSequences classes = PadSequences({DlArray::FromVector<int64_t>({4, 5}, {2}, "T"),
                                                DlArray::FromVector<int64_t>({6}, {1}, "T")});
  EXPECT_TRUE(IsEqual(classes.x, DlArray::FromVector<int64_t>({4, 6, 5, 0}, {2, 2}, "BT")));
}

TEST(RealStepsTest, AreThoseOfTheSequences) {
  const PaddedSequences p = PadSequences({Count(3), Count(1, -1)});
  EXPECT_TRUE(IsEqual(RealSteps(p.x, p.mask),
                      DlArray::FromVector(V{1, 2, -1, -2, 3, 4, 5, 6}, {2, 4}, "CB")));
  EXPECT_TRUE(IsEqual(RealSteps(p.mask, p.mask),
                      DlArray::FromBytes(DataType::kLogical, "\1\1\1\1", 4, {4}, "B")));
}

TEST(RealStepsTest, PaddingHasNoDerivative) {
  const PaddedSequences p = PadSequences({Count(3), Count(1, -1)});
  Tape tape;
  const ScopedTape listening(&tape);
  const DlArray x = tape.Watch(p.x);
  const DlArray loss = Sum(Square(RealSteps(x, p.mask)));
  EXPECT_TRUE(
      IsEqual(DlGradient(loss, DlArrays{x})[0],
              DlArray::FromVector(V{2, 4, -2, -4, 6, 8, 0, 0, 10, 12, 0, 0}, {2, 2, 3}, "CBT")));
}

// Lengths 2, 3, 2, 3, 2: observation i begins with 100 i.
Dataset Five(bool target_for_each_step) {
  DlArrays x, t;
  for (int i = 0; i < 5; ++i) {
    x.push_back(Count(2 + i % 2) + 100.0 * i);
    t.push_back(Slice(x.back(), 'C', 0, 1));
  }
  const DlArray labels = DlArray::FromVector<int64_t>({0, 1, 2, 3, 4}, {5}, "B");
  return target_for_each_step ? Dataset(Sequences(x), Sequences(t)) : Dataset(Sequences(x), labels);
}

TEST(SequenceBatchesTest, TargetsForEachStepArePadded) {
  MiniBatchQueue queue(Five(true), {.mini_batch_size = 3, .sequence_padding_value = -1});
  ASSERT_EQ(queue.NumBatches(), 2);
  const MiniBatch batch = queue.Next();
  EXPECT_EQ(batch.observations, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(ToString(batch.inputs[0].spec()), "2(C) x 3(B) x 3(T) single DlArray");
  EXPECT_EQ(batch.inputs[0].At(2 * (0 + 3 * 2)), -1);
  EXPECT_EQ(batch.targets[0].At(0 + 3 * 2), 0);
  EXPECT_TRUE(IsEqual(batch.target_masks[0], Mask({1, 1, 1, 1, 1, 1, 0, 1, 0}, 3)));
  EXPECT_TRUE(IsEqual(batch.input_masks[0], batch.target_masks[0]));
  DlArrays y = batch.inputs, t = batch.targets;
  LeaveOutPadding(batch, y, t);
  EXPECT_EQ(ToString(y[0].spec()), "2(C) x 7(B) single DlArray");
  EXPECT_TRUE(IsEqual(t[0], DlArray::FromVector(V{1, 101, 201, 3, 103, 203, 105}, {1, 7}, "CB")));
}

TEST(SequenceBatchesTest, WithOneTargetForEachSequenceLengthsAreEqual) {
  MiniBatchQueue queue(Five(false), {.mini_batch_size = 2});
  ASSERT_EQ(queue.NumBatches(), 3);
  const std::vector<std::vector<int64_t>> expected = {{0, 2}, {1, 3}, {4}};
  for (const std::vector<int64_t>& observations : expected) {
    const MiniBatch batch = queue.Next();
    EXPECT_EQ(batch.observations, observations);
    EXPECT_TRUE(batch.input_masks[0].empty());
    EXPECT_EQ(Size(batch.inputs[0], 'T'), 2 + observations[0] % 2);
    for (size_t i = 0; i < observations.size(); ++i) {
      EXPECT_EQ(batch.inputs[0].At(2 * static_cast<int64_t>(i)), 1 + 100 * observations[i]);
      EXPECT_EQ(batch.targets[0].At(static_cast<int64_t>(i)), observations[i]);
    }
  }
  EXPECT_EQ(MiniBatchQueue(Five(false),
                           {.mini_batch_size = 2, .partial_mini_batch = PartialMiniBatch::kDiscard})
                .NumBatches(),
            2);
}

TEST(SequenceBatchesTest, AllObservationsComeInEveryOrder) {
  for (const char* length : {"longest", "equal", "shortest"}) {
    MiniBatchQueue queue(Five(false), {.mini_batch_size = 2, .sequence_length = length});
    RandomSource source{.seed = 3};
    for (int epoch = 0; epoch < 5; ++epoch) {
      queue.Shuffle(source);
      std::vector<int> seen(5, 0);
      while (queue.HasData()) {
        const MiniBatch batch = queue.Next();
        for (int64_t i : batch.observations) ++seen[i];
        EXPECT_EQ(batch.targets[0].At(0), batch.observations[0]);
      }
      EXPECT_EQ(seen, std::vector<int>(5, 1)) << length;
    }
  }
}

TEST(SequenceBatchesTest, AskedForPaddingComesForWholeTargetsToo) {
  MiniBatchQueue queue(Five(false), {.mini_batch_size = 5,
                                     .sequence_length = "longest",
                                     .sequence_padding_direction = PaddingDirection::kLeft});
  const MiniBatch batch = queue.Next();
  EXPECT_EQ(ToString(batch.inputs[0].spec()), "2(C) x 5(B) x 3(T) single DlArray");
  EXPECT_EQ(batch.inputs[0].At(0), 0);
  EXPECT_FALSE(batch.input_masks[0].empty());
  EXPECT_TRUE(batch.target_masks[0].empty());
}

TEST(SequencesTest, WhatIsRefused) {
  const DlArray good = Count(3), labels = DlArray::FromVector<int64_t>({0, 1}, {2}, "B");
  const auto message = [&](DlArrays x) {
    return MessageOf([&] { NumObservations(Dataset(Sequences(std::move(x)), labels)); });
  };
  EXPECT_EQ(message({good, Count(2)}), "no error");
  EXPECT_EQ(
      message({good, Ones({2, 3}, DataType::kSingle, "CB")}),
      "Input 1 is a list of sequences: arrays with a dim \"T\" and no \"B\". Sequence 2 is a 2(C) "
      "x 3(B) single DlArray. Label each sequence: DlArray(x, \"CT\"). [data:SequenceFormat]");
  EXPECT_EQ(message({good, Ones({2, 3})}),
            "Input 1 is a list of sequences: arrays with a dim \"T\" and no \"B\". Sequence 2 is a "
            "2 x 3 single DlArray. Label each sequence: DlArray(x, \"CT\"). [data:SequenceFormat]");
  EXPECT_EQ(message({good, Ones({2, 1, 3}, DataType::kSingle, "CBT")}),
            "Input 1 is a list of sequences: arrays with a dim \"T\" and no \"B\". Sequence 2 is a "
            "2(C) x 1(B) x 3(T) single DlArray. Label each sequence: DlArray(x, \"CT\"). "
            "[data:SequenceFormat]");
  EXPECT_EQ(message({good, Zeros({2, 0}, DataType::kSingle, "CT")}),
            "Input 1 has sequences of one step or more. Sequence 2 is a 2(C) x 0(T) single "
            "DlArray. Leave empty sequences out. [data:EmptySequence]");
  EXPECT_EQ(message({good, Ones({3, 3}, DataType::kSingle, "CT")}),
            "Input 1 has sequences that differ in their length alone; the first is a 2(C) x 3(T) "
            "single DlArray. Sequence 2 is a 3(C) x 3(T) single DlArray. [data:SequenceMismatch]");
  EXPECT_EQ(message({good, Double(good)}),
            "Input 1 has sequences that differ in their length alone; the first is a 2(C) x 3(T) "
            "single DlArray. Sequence 2 is a 2(C) x 3(T) double DlArray. [data:SequenceMismatch]");
  EXPECT_EQ(message({good}),
            "All inputs and targets have as many observations as input 1, 1. Target 1 has 2, 2(B) "
            "int64 DlArray. [data:ObservationMismatch]");
  EXPECT_EQ(message({}),
            "Input 1 has one observation at least. A 0 x 0 single DlArray came. [data:Empty]");
  EXPECT_EQ(MessageOf([&] { PadSequences({}); }),
            "The list has one sequence at least. None came. [data:Empty]");
  EXPECT_EQ(MessageOf([&] { PadSequences({good}, {.length = "equal"}); }),
            "Option length is expected to be one of [longest, shortest]. \"equal\" came. "
            "[trainnet:InvalidOption]");
  EXPECT_EQ(MessageOf([&] { PadSequences({good}, {.length = 0}); }),
            "Option sequence_length is expected to be a whole number, 1 or more. 0 came. "
            "[trainnet:InvalidOption]");
  EXPECT_NE(MessageOf([&] {
              PadSequences({good}, {.length = int64_t{1} << 60});
            }).find("[dlarray:InvalidSize]"),
            std::string::npos);
  EXPECT_EQ(MessageOf([&] { PadSequences({good}, {.length = "longer"}); }),
            "Option sequence_length is expected to be one of [auto, longest, shortest, equal]. "
            "\"longer\" came. [trainnet:InvalidOption]");
  EXPECT_EQ(MessageOf([&] {
              RealSteps(Ones({2, 2}, DataType::kSingle, "CB"), Mask({1, 1}, 1));
            }),
            "The mask tells which of 1 time steps of 2 sequences are real. A 2(C) x 2(B) single "
            "DlArray came. [data:MaskMismatch]");
}

}  // namespace
}  // namespace lamina
