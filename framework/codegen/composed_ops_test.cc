// Generated code of networks whose layers use ops without a printed form: these are printed as what
// they are composed of.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/codegen/driver.h"
#include "framework/codegen/generate_code.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/network.h"
#include "framework/ops/attention.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/spectral.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

// Damps the high frequencies of each image.
struct FilterLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const {
    const DlArray spectrum = Fft(x, "S");
    return Real(Ifft(spectrum / (1 + Abs(spectrum)), "S"));
  }
};

struct SelfAttentionLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const {
    const int64_t c = Size(x, 'C') / 3;
    const DlArrays qkv = Split(x, 'C', {c, c, c});
    return Attention(qkv[0], qkv[1], qkv[2], 2, {.causal = true});
  }
};

// What it gives is a derivative: that of the sum of squares of an attention.
struct AttentionSlopeLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const {
    return DlFeval(
        [](const DlArray& w) {
          return DlGradient(Sum(Square(Attention(w, w * 2, w + 1, 2, {.causal = true}))), w);
        },
        x);
  }
};

// The greatest difference of the generated code from the framework, in parts of the greatest value.
double ErrorOf(const DlNetwork& network, const NetworkDataLayout& layout,
               const CodegenOptions& options, const std::string& flags) {
  const DlArray x = Rand(layout.sizes(), DataType::kSingle, layout.format().str()) * 2 - 1;
  const GeneratedCode code = GenerateCode(network, {layout}, options);
  const auto ran = RunGenerated(code, options, {{x}}, flags);
  if (!ran.ok()) {
    ADD_FAILURE() << ran.status();
    return INFINITY;
  }
  const DlArray &y = (*ran)[0].outputs[0], expected = network.Predict(x);
  EXPECT_EQ(y.spec(), expected.spec());
  double difference = 0, largest = 0;
  for (int64_t i = 0; i < expected.numel(); ++i) {
    const double d = std::abs(y.At(i) - expected.At(i));
    difference = std::isnan(d) ? INFINITY : std::max(difference, d);
    largest = std::max(largest, std::abs(expected.At(i)));
  }
  EXPECT_GT(largest, 0);
  return difference / largest;
}

template <class T>
DlNetwork NetworkOf(T layer, const NetworkDataLayout& layout) {
  Rng(4);
  DlNetwork network({FullyConnectedLayer(12), std::move(layer)});
  network.Initialize(layout);
  return network;
}

const NetworkDataLayout kSequence({5, 3, 7}, "CBT");

TEST(ComposedOpsTest, FourierTransforms) {
  // Lengths of one product and of two, primes, and one by Bluestein's algorithm.
  for (const NetworkDataLayout& layout :
       {NetworkDataLayout({8, 9, 2, 3}, "SSCB"), NetworkDataLayout({40, 101, 1, 2}, "SSCB")}) {
    DlNetwork network({FilterLayer()});
    network.Initialize(layout);
    for (const Language language : {Language::kC99, Language::kCpp17}) {
      EXPECT_LE(ErrorOf(network, layout, {.name = "tried", .language = language},
                        language == Language::kC99 ? kStrictC : kStrictCpp),
                2e-5);
    }
  }
}

TEST(ComposedOpsTest, AttentionAndItsDerivative) {
  const CodegenOptions options{.name = "tried"};
  EXPECT_LE(ErrorOf(NetworkOf(SelfAttentionLayer(), kSequence), kSequence, options, kStrictC),
            2e-6);
  EXPECT_LE(ErrorOf(NetworkOf(AttentionSlopeLayer(), kSequence), kSequence, options, kStrictC),
            2e-5);
}

// The loops say which layer they belong to.
TEST(ComposedOpsTest, CommentsNameTheLayer) {
  DlNetwork network(
      {Named(ReluLayer(), "first"), Named(FilterLayer(), "filter"), Named(TanhLayer(), "last")});
  const NetworkDataLayout layout({6, 1, 2}, "SCB");
  network.Initialize(layout);
  const std::string source = GenerateCode(network, {layout}).files[1].text;
  EXPECT_THAT(source, testing::ContainsRegex("filter: [a-z, ]*matmul"));
  EXPECT_THAT(source, testing::ContainsRegex("last: tanh"));
}

TEST(ComposedOpsTest, ADevicesCodeHasAttentionToo) {
  const GeneratedCode code = GenerateCode(NetworkOf(AttentionSlopeLayer(), kSequence), {kSequence},
                                          {.name = "tried", .language = Language::kCuda});
  EXPECT_THAT(code.files[1].text, testing::HasSubstr("__global__"));
}

}  // namespace
}  // namespace lamina
