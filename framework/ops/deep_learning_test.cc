// What all deep-learning functions have in common: they tell types, sizes and labels without
// values, as a trace and a network's analysis need it, and their gradients do too.
#include <functional>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/activation.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/lstm.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/reduction.h"
#include "framework/ops/softmax.h"
#include "framework/ops/split.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Call {
  std::string name;
  std::function<DlArray(const DlArrays&)> f;
  DlArrays inputs;
};

std::vector<Call> Calls() {
  const DlArray image = RandomInput({6, 5, 4, 3}, "SSCB"), sequence = RandomInput({4, 3, 6}, "CBT");
  const DlArray channels = RandomInput({4}), features = RandomInput({4, 3}, "CB", 0.1, 0.9);
  const DlArray classes = DlArray::FromVector<int64_t>({0, 3, 1}, {3}, "B");
  using In = const DlArrays&;
  return {
      {"conv",
       [](In in) { return DlConv(in[0], in[1], in[2], {.stride = {2}, .padding = "same"}); },
       {image, RandomInput({3, 3, 4, 2}), RandomInput({2})}},
      {"conv over time",
       [](In in) { return DlConv(in[0], in[1], {}); },
       {sequence, RandomInput({3, 4, 2})}},
      {"transposed",
       [](In in) { return DlTranspConv(in[0], in[1], in[2], {.stride = {2}}); },
       {image, RandomInput({3, 3, 2, 4}), RandomInput({2})}},
      {"maxpool", [](In in) { return MaxPool(in[0], {.window = {2}}); }, {image}},
      {"avgpool", [](In in) { return AvgPool(in[0], {.global = true}); }, {sequence}},
      {"batchnorm",
       [](In in) { return BatchNorm(in[0], in[1], in[2]).y; },
       {image, channels, channels}},
      {"layernorm",
       [](In in) { return LayerNorm(in[0], in[1], in[2]); },
       {sequence, channels, channels}},
      {"groupnorm",
       [](In in) { return GroupNorm(in[0], 2, in[1], in[2]); },
       {image, channels, channels}},
      {"instancenorm",
       [](In in) { return InstanceNorm(in[0], in[1], in[2]); },
       {image, channels, channels}},
      {"softmax", [](In in) { return Softmax(in[0]); }, {sequence}},
      {"logsoftmax", [](In in) { return LogSoftmaxOver(in[0], "CT"); }, {sequence}},
      {"crossentropy", [](In in) { return CrossEntropy(in[0], in[1]); }, {features, features}},
      {"indexcrossentropy",
       [](In in) { return IndexCrossEntropy(in[0], in[1]); },
       {features, classes}},
      {"huber", [](In in) { return Huber(in[0], in[1]); }, {image, image * 2}},
      {"gelu", [](In in) { return Gelu(in[0]); }, {image}},
      {"split",
       [](In in) {
         return Split(in[0], 'T', {2, 4})[1];
       },
       {sequence}},
      {"lstm",
       [](In in) { return Lstm(in[0], {}, {}, in[1], in[2], in[3]).y; },
       {sequence, RandomInput({8, 4}), RandomInput({8, 2}), RandomInput({8})}},
  };
}

// The value and the derivatives with respect to the first input.
DlArrays Evaluate(const Call& call, const DlArrays& inputs) {
  return DlFeval(
      [&](const DlArrays& in) {
        const DlArray y = call.f(in);
        return DlArrays{y, DlGradient(Sum(y * y), in[0])};
      },
      inputs);
}

TEST(DeepLearningTest, SpecsAreKnownWithoutValues) {
  for (const Call& call : Calls()) {
    DlArrays abstract;
    for (const DlArray& x : call.inputs) abstract.push_back(AbstractArray(x.spec()));
    const DlArrays values = Evaluate(call, call.inputs);
    const AbstractRun run;
    const DlArrays specs = Evaluate(call, abstract);
    for (int i = 0; i < 2; ++i) {
      EXPECT_FALSE(specs[i].has_values()) << call.name;
      EXPECT_EQ(specs[i].spec(), values[i].spec()) << call.name;
    }
  }
}

}  // namespace
}  // namespace lamina
