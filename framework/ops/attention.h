// Scaled dot-product attention of several heads.
//
// The channels of queries, keys and values are the heads, one below the other, each of the same
// depth. For each head and observation, with q_t the query of time step t, and k_s and v_s:
//
//   a_ts = exp(scale k_s . q_t) / sum over r of exp(scale k_r . q_t)
//   y_t  = sum over s of a_ts v_s
//
// No array of scores is made, in the gradient neither: they are computed in parts
// (framework/cpu/attention.h; on a device attention_kernels.h). In the printed code of gradients, and
// on a device where its kernels do not take the sizes, it is composed of products and a softmax,
// with scores in memory.
//
// Source: Vaswani et al., Attention Is All You Need, arXiv:1706.03762, sections 3.2.1 and 3.2.2,
// without the projections, which are FullyConnect.
//
//   DlArray y = Attention(q, k, v, 8);      // 256(C) x 4(B) x 512(T): 8 heads of depth 32
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_ATTENTION_H_
#define FRAMEWORK_OPS_ATTENTION_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

struct AttentionOptions {
  /// Unset: one over the root of a head's depth.
  std::optional<double> scale = {};
  /// A query sees the keys of its own time step and of those before.
  bool causal = false;
  std::string_view format = "";  ///< The labels of queries, keys and values that have none.
};

/// All three are labelled "CBT" or fewer of these with C (a missing T is one step, a missing B one
/// observation). Keys have the channels of the queries; values may have others, and have the time
/// steps of the keys; all have the same B. The result has the labels of the queries and the
/// channels of the values. Types promote; real floating types are computed, logical and integers as
/// single. Numeric contract: scores and sums are those of MatMul, exponentials those of Softmax,
/// which takes off the greatest score. A score of NaN or +inf gives NaN in its query's result.
/// Gradients of any order; those of the second need memory for the scores.
/// Errors: "ops:FormatNeeded"; "dlarray:FormatMismatch" for an array without C or with S or U dims;
/// "dlarray:SizeMismatch" when sizes do not fit; "ops:InvalidHeads" unless num_heads divides the
/// channels; "ops:EmptySequence" without keys; "ops:UnsupportedType" for complex arrays.
DlArray Attention(const DlArray& queries, const DlArray& keys, const DlArray& values,
                  int64_t num_heads, const AttentionOptions& options = {});

}  // namespace lamina

#endif  // FRAMEWORK_OPS_ATTENTION_H_
