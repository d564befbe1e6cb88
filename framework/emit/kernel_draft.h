// A kernel that is not printed yet: which of its arrays are one is known when all calls are.
//
// Used by kernels.cc and the passes over its calls. Threads: plain values.
#ifndef FRAMEWORK_EMIT_KERNEL_DRAFT_H_
#define FRAMEWORK_EMIT_KERNEL_DRAFT_H_

#include <optional>
#include <string>
#include <vector>

#include "framework/emit/kernel_products.h"
#include "framework/loops/statement.h"

namespace lamina::internal {

struct KernelDraft {
  struct Parameter {
    int number;  ///< 3 for p3.
    DataType type;
    bool is_const;
  };
  std::string comment;
  std::string text = {};                      ///< All of it, where it is nothing of what follows.
  std::optional<ProductKernel> product = {};  ///< It multiplies.
  loops::Block code = {};                     ///< Of loops, which name their parameters.
  std::vector<Parameter> parameters = {};     ///< Of loops, in the order of the arguments.
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_DRAFT_H_
