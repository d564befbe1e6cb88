#ifndef FRAMEWORK_CPU_ELEMENTWISE_TABLES_H_
#define FRAMEWORK_CPU_ELEMENTWISE_TABLES_H_

// Inside of elementwise.h: where the compiled kernels are found.

#include "framework/cpu/elementwise.h"
#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {

namespace v2 {
ElementwiseFn FindFloating(ScalarFunction function, bool is_double);
}
namespace v3 {
ElementwiseFn FindFloating(ScalarFunction function, bool is_double);
}
namespace v4 {
ElementwiseFn FindFloating(ScalarFunction function, bool is_double);
}

// Complex, integer and logical types, and kComplex of single and double.
ElementwiseFn FindOther(ScalarFunction function, DataType type);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ELEMENTWISE_TABLES_H_
