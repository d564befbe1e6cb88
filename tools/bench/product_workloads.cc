#include <cmath>

#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "framework/ops/split.h"
#include "layers/residual_block/residual_block_layer.h"
#include "tools/bench/families.h"

namespace lamina::bench {
namespace {

constexpr int64_t kWidth = 256, kHeads = 8, kTokens = 512, kBatch = 4;

// Self-attention with several heads. x: width x tokens x batch; the weights of the projections to
// queries, keys and values: 3 width x width, rows of q, k, v, each head after head; those of the
// projection of the result: width x width.
DlArray Attention(const DlArrays& in) {
  const DlArray &x = in[0], &qkv_weights = in[1], &qkv_bias = in[2], &weights = in[3],
                &bias = in[4];
  constexpr int64_t kDepth = kWidth / kHeads;
  const DlArray flat = Reshape(x, {kWidth, kTokens * kBatch});
  const DlArray qkv =
      Reshape(MatMul(qkv_weights, flat) + qkv_bias, {kDepth, kHeads, 3, kTokens, kBatch});
  DlArrays parts = Split(qkv, 2, {1, 1, 1});
  for (DlArray& part : parts) {  // Pages, one for each head and observation: depth x tokens.
    part = Permute(Reshape(part, {kDepth, kHeads, kTokens, kBatch}), {0, 2, 1, 3});
  }
  const double scale = 1 / std::sqrt(static_cast<double>(kDepth));
  const DlArray scores = MatMul(parts[1], scale * parts[0], /*transpose_x=*/true);
  const DlArray heads = MatMul(parts[2], SoftmaxOver(scores, 0));  // depth x tokens, in pages
  const DlArray joined = Reshape(Permute(heads, {0, 2, 1, 3}), {kWidth, kTokens * kBatch});
  return Reshape(MatMul(weights, joined) + bias, {kWidth, kTokens, kBatch});
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
  return WithGradients(Attention,
                       {Randn({kWidth, kTokens, kBatch}, type),
                        scale * Randn({3 * kWidth, kWidth}, type), Randn({3 * kWidth, 1}, type),
                        scale * Randn({kWidth, kWidth}, type), Randn({kWidth, 1}, type)},
                       Randn({kWidth, kTokens, kBatch}, type));
}

}  // namespace lamina::bench
