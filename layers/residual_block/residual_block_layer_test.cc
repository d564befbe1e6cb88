// The residual blocks against PyTorch's values (testdata/record_torch.py), and what a nested
// network is to the layer around it.
#include "layers/residual_block/residual_block_layer.h"

#include <map>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "framework/network/network_file.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

Json Recorded(const std::string& name) {
  const auto text = ReadFile(RunfilePath("layers/residual_block/testdata/torch.json"));
  LAMINA_CHECK(text.ok());
  const auto json = ParseJson(*text);
  LAMINA_CHECK(json.ok() && json->at("cases").contains(name));
  return json->at("cases").at(name);
}

DlArray ToArray(const Json& a, std::string_view format = "") {
  const std::vector<int64_t> sizes = a["sizes"];
  return DlArray::FromVector<double>(a["values"].get<std::vector<double>>(),
                                     Sizes(sizes.begin(), sizes.end()), format);
}

// Both compute in double, each sum in its own order: a few hundred roundings at most.
constexpr double kTolerance = 1e-12;

void ExpectNear(const DlArray& came, const Json& expected, const std::string& what) {
  const std::vector<double> values = expected["values"];
  ASSERT_EQ(came.numel(), static_cast<int64_t>(values.size())) << what;
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(came.At(static_cast<int64_t>(i)), values[i], kTolerance) << what << ", " << i;
  }
}

// Gives each parameter, by its path, the recorded value in the sizes that it has.
void SetParameters(const Json& recorded, AnyLayer& layer) {
  layer->VisitParameters("", [&](const ParameterRef& p) {
    const Json& all = recorded[p.kind == PropertyKind::kState ? "states" : "learnables"];
    const std::string path = p.layer + "/" + p.parameter;
    ASSERT_TRUE(all.contains(path)) << path;
    *p.value = Reshape(ToArray(all[path]), p.value->sizes());
  });
}

// The block of a recorded case, with its parameters.
template <class Block>
AnyLayer BlockOf(const Json& recorded) {
  AnyLayer layer = Block(recorded["filters"], {.stride = recorded["stride"],
                                               .include_skip_convolution = recorded["skip"]});
  layer.Initialize({NetworkDataLayout::Of(ToArray(recorded["x"], "SSCB"))});
  SetParameters(recorded, layer);
  return layer;
}

template <class Block>
void ExpectRecorded(const std::string& name) {
  const Json recorded = Recorded(name);
  const AnyLayer block = BlockOf<Block>(recorded);
  const DlArray input = ToArray(recorded["x"], "SSCB");
  const LayerResult predicted = block.Predict({input});
  EXPECT_EQ(Dims(predicted.outputs[0]), "SSCB");
  ExpectNear(predicted.outputs[0], recorded["predicted"], "predicted y");

  std::vector<std::string> paths;
  AnyLayer(block)->VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind == PropertyKind::kLearnable) paths.push_back(p.layer + "/" + p.parameter);
  });
  DlFeval(
      [&](const AnyLayer& watched, const DlArray& x) {
        DlArrays variables = {x};
        AnyLayer(watched).ForEachLearnable([&](DlArray& w) { variables.push_back(w); });
        const LayerResult trained = watched.Forward({x});
        ExpectNear(trained.outputs[0], recorded["trained"], "y in training");
        const DlArray loss = Sum(ToArray(recorded["g"], "SSCB") * trained.outputs[0]);
        const DlArrays gradients = DlGradient(loss, variables);
        ExpectNear(gradients[0], recorded["dx"], "dL/dx");
        ASSERT_EQ(gradients.size(), paths.size() + 1);
        ASSERT_EQ(recorded["gradients"].size(), paths.size());
        for (size_t i = 0; i < paths.size(); ++i) {
          ExpectNear(gradients[i + 1], recorded["gradients"][paths[i]], paths[i]);
        }
        // States, in the order of the recording's names: mean and variance, of each normalization.
        ASSERT_EQ(trained.states.size(), recorded["new_states"].size());
        AnyLayer after = watched;
        after.SetStates(trained.states);
        after->VisitParameters("", [&](const ParameterRef& p) {
          if (p.kind != PropertyKind::kState) return;
          const std::string path = p.layer + "/" + p.parameter;
          ExpectNear(*p.value, recorded["new_states"][path], path);
        });
      },
      block, input);
}

TEST(ResidualBlockLayerTest, IsPyTorchs) { ExpectRecorded<ResidualBlockLayer>("group"); }

TEST(ResidualBlockLayerTest, WithStrideAndSkipConvolutionIsPyTorchs) {
  ExpectRecorded<ResidualBlockLayer>("group strided");
}

TEST(BatchNormResidualBlockLayerTest, IsPyTorchs) {
  ExpectRecorded<BatchNormResidualBlockLayer>("batch");
}

TEST(BatchNormResidualBlockLayerTest, WithSkipConvolutionIsPyTorchs) {
  ExpectRecorded<BatchNormResidualBlockLayer>("batch wider");
}

TEST(BatchNormResidualBlockLayerTest, PredictionKeepsStates) {
  const Json recorded = Recorded("batch");
  AnyLayer block = BlockOf<BatchNormResidualBlockLayer>(recorded);
  EXPECT_EQ(block.NumStateArrays(), 4);
  const DlArrays states = block.Predict({ToArray(recorded["x"], "SSCB")}).states;
  ASSERT_EQ(states.size(), 4u);
  size_t i = 0;
  block->ForEachState([&](DlArray& s) { EXPECT_TRUE(IsEqual(s, states[i++])); });
}

// With zeros for the last scale and offset nothing is added: the block is a ReLU.
TEST(ResidualBlockLayerTest, LearnsWhatToAdd) {
  const Json recorded = Recorded("group");
  AnyLayer block = BlockOf<ResidualBlockLayer>(recorded);
  block->VisitParameters("", [](const ParameterRef& p) {
    if (p.layer == "Network/groupnormalization_2") *p.value = ZerosLike(*p.value);
  });
  const DlArray x = ToArray(recorded["x"], "SSCB");
  EXPECT_TRUE(IsEqual(block.Predict({x}).outputs[0], Relu(x)));
}

TEST(ResidualBlockLayerTest, FactorsAreSetByPath) {
  AnyLayer block = ResidualBlockLayer(4);
  block->SetLearnRateFactor("Network/convolution2d_2/Weights", 0.5);
  block->SetL2Factor("Network/groupnormalization/Scale", 0);
  const AnyLayer copy = block;
  EXPECT_EQ(copy->LearnRateFactor("Network/convolution2d_2/Weights"), 0.5);
  EXPECT_EQ(copy->LearnRateFactor("Network/convolution2d/Weights"), 1);
  EXPECT_EQ(copy->L2Factor("Network/groupnormalization/Scale"), 0);
}

TEST(ResidualBlockLayerTest, CopiesHaveNetworksOfTheirOwn) {
  const Json recorded = Recorded("group");
  const AnyLayer block = BlockOf<ResidualBlockLayer>(recorded);
  AnyLayer copy = block;
  copy.ForEachLearnable([](DlArray& w) { w = ZerosLike(w); });
  ExpectNear(block.Predict({ToArray(recorded["x"], "SSCB")}).outputs[0], recorded["predicted"],
             "y of the original");
}

TEST(ResidualBlockLayerTest, RefusesToAddArraysOfDifferentSizes) {
  const auto message_of = [](AnyLayer layer, const Sizes& sizes) {
    return MessageOf([&] { layer.Initialize({NetworkDataLayout(sizes, "SSCB")}); });
  };
  EXPECT_EQ(message_of(ResidualBlockLayer(8), {6, 6, 1, kUnknown}),
            "ResidualBlockLayer, Initialize: A residual block adds two "
            "arrays of one size. 6(S) x 6(S) x 1(C) x NaN(B) comes, its network makes "
            "6(S) x 6(S) x 8(C) x NaN(B) of it and the skip connection 6(S) x 6(S) x 1(C) x "
            "NaN(B). Set include_skip_convolution where filters or stride change the size. "
            "[residualBlock:SizeMismatch]");
  EXPECT_EQ(message_of(BatchNormResidualBlockLayer(4, {.stride = 2}), {7, 6, 4, 2}),
            "BatchNormResidualBlockLayer, Initialize: A residual block "
            "adds two arrays of one size. 7(S) x 6(S) x 4(C) x 2(B) comes, its network makes "
            "4(S) x 3(S) x 4(C) x 2(B) of it and the skip connection 7(S) x 6(S) x 4(C) x 2(B). "
            "Set include_skip_convolution where filters or stride change the size. "
            "[residualBlock:SizeMismatch]");
  EXPECT_THROW(ResidualBlockLayer(0), Error);
  EXPECT_THROW(ResidualBlockLayer(4, {.stride = 0}), Error);
  EXPECT_THROW(AnyLayer(ResidualBlockLayer()).Predict({Zeros({3, 3, 1, 1})}), Error);
}

TEST(ResidualBlockLayerTest, ComesBackFromAFile) {
  DlNetwork network({ImageInputLayer({6, 6, 1}),
                     ResidualBlockLayer(4, {.include_skip_convolution = true}),
                     BatchNormResidualBlockLayer(4)});
  network.SetLearnRateFactor("residualblock/Network/convolution2d/Weights", 0.25);
  network.Initialize();
  const std::string path = testing::TempDir() + "/residual_block.safetensors";
  ASSERT_TRUE(SaveNetwork(network, path).ok());
  const auto again = LoadNetwork<ResidualBlockLayer, BatchNormResidualBlockLayer>(path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(IsEqual(network, *again));
}

}  // namespace
}  // namespace lamina
