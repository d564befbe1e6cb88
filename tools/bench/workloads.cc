#include "tools/bench/workloads.h"

#include <utility>

#include "framework/autodiff/dlgradient.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/network.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/trainnet/updates.h"

namespace lamina::bench {
namespace {

DlArray SRelu(const DlArrays& in) {
  const DlArray &x = in[0], &left_slope = in[1], &right_slope = in[2], &left = in[3],
                &right = in[4];
  return Where(x <= left, left + left_slope * (x - left),
               Where(x < right, x, right + right_slope * (x - right)));
}

std::function<void()> SReluGrad() {
  DlArrays in{Randn({24, 24, 20, 128})};
  for (int i = 0; i < 4; ++i) in.push_back(Rand({1, 1, 20}));
  const DlArray weights = Randn({24, 24, 20, 128});
  return [=] {
    DlFeval([&](const DlArrays& x) { return DlVectorJacobian(SRelu(x), weights, x); }, in);
  };
}

std::function<void()> Gemm1024() {
  const DlArray a = Randn({1024, 1024}), b = Randn({1024, 1024});
  return [=] { MatMul(a, b); };
}

std::function<void()> Conv6428Forward() {
  const DlArray x = Randn({28, 28, 64, 32}, DataType::kSingle, "SSCB");
  const DlArray weights = Randn({3, 3, 64, 64}), bias = Randn({64});
  return [=] { DlConv(x, weights, bias, {.padding = 1}); };
}

// One step of training: output, loss, gradients, Adam, new states.
std::function<void()> Train(DlNetwork net, DlArray (*loss)(const DlArray&, const DlArray&),
                            const DlArray& x, const DlArray& target) {
  net.Initialize(NetworkDataLayout::Of(x));
  return [=, adam = AdamState()]() mutable {
    auto [gradients, state] = DlFeval(
        [&](const DlNetwork& watched) {
          auto [y, new_state] = watched.ForwardWithState(x);
          return std::pair(DlGradient(loss(y, target), watched.LearnableValues()), new_state);
        },
        net);
    AdamUpdate(net, gradients, adam);
    net.SetState(state);
  };
}

std::function<void()> MnistCnnAdam() {
  const ConvolutionOptions same{.padding = "same"};
  const PoolingOptions half{.stride = {2, 2}};
  DlNetwork net({Convolution2dLayer({3, 3}, 8, same), BatchNormalizationLayer(), ReluLayer(),
                 MaxPooling2dLayer({2, 2}, half), Convolution2dLayer({3, 3}, 16, same),
                 BatchNormalizationLayer(), ReluLayer(), MaxPooling2dLayer({2, 2}, half),
                 Convolution2dLayer({3, 3}, 32, same), BatchNormalizationLayer(), ReluLayer(),
                 FullyConnectedLayer(10), SoftmaxLayer()});
  const DlArray classes = Cast(Floor(10 * Rand({1, 128})), DataType::kInt64);
  return Train(
      std::move(net), [](const DlArray& y, const DlArray& t) { return IndexCrossEntropy(y, t); },
      Randn({28, 28, 1, 128}, DataType::kSingle, "SSCB"), DlArray(classes, "CB"));
}

std::function<void()> MlpTinyAdam() {
  return Train(
      DlNetwork({FullyConnectedLayer(32), ReluLayer(), FullyConnectedLayer(1)}),
      [](const DlArray& y, const DlArray& t) { return Mse(y, t); },
      Randn({16, 8}, DataType::kSingle, "CB"), Randn({1, 8}, DataType::kSingle, "CB"));
}

}  // namespace

const std::vector<Workload>& Workloads() {
  static const auto* const kWorkloads = new std::vector<Workload>{
      {"srelu_grad", SReluGrad},           {"mnist_cnn_adam", MnistCnnAdam},
      {"mlp_tiny_adam", MlpTinyAdam},      {"gemm_1024", Gemm1024},
      {"conv_64_28_fwd", Conv6428Forward},
  };
  return *kWorkloads;
}

}  // namespace lamina::bench
