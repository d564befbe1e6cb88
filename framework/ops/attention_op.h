// The op of attention, inside of attention.cc: on unlabelled arrays [channels x batch x steps].
#ifndef FRAMEWORK_OPS_ATTENTION_OP_H_
#define FRAMEWORK_OPS_ATTENTION_OP_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"

namespace lamina::internal {

struct AttentionSettings {
  int64_t heads;
  double scale;
  bool causal;
};

/// Of queries, keys and values of one real floating type, whose sizes fit.
DlArray AttendHeads(const DlArray& queries, const DlArray& keys, const DlArray& values,
                    const AttentionSettings& settings);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_ATTENTION_OP_H_
