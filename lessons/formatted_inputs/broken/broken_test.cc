// The mistake of the lesson does what the lesson says of it: one observation is as it should be,
// several are mixed.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "lessons/formatted_inputs/broken/mixed_reshape_layer.h"

namespace lamina {
namespace {

template <class T>
DlArray Made(const DlArray& x) {
  AnyLayer layer = T({4, 3, 2});
  Rng(5);
  layer.Initialize({NetworkDataLayout({6, kUnknown}, "CB")});
  return layer.Predict({x}).outputs[0];
}

TEST(BrokenTest, SizesAndLabelsAreRight) {
  const DlArray x = Randn({6, 7}, DataType::kSingle, "CB");
  EXPECT_EQ(Made<MixedReshapeLayer>(x).spec(), Made<ProjectAndReshapeLayer>(x).spec());
}

TEST(BrokenTest, OneObservationHasTheSameNumbersInAnotherOrder) {
  const DlArray x = Randn({6, 1}, DataType::kSingle, "CB");
  std::vector<float> wrong = Made<MixedReshapeLayer>(x).ToVector<float>();
  std::vector<float> right = Made<ProjectAndReshapeLayer>(x).ToVector<float>();
  std::sort(wrong.begin(), wrong.end());
  std::sort(right.begin(), right.end());
  EXPECT_EQ(wrong, right);
}

TEST(BrokenTest, OfSeveralEachIsMadeOfPiecesOfAll) {
  const DlArray first = Randn({6, 1}, DataType::kSingle, "CB");
  const DlArray other = Randn({6, 1}, DataType::kSingle, "CB");
  const DlArray last = Randn({6, 1}, DataType::kSingle, "CB");
  const auto last_of = [](const DlArray& y) { return Slice(y, 'B', 1, 1); };
  const DlArray a = Cat('B', {first, last}), b = Cat('B', {other, last});
  EXPECT_TRUE(
      IsEqual(last_of(Made<ProjectAndReshapeLayer>(a)), last_of(Made<ProjectAndReshapeLayer>(b))));
  EXPECT_FALSE(IsEqual(last_of(Made<MixedReshapeLayer>(a)), last_of(Made<MixedReshapeLayer>(b))));
}

}  // namespace
}  // namespace lamina
