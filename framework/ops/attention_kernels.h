// The kernels of attention for a device, inside of attention_op.cc: for which sizes there are some,
// their texts and their launches. What they do is told beside the texts (attention_*.inc).
//
// Numeric contract: everything is computed in the type of the arrays, with u = 2^-24 or 2^-53. With
// d the depth of a head, n the number of keys and S the greatest of sum over c of |scale q_c k_c|,
// scores are wrong by at most (d + 2) S u, each probability by e = 2 (d + 4) S u + (n + 8) u of it,
// and y by 2 e of the largest |v|. That is the worst case; of random numbers of d up to 128 and n
// up to 150 y and all gradients are wrong by less than 32 u of the largest of them
// (framework/gpu/attention_kernels_test.cc). The same arrays give the same bits each time. NaN and
// infinity are where the formulas have them, and nowhere else but where the processor may have them
// too: with a mask, in a query's own block (cpu/attention.h).
//
// Threads: pure functions.
#ifndef FRAMEWORK_OPS_ATTENTION_KERNELS_H_
#define FRAMEWORK_OPS_ATTENTION_KERNELS_H_

#include <optional>

#include "framework/cpu/attention.h"
#include "framework/ops/device_kernel.h"

namespace lamina::internal {

/// Inputs and results as those of the functions in attention_op.cc that they stand for.
struct AttentionKernels {
  DeviceKernel forward, query_gradient, key_gradient;
};

/// For single and double, heads of a depth of up to 128, and at least 32 queries and keys: with
/// fewer a block has little to do, and the scores take no more memory than queries and keys do.
std::optional<AttentionKernels> AttentionKernelsFor(DataType type,
                                                    const cpu::AttentionShape& shape);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_ATTENTION_KERNELS_H_
