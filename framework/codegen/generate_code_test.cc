// Generated code compiles without a warning, computes what the framework computes, and keeps what
// its header promises.
#include "framework/codegen/generate_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "framework/codegen/driver.h"
#include "framework/codegen/testing/agreement.h"
#include "framework/emit/program.h"
#include "framework/io/file.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/nested_network.h"
#include "framework/ops/activation.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using testing::Data;
using testing::Difference;
using testing::ExpectAgreement;

constexpr char kSanitized[] =
    "-std=c99 -Wall -Wextra -Werror -pedantic -O1 -g -fsanitize=address,undefined "
    "-fno-sanitize-recover=all";

DlNetwork ConvolutionalNetwork() {
  Rng(1);
  DlNetwork network({ImageInputLayer({12, 12, 2}, {.normalization = "none"}),
                     Convolution2dLayer(3, 8, {.padding = "same"}), BatchNormalizationLayer(),
                     ReluLayer(), MaxPooling2dLayer(2, {.stride = {2}}),
                     Convolution2dLayer(3, 8, {.stride = {2}}), GeluLayer(),
                     GlobalAveragePooling2dLayer(), DropoutLayer(0.5), FullyConnectedLayer(5),
                     SoftmaxLayer()});
  network.Initialize();
  return network;
}

TEST(GenerateCodeTest, AConvolutionalNetworkAgrees) {
  ExpectAgreement(ConvolutionalNetwork(), {NetworkDataLayout({12, 12, 2, 3}, "SSCB")}, 2, 150);
}

TEST(GenerateCodeTest, AConvolutionalNetworkAgreesUnderSanitizers) {
  ExpectAgreement(ConvolutionalNetwork(), {NetworkDataLayout({12, 12, 2, 1}, "SSCB")}, 2, 150,
                  kSanitized);
}

DlNetwork RecurrentNetwork(const char* output_mode) {
  Rng(2);
  DlNetwork network({SequenceInputLayer(3), LstmLayer(6, {.output_mode = output_mode}),
                     FullyConnectedLayer(4), TanhLayer()});
  network.Initialize({NetworkDataLayout({3, 2, 5}, "CBT")});
  return network;
}

TEST(GenerateCodeTest, ARecurrentNetworkCarriesItsStates) {
  for (const char* mode : {"sequence", "last"}) {
    ExpectAgreement(RecurrentNetwork(mode), {NetworkDataLayout({3, 2, 5}, "CBT")}, 3, 60);
  }
  ExpectAgreement(RecurrentNetwork("sequence"), {NetworkDataLayout({3, 1, 1}, "CBT")}, 4, 60,
                  kSanitized);
}

TEST(GenerateCodeTest, ResetSetsTheStatesBack) {
  DlNetwork network = RecurrentNetwork("sequence");
  const NetworkDataLayout layout({3, 2, 4}, "CBT");
  const DlArrays x{Data(layout)};
  // The network has seen something when it is generated: start takes the states it has then.
  network.SetState(network.PredictAll(x).state);
  const CodegenOptions options{.name = "lstm"};
  const GeneratedCode code = GenerateCode(network, {layout}, options);
  ASSERT_EQ(code.states.size(), 2u);
  const auto ran = RunGenerated(code, options, {x, x}, kStrictC, /*reset_before=*/1);
  ASSERT_TRUE(ran.ok()) << ran.status();
  EXPECT_LE(Difference((*ran)[0].outputs[0], network.PredictAll(x).outputs[0]), 1e-5);
  network.ResetState();
  EXPECT_LE(Difference((*ran)[1].outputs[0], network.PredictAll(x).outputs[0]), 1e-5);
  EXPECT_GT(Difference((*ran)[0].outputs[0], (*ran)[1].outputs[0]), 1e-3);
}

TEST(GenerateCodeTest, TheBuiltInLayersAgree) {
  const NetworkDataLayout image({6, 6, 4, 2}, "SSCB"), sequence({4, 2, 6}, "CBT"),
      volume({4, 4, 4, 2, 2}, "SSSCB");
  struct Row {
    AnyLayer layer;
    std::vector<NetworkDataLayout> layouts;
  };
  Rng(3);
  const std::vector<Row> rows = {
      {Convolution1dLayer(3, 2, {.padding = "causal"}), {sequence}},
      {Convolution3dLayer(2, 2), {volume}},
      {LeakyReluLayer(), {image}},
      {ClippedReluLayer(0.5), {image}},
      {EluLayer(), {image}},
      {PReluLayer(), {image}},
      {SoftplusLayer(), {image}},
      {SwishLayer(), {image}},
      {SigmoidLayer(), {image}},
      {LayerNormalizationLayer(), {image}},
      {GroupNormalizationLayer(2), {image}},
      {InstanceNormalizationLayer(), {image}},
      {AveragePooling2dLayer(2), {image}},
      {MaxPooling3dLayer(2), {volume}},
      {GlobalMaxPooling2dLayer(), {image}},
      {FlattenLayer(), {image}},
      {IdentityLayer(), {image}},
      {AdditionLayer(2), {image, image}},
      {MultiplicationLayer(2), {image, image}},
      {ConcatenationLayer(1, 2), {image, image}},
      {DepthConcatenationLayer(2), {image, image}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.layer->Type());
    DlNetwork network({row.layer});
    network.Initialize(row.layouts);
    ExpectAgreement(network, row.layouts, 1, 150);
  }
}

TEST(GenerateCodeTest, SeveralInputsAndOutputsKeepTheirNames) {
  DlNetwork network;
  network.AddLayers({Named(AdditionLayer(2), "add"), Named(ReluLayer(), "relu")});
  network.AddLayers({Named(TanhLayer(), "tanh")});
  network.ConnectLayers("add", "tanh");
  const NetworkDataLayout layout({3, 2}, "CB");
  network.Initialize({layout, layout});
  const GeneratedCode code = GenerateCode(network, {layout, layout}, {.name = "two"});
  ASSERT_EQ(code.outputs.size(), 2u);
  EXPECT_EQ(code.inputs[0].name, "add_in1");
  EXPECT_EQ(code.outputs[0].name, "relu");
  EXPECT_EQ(code.outputs[1].name, "tanh_2");  // tanh is a function of the C library.
  ExpectAgreement(network, {layout, layout}, 1, 4);
}

TEST(GenerateCodeTest, OtherParametersAreReadFromAFile) {
  DlNetwork network = ConvolutionalNetwork(), trained_further = network;
  trained_further.ForEachLearnable([](DlArray& w) { w = w * 1.5; });
  const NetworkDataLayout layout({12, 12, 2, 1}, "SSCB");
  const CodegenOptions options{.name = "net"};
  GeneratedCode code = GenerateCode(network, {layout}, options);
  const std::string path =
      (std::filesystem::path(std::getenv("TEST_TMPDIR")) / "net.weights").string();
  ASSERT_TRUE(
      WriteFileAtomically(path, WeightsFile(trained_further, std::vector{layout}, options)).ok());
  const std::string other =
      (std::filesystem::path(std::getenv("TEST_TMPDIR")) / "other.weights").string();
  ASSERT_TRUE(WriteFileAtomically(other, std::string(10000, 'x')).ok());
  // Cut off, and with something behind it.
  const std::string whole = WeightsFile(trained_further, std::vector{layout}, options);
  const std::string cut = path + ".cut", longer = path + ".longer";
  ASSERT_TRUE(WriteFileAtomically(cut, whole.substr(0, whole.size() - 5)).ok());
  ASSERT_TRUE(WriteFileAtomically(longer, whole + "x").ok());
  code.files.push_back({"main.c", R"(
#include <stdio.h>
#include <string.h>
#include "net.h"
static net_context context;
static net_parameters parameters;
static float x[net_input_size], y[net_output_size];
int main(int argc, char **argv) {
  (void)argc;
  (void)argv;
  if (net_read_parameters(&parameters, "/nowhere/at/all") != 1) return 11;
  if (net_read_parameters(&parameters, ")" +
                                      other + R"(") != 2) return 12;
  parameters = net_trained;
  if (net_read_parameters(&parameters, ")" +
                                      cut + R"(") != 2) return 15;
  if (net_read_parameters(&parameters, ")" +
                                      longer + R"(") != 2) return 16;
  if (memcmp(&parameters, &net_trained, sizeof parameters) != 0) return 17;
  if (net_read_parameters(&parameters, ")" +
                                      path + R"(") != 0) return 13;
  if (fread(x, sizeof x, 1, stdin) != 1) return 14;
  net_start(&context, &parameters);
  net_predict(&context, x, y);
  fwrite(y, sizeof y, 1, stdout);
  return 0;
}
)"});
  const DlArray x = Data(layout);
  const auto output = CompileAndRun(
      code.files, kStrictC,
      std::string(static_cast<const char*>(x.data()->bytes()), x.numel() * sizeof(float)));
  ASSERT_TRUE(output.ok()) << output.status();
  const DlArray expected = trained_further.Predict(x);
  ASSERT_EQ(output->size(), expected.numel() * sizeof(float));
  const DlArray y = DlArray::FromBytes(DataType::kSingle, output->data(), expected.numel(),
                                       expected.sizes(), expected.format().str());
  EXPECT_LE(Difference(y, expected), 1e-5);
  EXPECT_GT(Difference(network.Predict(x), expected), 1e-3);
}

TEST(GenerateCodeTest, TheNumberOfObservationsMayVaryUpToABound) {
  DlNetwork network = ConvolutionalNetwork();
  const NetworkDataLayout layout({12, 12, 2, kUnknown}, "SSCB");
  GeneratedCode code = GenerateCode(network, {layout}, {.name = "net", .max_observations = 4});
  code.files.push_back({"main.c", R"(
#include <stdio.h>
#include "net.h"
static net_context context;
static float x[net_input_size], y[net_output_size];
int main(void) {
  int n;
  net_start(&context, &net_trained);
  if (net_predict(&context, 0, x, y) != 1 || net_predict(&context, 5, x, y) != 1) return 2;
  for (n = 1; n <= 4; ++n) {
    if (fread(x, sizeof *x * net_input_size / 4, (size_t)n, stdin) != (size_t)n) return 3;
    if (net_predict(&context, n, x, y) != 0) return 4;
    fwrite(y, sizeof *y * net_output_size / 4, (size_t)n, stdout);
  }
  return 0;
}
)"});
  std::string input;
  std::vector<DlArray> batches;
  for (int64_t n = 1; n <= 4; ++n) {
    batches.push_back(Data(NetworkDataLayout({12, 12, 2, n}, "SSCB")));
    input.append(static_cast<const char*>(batches.back().data()->bytes()),
                 batches.back().numel() * sizeof(float));
  }
  const auto output = CompileAndRun(code.files, kSanitized, input);
  ASSERT_TRUE(output.ok()) << output.status();
  size_t at = 0;
  for (const DlArray& x : batches) {
    const DlArray expected = network.Predict(x);
    ASSERT_LE(at + expected.numel() * sizeof(float), output->size());
    const DlArray y = DlArray::FromBytes(DataType::kSingle, output->data() + at, expected.numel(),
                                         expected.sizes(), expected.format().str());
    EXPECT_LE(Difference(y, expected), 1e-5) << code.files[1].text;
    at += expected.numel() * sizeof(float);
  }
}

// Whether a product is small enough to be a loop must not depend on the number.
TEST(GenerateCodeTest, SmallProductsDoNotDependOnTheNumberOfObservations) {
  for (const int64_t most : {1, 2, 4, 9}) {
    for (const int outputs : {2, 4, 10}) {
      DlNetwork network({FullyConnectedLayer(outputs)});
      network.Initialize(NetworkDataLayout({3, 2}, "CB"));
      EXPECT_NO_THROW(GenerateCode(network, {NetworkDataLayout({3, kUnknown}, "CB")},
                                   {.max_observations = most}))
          << most << ", " << outputs;
    }
  }
}

struct NotFiniteLayer : Layer, Formattable {
  Learnable a{*this, "A", DlArray::FromVector<float>({NAN, INFINITY, -INFINITY, 1}, {4, 1})};
  DlArray Predict(const DlArray& x) const { return x + DlArray(a, "CU"); }
};

TEST(GenerateCodeTest, ParametersNeedNotBeFinite) {
  const NetworkDataLayout layout({4, 1}, "CB");
  DlNetwork network({NotFiniteLayer()});
  network.Initialize(layout);
  const CodegenOptions options{.name = "net"};
  const auto ran = RunGenerated(GenerateCode(network, {layout}, options), options,
                                {{Zeros({4, 1}, DataType::kSingle, "CB")}}, kStrictC);
  ASSERT_TRUE(ran.ok()) << ran.status();
  const DlArray& y = (*ran)[0].outputs[0];
  EXPECT_TRUE(std::isnan(y.At(0)));
  EXPECT_EQ(y.At(1), INFINITY);
  EXPECT_EQ(y.At(2), -INFINITY);
  EXPECT_EQ(y.At(3), 1);
}

TEST(GenerateCodeTest, RefusesANetworkWithoutLayers) {
  try {
    GenerateCode(DlNetwork(), {});
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "codegen:NoOutputs");
  }
}

using ::testing::HasSubstr;
const NetworkDataLayout kPlain({4, 2}, "CB");

template <class T>
std::string Refusal(T layer, const NetworkDataLayout& layout = kPlain,
                    const CodegenOptions& options = {}) {
  DlNetwork network({Named(std::move(layer), "mine")});
  network.Initialize(NetworkDataLayout({4, 2}, "CB"));
  try {
    GenerateCode(network, {layout}, options);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

struct BatchMeanLayer : Layer, Formattable, JoinsObservations {
  DlArray Predict(const DlArray& x) const { return x - Mean(x, "B"); }
};

TEST(GenerateCodeTest, AVaryingNumberOfObservationsNeedsCodeThatIsTheSameForAny) {
  const CodegenOptions options{.max_observations = 8};
  EXPECT_EQ(Refusal(BatchMeanLayer(), kPlain, options),
            "Code for a number of observations that varies is the same for any number. The code of "
            "this step is not: mine: divide -> 4(C) x 1(B). Does it join observations? Generate "
            "it for a fixed number: leave max_observations out. [codegen:Observations]");
  EXPECT_EQ(Refusal(ReluLayer(), NetworkDataLayout({4}, "C"), options),
            "Code for a number of observations that varies is the same for any number. The layout "
            "4(C) has no dim of them. Label it B. [codegen:Observations]");
}

TEST(GenerateCodeTest, TwoContextsRunSideBySide) {
  const NetworkDataLayout layout({3, 1, 1}, "CBT");
  DlNetwork network = RecurrentNetwork("last");
  GeneratedCode code = GenerateCode(network, {layout}, {.name = "net"});
  code.files.push_back({"main.c", R"(
#include <stdio.h>
#include "net.h"
static net_context first, second;
int main(void) {
  const float a[3] = {1, 2, 3}, b[3] = {-1, 0, 1};
  float once[4], ya[4], yb[4];
  int i;
  net_start(&first, &net_trained);
  net_predict(&first, a, once);
  net_predict(&first, a, once);
  net_start(&first, &net_trained);
  net_start(&second, &net_trained);
  for (i = 0; i < 2; ++i) {
    net_predict(&first, a, ya);
    net_predict(&second, b, yb);
  }
  for (i = 0; i < 4; ++i) {
    if (ya[i] != once[i] || yb[i] == once[i]) return 1;
  }
  return 0;
}
)"});
  const auto output = CompileAndRun(code.files, kStrictC, "");
  EXPECT_TRUE(output.ok()) << output.status();
}

TEST(GenerateCodeTest, NothingIsAllocatedAndNothingIsKeptOutsideOfTheContext) {
  const GeneratedCode code =
      GenerateCode(RecurrentNetwork("last"), {NetworkDataLayout({3, 2, 5}, "CBT")});
  const std::string& source = code.files[1].text;
  EXPECT_THAT(source, ::testing::Not(::testing::HasSubstr("malloc")));
  // All that is static is const, or a function.
  for (size_t at = source.find("static "); at != std::string::npos;
       at = source.find("static ", at + 1)) {
    const std::string line = source.substr(at, source.find('\n', at) - at);
    EXPECT_TRUE(line.rfind("static const ", 0) == 0 || line.find('(') != std::string::npos) << line;
  }
}

TEST(GenerateCodeTest, ArraysThatDoNotLiveAtTheSameTimeShareMemory) {
  std::vector<AnyLayer> layers;
  for (int i = 0; i < 10; ++i) layers.push_back(FullyConnectedLayer(50));
  DlNetwork network(std::move(layers));
  const NetworkDataLayout layout({50, 1}, "CB");
  network.Initialize(layout);
  const GeneratedCode code = GenerateCode(network, {layout});
  // Three arrays at most: what is read, the product, and the sum with the bias.
  EXPECT_LE(code.context_bytes, 3 * 50 * 4);
  EXPECT_EQ(code.parameter_bytes, 10 * (50 * 50 + 50) * 4);
}

struct BranchLayer : Layer {
  DlArray Predict(const DlArray& x) const { return x.At(0) > 0 ? x : -x; }
};
struct NoiseLayer : Layer {
  DlArray Predict(const DlArray& x) const { return x + RandLike(x); }
};
struct GrowingStateLayer : Layer {
  State seen{*this, "Seen", DlArray::FromVector<float>({0}, {1})};
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    return {x, Cat(0, DlArrays{seen, DlArray::FromVector<float>({1}, {1})})};
  }
};

TEST(GenerateCodeTest, RefusesWhatCannotBeGenerated) {
  EXPECT_THAT(Refusal(BranchLayer()),
              HasSubstr("A layer that is generated computes with array functions alone, whatever "
                        "the values. A value was read while the code was generated: "));
  EXPECT_EQ(
      Refusal(NoiseLayer()),
      "Every op of generated code has a printed form. The op rand of layer \"mine\" has none. "
      "It draws random numbers: use it in training (Forward) only. [emit:CannotPrint]");
  EXPECT_EQ(Refusal(GrowingStateLayer()),
            "A state keeps its size from call to call. A state is of another size after each call. "
            "Return each new state in the size of the old one. [codegen:StateSize]");
  EXPECT_EQ(Refusal(ReluLayer(), NetworkDataLayout({4, kUnknown}, "CB")),
            "Code is generated for sizes that are known. The layout 4(C) x NaN(B) came. Give the "
            "sizes that the code is meant for; NaN stands for an unknown one. "
            "[codegen:UnknownSize]");
  for (const char* name : {"", "9lives", "a b", "double", "a-b"}) {
    EXPECT_EQ(Refusal(ReluLayer(), kPlain, {.name = name}),
              std::string("The name of generated code is a C identifier, and no word that C, C++ "
                          "or their libraries use. \"") +
                  name + "\" came. Use letters, digits and underscores. [codegen:InvalidName]");
  }
  EXPECT_EQ(Refusal(ReluLayer(), kPlain, {.type = DataType::kInt32}),
            "The data of generated code are single or double. The type int32 came. Parameters keep "
            "the types that they have. [codegen:InvalidType]");
  EXPECT_EQ(Refusal(ReluLayer(), kPlain, {.max_observations = -1}),
            "max_observations is the largest number of observations, or 0 for the number that the "
            "layouts have. -1 came. [codegen:Observations]");
  try {
    GenerateCode(DlNetwork({FullyConnectedLayer(3)}), {kPlain});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "Code is generated from a network with all its values. This network is not "
                 "initialised. Call Initialize, or train it first. [codegen:NotInitialized]");
  }
}

struct WholeNumbersLayer : Layer {
  Learnable numbers{*this, "Numbers",
                    DlArray::FromVector<int64_t>({INT64_MIN, INT64_MAX, -1, 0}, {4})};
  DlArray Predict(const DlArray& x) const { return x + Cast(numbers, x.type()); }
};

TEST(GenerateCodeTest, WholeNumbersMayBeTheLeastAndTheGreatest) {
  DlNetwork network({WholeNumbersLayer()});
  network.Initialize(kPlain);
  ExpectAgreement(network, {kPlain}, 1, 0);
}

}  // namespace
}  // namespace lamina
