#include <iterator>
#include <utility>

#include "framework/autodiff/dlgradient.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/random.h"
#include "framework/trainnet/updates.h"
#include "tools/bench/families.h"

namespace lamina::bench {
namespace {

using Loss = DlArray (*)(const DlArray& y, const DlArray& target);

void Append(DlArrays& list, std::span<const DlArray> more) {
  list.insert(list.end(), more.begin(), more.end());
}

DlNetwork Initialized(DlNetwork net, const NetworkDataLayout& layout, DataType type) {
  net.Initialize(layout);
  net.ForEachLearnable([&](DlArray& w) { w = Cast(w, type); });
  net.ForEachState([&](DlArray& s) { s = Cast(s, type); });
  return net;
}

// One step of training: output, loss, gradients, Adam, new states. Inputs: rates, x, target,
// parameters.., averages.., averages of squares.., states... Outputs: the same from the parameters
// on, then the loss.
DlArrays TrainingStep(const DlNetwork& net, Loss loss_function, const DlArrays& in,
                      size_t num_parameters) {
  const size_t n = num_parameters;
  const auto from = in.begin() + 3;
  DlArrays parameters(from, from + n);
  AdamState adam{.average_gradient{from + n, from + 2 * n},
                 .average_squared_gradient{from + 2 * n, from + 3 * n}};
  auto [loss, gradients, states] = DlFeval(
      [&](const DlArrays& watched) {
        DlNetwork model = WithLearnables(net, watched);
        model.SetState(NetworkState(DlArrays(from + 3 * n, in.end())));
        const auto [y, state] = model.ForwardWithState(in[1]);
        const DlArray value = loss_function(y, in[2]);
        return std::tuple(value, DlGradient(value, watched), state.values());
      },
      parameters);
  AdamUpdate(parameters, gradients, adam, in[0]);
  DlArrays out = std::move(parameters);
  Append(out, adam.average_gradient);
  Append(out, adam.average_squared_gradient);
  Append(out, states);
  out.push_back(loss);
  return out;
}

Work Training(const DlNetwork& net, Loss loss, const DlArray& x, const DlArray& target) {
  const DlArrays parameters = net.LearnableValues();
  DlArrays in{AdamRates({}, 1), x, target};
  Append(in, parameters);
  for (int average = 0; average < 2; ++average) {
    for (const DlArray& w : parameters) in.push_back(ZerosLike(w));
  }
  Append(in, net.State().values());
  const size_t carried = in.size() - 3;
  const auto step = [=, n = parameters.size()](const DlArrays& arrays) {
    return TrainingStep(net, loss, arrays, n);
  };
  const auto rates = [](int64_t iteration) { return AdamRates({}, iteration); };
  return {.inputs = std::move(in), .function = step, .carried = carried, .rates = rates};
}

DlArray Classes(int64_t observations) {
  return DlArray(Cast(Floor(10 * Rand({1, observations})), DataType::kInt64), "CB");
}

DlArray CrossEntropyOfClasses(const DlArray& y, const DlArray& classes) {
  return IndexCrossEntropy(y, classes);
}

}  // namespace

DlNetwork MnistNetwork(DataType type) {
  const ConvolutionOptions same{.padding = "same"};
  const PoolingOptions half{.stride = {2, 2}};
  const DlNetwork net({Convolution2dLayer({3, 3}, 8, same), BatchNormalizationLayer(), ReluLayer(),
                       MaxPooling2dLayer({2, 2}, half), Convolution2dLayer({3, 3}, 16, same),
                       BatchNormalizationLayer(), ReluLayer(), MaxPooling2dLayer({2, 2}, half),
                       Convolution2dLayer({3, 3}, 32, same), BatchNormalizationLayer(), ReluLayer(),
                       FullyConnectedLayer(10), SoftmaxLayer()});
  return Initialized(net, NetworkDataLayout({28, 28, 1, kUnknown}, "SSCB"), type);
}

Work MnistCnnAdam(DataType type) {
  return Training(MnistNetwork(type), CrossEntropyOfClasses, Rand({28, 28, 1, 128}, type, "SSCB"),
                  Classes(128));
}

Work MlpTinyAdam(DataType type) {
  const DlNetwork net({FullyConnectedLayer(32), ReluLayer(), FullyConnectedLayer(1)});
  const DlArray x = Randn({16, 8}, type, "CB");
  // With one output this is the mean square error of other frameworks; Mse is half of it.
  return Training(
      Initialized(net, NetworkDataLayout::Of(x), type),
      [](const DlArray& y, const DlArray& t) { return L2Loss(y, t); }, x,
      Randn({1, 8}, type, "CB"));
}

Work MlpDigitsAdam(DataType type) {
  const DlNetwork net({FullyConnectedLayer(128), ReluLayer(), FullyConnectedLayer(64), ReluLayer(),
                       FullyConnectedLayer(10), SoftmaxLayer()});
  const DlArray x = Randn({64, 128}, type, "CB");
  return Training(Initialized(net, NetworkDataLayout::Of(x), type), CrossEntropyOfClasses, x,
                  Classes(128));
}

}  // namespace lamina::bench
