#include "framework/trainnet/labels.h"

#include <string>
#include <vector>

#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Strings = std::vector<std::string>;

TEST(LabelsTest, ThereAndBack) {
  const Strings labels{"dog", "cat", "dog", "eel"};
  const Strings names = ClassNames(labels);
  EXPECT_EQ(names, (Strings{"cat", "dog", "eel"}));
  EXPECT_EQ(ClassIndices(labels, names).ToVector<int64_t>(), (std::vector<int64_t>{1, 0, 1, 2}));
  const DlArray t = OneHotEncode(labels, names);
  EXPECT_EQ(ToString(t.spec()), "3(C) x 4(B) single DlArray");
  EXPECT_EQ(t.ToVector<float>(), (std::vector<float>{0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(ScoresToLabel(t, names), labels);
  EXPECT_EQ(OneHotEncode(labels, names, DataType::kDouble).type(), DataType::kDouble);
}

TEST(LabelsTest, DecodesAlongCWhateverElseThereIs) {
  // Two channels, one observation, three time steps; equal scores give the first class.
  const DlArray scores = DlArray::FromVector<float>({1, 2, 5, 5, 4, 3}, {2, 1, 3}, "CBT");
  const DlArray indices = OneHotDecode(scores);
  EXPECT_EQ(Dims(indices), "BT");
  EXPECT_EQ(indices.ToVector<int64_t>(), (std::vector<int64_t>{1, 0, 0}));
}

TEST(LabelsTest, WrongLabelsAreErrors) {
  EXPECT_TRUE(Throws("data:Empty", [] { ClassIndices({}, {"a"}); }));
  EXPECT_TRUE(Throws("data:UnknownClass", [] { OneHotEncode({"b"}, {"a"}); }));
  EXPECT_TRUE(Throws("data:DuplicateClass", [] { OneHotEncode({"a"}, {"a", "a"}); }));
  const DlArray scores = DlArray::FromVector<float>({1, 2}, {2, 1}, "CB");
  EXPECT_TRUE(Throws("data:ClassCount", [&] { ScoresToLabel(scores, {"a", "b", "c"}); }));
  EXPECT_TRUE(Throws("data:Unlabelled", [&] { OneHotDecode(DlArray(1.0)); }));
}

}  // namespace
}  // namespace lamina
