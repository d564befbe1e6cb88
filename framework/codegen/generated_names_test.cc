// What layers, parameters, inputs and networks are called cannot break generated code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/codegen/driver.h"
#include "framework/codegen/generate_code.h"
#include "framework/codegen/testing/agreement.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"

namespace lamina {
namespace {

using testing::ExpectAgreement;
using ::testing::HasSubstr;

const NetworkDataLayout kPlain({4, 2}, "CB");

TEST(GeneratedNamesTest, NamesOfLayersCannotBreakTheCode) {
  DlNetwork network({Named(TanhLayer(), "* if (x) { break; } \\"), Named(ReluLayer(), "double"),
                     Named(FullyConnectedLayer(2), "9 \u00e4\n"), Named(SigmoidLayer(), "expf")});
  network.Initialize(kPlain);
  ExpectAgreement(network, {kPlain}, 1, 8);
}

struct OddlyNamedLayer : Layer {
  Learnable ends{*this, "*/ 1 \\", Ones({4})};
  Learnable overlaps{*this, "/*/ 2", Ones({4})};
  DlArray Predict(const DlArray& x) const { return ends * x + overlaps; }
};

TEST(GeneratedNamesTest, NamesOfParametersCannotEndTheirComments) {
  DlNetwork network({Named(OddlyNamedLayer(), "a*")});
  network.Initialize(kPlain);
  ExpectAgreement(network, {kPlain}, 1, 2);
}

TEST(GeneratedNamesTest, NamesOfLayersDoNotHideFunctionsOfTheCode) {
  const NetworkDataLayout layout({20, 30}, "CB");
  for (const char* name : {"product_1", "product"}) {
    DlNetwork network({Named(FullyConnectedLayer(30), name), TanhLayer(),
                       Named(FullyConnectedLayer(40), "product_2")});
    network.Initialize(layout);
    EXPECT_NE(GenerateCode(network, {layout}).files[1].text.find("static void product_"),
              std::string::npos);
    ExpectAgreement(network, {layout}, 1, 50);
  }
}

TEST(GeneratedNamesTest, AnInputMayBeCalledObservations) {
  DlNetwork network;
  network.AddLayers({Named(AdditionLayer(2), "sum")});
  for (const char* name : {"observations", "others"}) {
    network.AddLayers({Named(FeatureInputLayer(4), name)});
    network.ConnectLayers(name, std::string("sum/in") + (name[1] == 'b' ? "1" : "2"));
  }
  network.Initialize();
  GeneratedCode code =
      GenerateCode(network, {kPlain, kPlain}, {.name = "net", .max_observations = 3});
  EXPECT_EQ(code.inputs[0].name, "observations_2");
  code.files.push_back({"main.c", R"(
#include "net.h"
static net_context context;
int main(void) {
  const float a[4] = {1, 2, 3, 4}, b[4] = {10, 20, 30, 40};
  float y[4];
  net_start(&context, &net_trained);
  return net_predict(&context, 1, a, b, y) == 0 && y[3] == 44 ? 0 : 1;
}
)"});
  const auto output = CompileAndRun(code.files, kStrictC, "");
  EXPECT_TRUE(output.ok()) << output.status();
}

struct ComplexLayer : Layer {
  DlArray Predict(const DlArray& x) const { return Complex(x, -x); }
};

TEST(GeneratedNamesTest, AHeaderOfCWithComplexNumbersTellsCppSo) {
  DlNetwork network({ComplexLayer()});
  network.Initialize(kPlain);
  const GeneratedCode code = GenerateCode(network, {kPlain}, {.name = "net"});
  const std::vector<SourceFile> files = {code.files[0],
                                         {"main.cc", "#include \"net.h\"\nint main() {}\n"}};
  EXPECT_THAT(CompileAndRun(files, kStrictCpp, "").status().ToString(),
              HasSubstr("generate this network as C++17"));
}

TEST(GeneratedNamesTest, NetworksMayDifferInCapitalsAlone) {
  const NetworkDataLayout layout({4, 1}, "CB");
  DlNetwork network({ReluLayer()});
  network.Initialize(layout);
  GeneratedCode code = GenerateCode(network, {layout}, {.name = "net"});
  for (const SourceFile& file : GenerateCode(network, {layout}, {.name = "Net"}).files) {
    code.files.push_back(file);
  }
  code.files.push_back({"main.c",
                        "#include \"net.h\"\n#include \"Net.h\"\n"
                        "int main(void) { return Net_input_size - net_input_size; }\n"});
  const auto output = CompileAndRun(code.files, kStrictC, "");
  EXPECT_TRUE(output.ok()) << output.status();
}

}  // namespace
}  // namespace lamina
