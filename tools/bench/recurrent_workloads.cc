#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"
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

Work SlicedSteps512Grad(DataType type) {
  constexpr int64_t kH = 16, kBatch = 32, kSteps = 512;
  const auto forward = [](const DlArrays& in) {
    DlArray h = Zeros({kH, kBatch}, in[0].type());
    DlArrays y;
    for (int64_t t = 0; t < kSteps; ++t) {
      const DlArray step = Reshape(Slice(in[0], 2, t, 1), {kH, kBatch});
      y.push_back(h = Tanh(MatMul(in[1], h) + step));
    }
    return Cat(2, y);
  };
  return WithGradients(forward, {Randn({kH, kBatch, kSteps}, type), 0.1 * Randn({kH, kH}, type)},
                       Randn({kH, kBatch, kSteps}, type));
}

}  // namespace lamina::bench
