// Which calls threads walk through alone, and that they share no byte that one of them stores. That
// kernels touch what their calls say is tested where they are run (framework/acceleration).
#include "framework/emit/call_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "framework/emit/kernels.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/lstm_function.h"
#include "framework/graph/testing/random_function.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

using internal::IsApart;
using internal::ItemWindow;

ArraySpec Single(Sizes sizes, const char* labels = "") {
  return {DataType::kSingle, std::move(sizes), Format(labels)};
}

KernelProgram Write(const std::function<DlArrays(Arrays)>& function,
                    const std::vector<ArraySpec>& specs) {
  return WriteKernels(Optimize(RecordGraph(function, specs)));
}

// Output and gradients of an LSTM from 3 to 5, 8 observations, 7 steps.
KernelProgram LstmProgram() {
  return Write(testing::LstmAndGradients,
               {Single({3, 8, 7}, "CBT"), Single({20, 3}), Single({20, 5}), Single({20, 1}),
                Single({5, 8, 7}, "CBT")});
}

// Who touches a byte: the item, kNobody or kMany.
constexpr int kNobody = -1, kMany = -2;
struct Byte {
  int stores = kNobody, touches = kNobody;
};

// Bytes are told apart by the array and, in scratch memory, where it lies.
void ExpectItemsShareNothing(const KernelProgram& program) {
  for (const CallRange& range : program.ranges) {
    std::map<std::pair<int, int64_t>, Byte> bytes;
    ASSERT_LT(range.first, range.last);
    for (int c = range.first; c <= range.last; ++c) {
      const KernelCall& call = program.calls[c];
      ASSERT_GE(call.kernel, 0);
      ASSERT_EQ(call.count % range.items, 0);
      for (int64_t part = 0; part < call.count; ++part) {
        const int item = static_cast<int>(part / (call.count / range.items));
        for (const KernelAccess& a : call.accesses) {
          const ProgramArray& array = program.arrays[a.array];
          const bool is_scratch = array.role == ProgramArray::kScratch;
          for (int64_t i = 0; i < a.width; ++i) {
            const int64_t at = a.first + part * a.step + i + (is_scratch ? array.offset : 0);
            Byte& byte = bytes[{is_scratch ? -1 : a.array, at}];
            const auto note = [item](int* who) {
              *who = *who == kNobody || *who == item ? item : kMany;
            };
            note(&byte.touches);
            if (a.is_stored) note(&byte.stores);
          }
        }
      }
    }
    for (const auto& [place, byte] : bytes) {
      ASSERT_TRUE(byte.stores == kNobody || byte.touches != kMany)
          << "array " << place.first << ", byte " << place.second << ", calls " << range.first
          << " to " << range.last;
    }
  }
}

TEST(CallRangesTest, WindowsAreApartWhenNoByteIsShared) {
  std::mt19937 random(1);
  const auto draw = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  int apart = 0;
  for (int trial = 0; trial < 20000; ++trial) {
    const int64_t step = draw(0, 6), items = draw(2, 5);
    ItemWindow w[2];
    for (ItemWindow& window : w) {
      window = {draw(-3, 20), draw(0, 3) == 0 ? draw(0, 6) : step, draw(1, 7), draw(0, 1) == 1};
    }
    bool shared = false;
    for (int64_t i = 0; i < items; ++i) {
      for (int64_t j = 0; j < items; ++j) {
        const int64_t x = w[0].first + i * w[0].step, y = w[1].first + j * w[1].step;
        shared = shared || (i != j && x < y + w[1].width && y < x + w[0].width);
      }
    }
    const bool reads_only = !w[0].is_stored && !w[1].is_stored;
    const bool result = IsApart(w[0], w[1], items);
    if (result) {
      EXPECT_TRUE(reads_only || !shared) << trial;
    } else if (w[0].step == w[1].step && w[0].step > 0) {
      EXPECT_TRUE(shared) << trial;  // Where it can tell, it does.
    }
    apart += result && !reads_only;
  }
  EXPECT_GT(apart, 1000);
}

TEST(CallRangesTest, AllTimeStepsOfARecurrentLayerAreOneRange) {
  const KernelProgram program = LstmProgram();
  ASSERT_FALSE(program.ranges.empty());
  const CallRange longest = *std::max_element(
      program.ranges.begin(), program.ranges.end(),
      [](const CallRange& a, const CallRange& b) { return a.last - a.first < b.last - b.first; });
  EXPECT_EQ(longest.items, 8);
  // Seven times forward: product, sum, gates. Seven times back: gates and product.
  EXPECT_GE(longest.last - longest.first + 1, 7 * 5);
  ExpectItemsShareNothing(program);
}

TEST(CallRangesTest, WhatIsReplacedInItsPlaceLeavesARangeAsItIs) {
  // Within the range: a sum takes the place of the product.
  const KernelProgram inside = Write(
      [](Arrays in) {
        return DlArrays{MatMul(in[1], Tanh(MatMul(in[1], Tanh(MatMul(in[1], in[0])))))};
      },
      {Single({8, 64}), Single({8, 8})});
  ASSERT_EQ(inside.ranges.size(), 1u);
  EXPECT_EQ(inside.ranges[0].last - inside.ranges[0].first, 4);
  EXPECT_EQ(inside.scratch_bytes, 2 * 8 * 64 * 4);
  ExpectItemsShareNothing(inside);
  // A factor is read by all observations: what is computed from it for each is stored elsewhere,
  // though nothing reads the factor again.
  const KernelProgram factor = Write(
      [](Arrays in) {
        const DlArray w = MatMul(in[1], in[1]), y = MatMul(w, in[0]);
        return DlArrays{MatMul(in[1], Tanh(w)) + y};
      },
      {Single({8, 8}), Single({8, 8})});
  ASSERT_EQ(factor.ranges.size(), 1u);
  EXPECT_EQ(factor.ranges[0].last - factor.ranges[0].first, 3);
  ExpectItemsShareNothing(factor);
}

TEST(CallRangesTest, WhatCrossesObservationsEndsARange) {
  const KernelProgram program = Write(
      [](Arrays in) {
        const DlArray a = MatMul(in[1], Tanh(in[0])), b = Relu(a) * a;
        const DlArray mean = Mean(b, 1), c = Tanh(b - mean);
        return DlArrays{MatMul(in[1], c) + c};
      },
      {Single({6, 8}), Single({6, 6})});
  // Observations; rows of the mean; observations.
  ASSERT_EQ(program.ranges.size(), 3u);
  EXPECT_EQ(program.ranges[0].items, 8);
  EXPECT_EQ(program.ranges[1].items, 6);
  EXPECT_EQ(program.ranges[2].items, 8);
  ExpectItemsShareNothing(program);
}

TEST(CallRangesTest, WhatIsReadByOtherObservationsEndsARange) {
  // The second product reads each observation's values for all others.
  const KernelProgram program =
      Write([](Arrays in) { return DlArrays{MatMul(MatMul(in[0], in[1]), in[1])}; },
            {Single({8, 8}), Single({8, 8})});
  EXPECT_TRUE(program.ranges.size() == 1 || program.ranges.empty());
  const KernelProgram other =
      Write([](Arrays in) { return DlArrays{MatMul(in[0], MatMul(in[0], in[1]), false, true)}; },
            {Single({8, 8}), Single({8, 8})});
  EXPECT_TRUE(other.ranges.empty());
}

TEST(CallRangesTest, NoRangeOfAnyFunctionSharesBytes) {
  for (uint32_t i = 0; i < 200; ++i) {
    const DlArrays inputs = testing::RandomInputs(i);
    testing::RandomFunction function(i, 4 + static_cast<int>(i % 20));
    ExpectItemsShareNothing(
        Write([&](Arrays x) { return function(x); }, {inputs[0].spec(), inputs[1].spec()}));
  }
}

}  // namespace
}  // namespace lamina
