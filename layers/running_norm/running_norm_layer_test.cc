// Outputs, derivatives and states against those of torch.nn.BatchNorm1d and BatchNorm2d without
// scale and shift (testdata/record_torch.py), and what the formula says at its edges.
#include "layers/running_norm/running_norm_layer.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::ElementsAre;

Json Recorded(const std::string& format) {
  const absl::StatusOr<std::string> text =
      ReadFile(RunfilePath("layers/running_norm/testdata/torch.json"));
  EXPECT_TRUE(text.ok()) << text.status();
  return (*ParseJson(*text))["cases"][format];
}

DlArray ToArray(const Json& json, const std::string& format) {
  const std::vector<int64_t> sizes = json["sizes"];
  return DlArray::FromVector<double>(json["values"], Sizes(sizes.begin(), sizes.end()), format);
}

// Each element, in parts of the largest (but at least of 1).
void ExpectNear(const DlArray& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.numel(), static_cast<int64_t>(expected.size()));
  double largest = 1;
  for (double e : expected) largest = std::max(largest, std::abs(e));
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual.At(static_cast<int64_t>(i)), expected[i], tolerance * largest)
        << "element " << i;
  }
}

class RunningNormLayerTest : public testing::TestWithParam<const char*> {};

// Sums of fewer than 50 terms: some tens of roundings of 2^-53, and as many of 2^-24.
constexpr double kInDouble = 1e-13, kInSingle = 1e-5;

TEST_P(RunningNormLayerTest, GivesPyTorchsNumbers) {
  const std::string format = GetParam();
  const Json calls = Recorded(format);
  ASSERT_EQ(calls.size(), 4u);
  for (const DataType type : {DataType::kDouble, DataType::kSingle}) {
    const double tolerance = type == DataType::kDouble ? kInDouble : kInSingle;
    AnyLayer layer = RunningNormLayer();
    for (const Json& call : calls) {
      SCOPED_TRACE(call["training"] ? "training" : "evaluation");
      Tape tape;
      const ScopedTape listening(&tape);
      const DlArray x = tape.Watch(Cast(ToArray(call["x"], format), type));
      layer.Initialize({NetworkDataLayout::Of(x)});
      layer->ForEachState([&](DlArray& s) { s = Cast(s, type); });

      const LayerResult r = call["training"] ? layer.Forward({x}) : layer.Predict({x});
      EXPECT_EQ(r.outputs[0].spec(), x.spec());
      ExpectNear(r.outputs[0], call["y"]["values"], tolerance);
      const DlArray loss = Sum(Cast(ToArray(call["g"], format), type) * r.outputs[0]);
      ExpectNear(DlGradient(loss, DlArrays{x})[0], call["dx"]["values"], tolerance);

      layer.SetStates(DlArrays{ExtractData(r.states[0]), ExtractData(r.states[1])});
      ExpectNear(layer.As<RunningNormLayer>()->mean, call["mean"], tolerance);
      ExpectNear(layer.As<RunningNormLayer>()->variance, call["variance"], tolerance);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Formats, RunningNormLayerTest, testing::Values("CB", "SSCB", "CBT"),
                         [](const auto& info) { return std::string(info.param); });

AnyLayer Initialized(const NetworkDataLayout& layout) {
  AnyLayer layer = RunningNormLayer();
  layer.Initialize({layout});
  return layer;
}

TEST(RunningNormLayerTest, BeginsAsAlmostTheIdentity) {
  const AnyLayer layer = Initialized(NetworkDataLayout({2, kUnknown}, "CB"));
  const DlArray x = DlArray::FromVector<float>({3, -4}, {2, 1}, "CB");
  const DlArray y = layer.Predict({x}).outputs[0];
  EXPECT_NEAR(y.At(0), 3 / std::sqrt(1 + 1e-5), 1e-6);
  EXPECT_NEAR(y.At(1), -4 / std::sqrt(1 + 1e-5), 1e-6);
}

TEST(RunningNormLayerTest, PredictLeavesTheStatesAlone) {
  const AnyLayer layer = Initialized(NetworkDataLayout({2, kUnknown}, "CB"));
  const DlArray x = DlArray::FromVector<float>({1, 10, 3, 30}, {2, 2}, "CB");
  const LayerResult r = layer.Predict({x});
  EXPECT_TRUE(IsEqual(r.states[0], layer.As<RunningNormLayer>()->mean));
  EXPECT_TRUE(IsEqual(r.states[1], layer.As<RunningNormLayer>()->variance));
}

TEST(RunningNormLayerTest, StatesApproachTheStatisticsOfTheData) {
  // The same batch again and again: after k calls (1 - decay)^k of the beginning is left.
  AnyLayer layer = Initialized(NetworkDataLayout({1, kUnknown}, "CB"));
  const DlArray x = DlArray::FromVector<double>({1, 2, 6}, {1, 3}, "CB");
  for (int k = 1; k <= 50; ++k) {
    layer.SetStates(layer.Forward({x}).states);
    const double left = std::pow(0.9, k);
    EXPECT_NEAR(layer.As<RunningNormLayer>()->mean.At(0), 3 * (1 - left), 1e-5);
    // Squares about the mean: 4 + 1 + 9; divided by n - 1 = 2.
    EXPECT_NEAR(layer.As<RunningNormLayer>()->variance.At(0), left + 7 * (1 - left), 1e-5);
  }
}

TEST(RunningNormLayerTest, ASingleValueHasNoSpread) {
  const AnyLayer layer = Initialized(NetworkDataLayout({2, kUnknown}, "CB"));
  const DlArray x = DlArray::FromVector<float>({5, -7}, {2, 1}, "CB");
  const LayerResult r = layer.Forward({x});
  EXPECT_THAT(r.outputs[0].ToVector<float>(), ElementsAre(0, 0));
  EXPECT_NEAR(r.states[0].At(1), -0.7, 1e-6);
  EXPECT_NEAR(r.states[1].At(1), 0.9, 1e-6);
}

TEST(RunningNormLayerTest, ResetStateLeavesWhatWasGathered) {
  AnyLayer layer = Initialized(NetworkDataLayout({1, kUnknown}, "CB"));
  layer.SetStates(layer.Forward({Full({1, 1}, 5, DataType::kSingle, "CB")}).states);
  layer.ResetState();
  EXPECT_EQ(layer.As<RunningNormLayer>()->mean.At(0), 0.5);
}

TEST(RunningNormLayerTest, NeedsChannels) {
  AnyLayer layer = RunningNormLayer();
  EXPECT_THROW(layer.Initialize({NetworkDataLayout({24, 128}, "SB")}), Error);
}

}  // namespace
}  // namespace lamina
