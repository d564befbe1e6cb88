#include "framework/network/network_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <random>

#include "framework/io/file.h"
#include "framework/io/safetensors.h"
#include "framework/network/nested_network.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"

namespace lamina {
namespace {

// A layer of a user's own, with a setting of each kind, a state and a nested network.
struct OwnLayer : Layer, Formattable {
  Property<bool> flag{*this, "Flag", true};
  Property<int64_t> count{*this, "Count", 3};
  Property<double> limit{*this, "Limit", std::numeric_limits<double>::infinity()};
  Property<std::string> mode{*this, "Mode", "a \"quoted\" word"};
  Property<Sizes> sizes{*this, "Sizes", Sizes{1, 2, 3}};
  Property<std::vector<double>> numbers{*this, "Numbers", {0.1, -0.0, 1e300}};
  Learnable scale{*this, "Scale"};
  State calls{*this, "Calls", DlArray(0.0)};
  LearnableNetwork network{*this, "Network"};

  OwnLayer() { network = DlNetwork({FullyConnectedLayer(4), ReluLayer()}); }
  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Rand({4}, DataType::kSingle, "C");
    network.Initialize(layout);
  }
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    return {network.Predict(x) * scale, calls + 1};
  }
};

DlNetwork MakeNetwork() {
  Rng(5);
  DlNetwork net({ImageInputLayer({8, 8, 1}), Convolution2dLayer({3, 3}, 4, {.padding = "same"}),
                 BatchNormalizationLayer(), ReluLayer(), MaxPooling2dLayer({2, 2}),
                 Named(OwnLayer(), "own"), FullyConnectedLayer(3), SoftmaxLayer()});
  net.Initialize();
  net.SetLearnRateFactor("own/Network/fullyconnected/Weights", 0.25);
  net.SetL2Factor("own/Scale", 0);
  return net;
}

std::string Path(const std::string& name) {
  return std::string(std::getenv("TEST_TMPDIR")) + "/" + name;
}

TEST(NetworkFileTest, ReadsBackEqualAndPredictsTheSameBits) {
  const DlNetwork net = MakeNetwork();
  const std::string path = Path("net.safetensors");
  ASSERT_TRUE(SaveNetwork(net, path).ok());
  const absl::StatusOr<DlNetwork> read = LoadNetwork<OwnLayer>(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(IsEqual(net, *read));
  EXPECT_EQ(read->LearnRateFactor("own/Network/fullyconnected/Weights"), 0.25);
  EXPECT_EQ(read->L2Factor("own/Scale"), 0);
  EXPECT_EQ(read->InputLayouts(), net.InputLayouts());
  const DlArray x = Rand({8, 8, 1, 5}, DataType::kSingle, "SSCB");
  EXPECT_TRUE(IsEqual(net.Predict(x), read->Predict(x)));
}

TEST(NetworkFileTest, NamesTheClassThatItDoesNotKnow) {
  const std::string path = Path("own.safetensors");
  ASSERT_TRUE(SaveNetwork(MakeNetwork(), path).ok());
  EXPECT_EQ(LoadNetwork<>(path).status().message(),
            path +
                ": it has a layer of the class OwnLayer, which is not known here: name it, "
                "LoadNetwork<OwnLayer>(path), and include its header");
}

TEST(NetworkFileTest, RefusesAFunctionLayer) {
  const DlNetwork net({Named(FunctionLayer([](const DlArray& x) { return 2 * x; }), "twice")});
  const std::string path = Path("function.safetensors");
  EXPECT_EQ(SaveNetwork(net, path).message(),
            path +
                ": layer \"twice\" is a function layer, and a function cannot be written to a "
                "file; define a layer class with the same Predict instead");
  // Also inside a layer, and with learnables of its own.
  OwnLayer own;
  own.network =
      DlNetwork({Named(FunctionLayer([](const DlArray& x, const DlArray& gain) { return gain * x; },
                                     {.learnables = {{"Gain", DlArray(2.0)}}}),
                       "inner")});
  EXPECT_EQ(SaveNetwork(DlNetwork({own}), path).message(),
            path +
                ": layer \"inner\" is a function layer, and a function cannot be written to a "
                "file; define a layer class with the same Predict instead");
}

TEST(NetworkFileTest, RefusesWhatIsNoModelFile) {
  EXPECT_EQ(LoadNetwork<>(Path("absent.safetensors")).status().code(), absl::StatusCode::kNotFound);
  const std::string path = Path("arrays.safetensors");
  const float one[] = {1};
  ASSERT_TRUE(WriteSafetensors(path, {{"w", DataType::kSingle, {1}, BytesOf(one)}}).ok());
  EXPECT_EQ(LoadNetwork<>(path).status().message(),
            path +
                ": it holds arrays but no description of a network: SaveNetwork did not write "
                "it");
}

// Every cut and thousands of changed bytes end in an error or in a network, never worse.
TEST(NetworkFileTest, SurvivesCorruptFiles) {
  const std::string path = Path("whole.safetensors"), broken = Path("broken.safetensors");
  const DlNetwork net = MakeNetwork();
  ASSERT_TRUE(SaveNetwork(net, path).ok());
  const std::string bytes = *ReadFile(path);
  std::mt19937 random(1);
  int errors = 0, trials = 0;
  const auto attempt = [&](const std::string& contents) {
    ASSERT_TRUE(WriteFileAtomically(broken, contents).ok());
    ++trials;
    const absl::StatusOr<DlNetwork> read = LoadNetwork<OwnLayer>(broken);
    if (!read.ok()) {
      ++errors;
      EXPECT_NE(read.status().message().find(broken), std::string::npos);
    }
  };
  for (size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 400) {
    attempt(bytes.substr(0, length));
  }
  EXPECT_EQ(errors, trials);  // A cut file is never whole.
  // Most of the description stands at the beginning.
  const uint32_t header = static_cast<uint32_t>(std::min<size_t>(bytes.size(), 6000));
  for (int i = 0; i < 1500; ++i) {
    std::string changed = bytes;
    changed[random() % header] ^= static_cast<char>(1 + random() % 255);
    attempt(changed);
  }
  EXPECT_GT(errors, trials / 2);
}

}  // namespace
}  // namespace lamina
