#ifndef FRAMEWORK_CPU_ATTENTION_H_
#define FRAMEWORK_CPU_ATTENTION_H_

// Scaled dot-product attention of several heads, and its gradient, without arrays of scores: they
// are computed for some queries and keys at a time, in the backward pass once more.
//
//   a_ts = exp(scale k_s . q_t - m_t) / sum over r of exp(scale k_r . q_t - m_t)
//   y_t  = sum over s of a_ts v_s,        m_t = max over s of scale k_s . q_t
//
// for each head and observation. Source: Dao, Fu, Ermon, Rudra, Re, FlashAttention,
// arXiv:2205.14135.
//
// Types: single and double. Threads: may be called from any thread; large work is split over heads
// and observations with ParallelFor, and the result does not depend on the number of threads.
//
//   // q, k, v, y: 256(C) x 4(B) x 512(T), eight heads of depth 32
//   cpu::AttentionShape s{.heads = 8, .batch = 4, .queries = 512, .keys = 512, .depth = 32,
//                         .value_depth = 32, .scale = 0.1768};
//   cpu::Attention(DataType::kSingle, s, q, k, v, y, greatest, inverse_sum);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

struct AttentionShape {
  int64_t heads, batch, queries, keys, depth, value_depth;
  double scale;
  bool causal = false;  // a query sees the keys up to its own number
};

// q: [depth heads x batch x queries], k: [depth heads x batch x keys], v: [value_depth heads x
// batch x keys], y: [value_depth heads x batch x queries]; m and 1 / sum: [queries x heads x
// batch]. keys is at least 1. Sums over keys are added in parts of 256 bytes; probabilities below
// the smallest normal number lose digits. A score of NaN or +inf gives NaN in its query's y, as do
// scores of -inf only; a single -inf is a probability of 0. With a mask, steps of one block
// of 256 bytes (0 to 63, 64 to 127 and so on in single) may meet as 0 times each other where one
// does not see the other: NaN or infinity in one of them may give NaN in all of the block, and in
// no other that it does not reach by the formulas.
void Attention(DataType type, const AttentionShape& shape, const void* q, const void* k,
               const void* v, void* y, void* greatest, void* inverse_sum);

// From dL/dy (dy) those of q, k and v. y, greatest and inverse_sum are what Attention gave.
void AttentionBackward(DataType type, const AttentionShape& shape, const void* q, const void* k,
                       const void* v, const void* y, const void* greatest, const void* inverse_sum,
                       const void* dy, void* dq, void* dk, void* dv);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ATTENTION_H_
