#include "framework/ops/elementwise.h"
#include "framework/ops/lstm.h"
#include "framework/ops/random.h"
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "tools/bench/families.h"

namespace lamina::bench {

Work LstmGrad(DataType type, const LstmSizes& sizes) {
  const auto [channels, hidden, batch, steps] = sizes;
  const auto forward = [](const DlArrays& in) {
    return Lstm(in[0], DlArray(), DlArray(), in[1], in[2], in[3]).y;
  };
  return WithGradients(
      forward,
      {Randn({channels, batch, steps}, type, "CBT"), 0.1 * Randn({4 * hidden, channels}, type),
       0.1 * Randn({4 * hidden, hidden}, type), 0.1 * Randn({4 * hidden, 1}, type)},
      Randn({hidden, batch, steps}, type, "CBT"));
}

Work PeepholeLstm512Grad(DataType type) {
  constexpr int64_t kC = 12, kH = 32, kBatch = 16, kSteps = 512;
  const DlArray x = Randn({kC, kBatch, kSteps}, type, "CBT");
  AnyLayer layer = PeepholeLstmLayer(kH);
  layer.Initialize({NetworkDataLayout::Of(x)});
  layer->ForEachState([&](DlArray& state) { state = Cast(state, type); });
  DlArrays in{x};
  layer.ForEachLearnable([&](DlArray& w) { in.push_back(Cast(w, type)); });
  const auto forward = [=](const DlArrays& arrays) {
    return WithLearnables(layer, std::span(arrays).subspan(1)).Forward({arrays[0]}).outputs[0];
  };
  return WithGradients(forward, std::move(in), Randn({kH, kBatch, kSteps}, type, "CBT"));
}

}  // namespace lamina::bench
