// From an element type that is known when a program runs to the C++ type of it.
//
//   WithFloatingType(type, [&](auto zero) { Scale<decltype(zero)>(n, data); });
//
// Threads: a pure function.
#ifndef FRAMEWORK_CPU_FLOATING_TYPE_H_
#define FRAMEWORK_CPU_FLOATING_TYPE_H_

#include <complex>

#include "framework/dlarray/data_type.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {

/// Calls f with a value of the C++ type of `type`, which is single, double or complex of these.
template <class F>
void WithFloatingType(DataType type, F&& f) {
  switch (type) {
    case DataType::kSingle:
      return f(float());
    case DataType::kDouble:
      return f(double());
    case DataType::kComplexSingle:
      return f(std::complex<float>());
    case DataType::kComplexDouble:
      return f(std::complex<double>());
    default:
      LAMINA_CHECK(IsFloating(type));
  }
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_FLOATING_TYPE_H_
