#include <cmath>

#include "framework/ops/attention.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/split.h"
#include "layers/residual_block/residual_block_layer.h"
#include "tools/bench/families.h"

namespace lamina::bench {
namespace {

constexpr int64_t kWidth = 256, kHeads = 8, kTokens = 512, kBatch = 4;

// x: "CBT"; weights and bias of the projections to queries, keys and values (rows of all queries,
// then keys, then values), and of the projection of the result.
DlArray SelfAttention(const DlArrays& in) {
  const DlArrays qkv = Split(FullyConnect(in[0], in[1], in[2]), 'C', {kWidth, kWidth, kWidth});
  return FullyConnect(Attention(qkv[0], qkv[1], qkv[2], kHeads), in[3], in[4]);
}

}  // namespace

Work Gemm1024(DataType type) {
  return {.inputs = {Randn({1024, 1024}, type), Randn({1024, 1024}, type)},
          .function = [](const DlArrays& in) { return DlArrays{MatMul(in[0], in[1])}; }};
}

Work Conv6428Forward(DataType type) {
  return {.inputs = {Randn({28, 28, 64, 32}, type, "SSCB"), Randn({3, 3, 64, 64}, type),
                     Randn({64}, type)},
          .function = [](const DlArrays& in) {
            return DlArrays{DlConv(in[0], in[1], in[2], {.padding = 1})};
          }};
}

Work ResidualBlockGrad(DataType type) {
  const DlArray x = Randn({28, 28, 64, 32}, type, "SSCB");
  AnyLayer block = ResidualBlockLayer(64);
  block.Initialize({NetworkDataLayout::Of(x)});
  DlArrays in{x};
  block.ForEachLearnable([&](DlArray& w) { in.push_back(Cast(w, type)); });
  const auto forward = [=](const DlArrays& arrays) {
    return WithLearnables(block, std::span(arrays).subspan(1)).Forward({arrays[0]}).outputs[0];
  };
  return WithGradients(forward, std::move(in), RandnLike(x));
}

Work AttentionGrad(DataType type) {
  const double scale = 1 / std::sqrt(static_cast<double>(kWidth));
  return WithGradients(SelfAttention,
                       {Randn({kWidth, kBatch, kTokens}, type, "CBT"),
                        scale * Randn({3 * kWidth, kWidth}, type), Randn({3 * kWidth, 1}, type),
                        scale * Randn({kWidth, kWidth}, type), Randn({kWidth, 1}, type)},
                       Randn({kWidth, kBatch, kTokens}, type, "CBT"));
}

}  // namespace lamina::bench
