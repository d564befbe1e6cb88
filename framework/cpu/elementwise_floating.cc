// The elementwise kernels of single and double. Compiled once for each instruction set, with
// LAMINA_ISA set to its name; see multi_isa.bzl.

#include "framework/cpu/elementwise_rows.h"
#include "framework/cpu/elementwise_tables.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {

ElementwiseFn FindFloating(ScalarFunction function, bool is_double) {
  static constexpr KernelTable kSingle = MakeTable<float>(functors::All());
  static constexpr KernelTable kDouble = MakeTable<double>(functors::All());
  return (is_double ? kDouble : kSingle).fn[static_cast<int>(function)];
}

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
