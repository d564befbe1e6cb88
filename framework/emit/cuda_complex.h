// The complex numbers of printed CUDA, as text. The standard library's are functions of the host.
//
//   lamina_cuda::Complex<float> z = {1, 2};          // CType(kComplexSingle, Language::kCuda)
//   lamina_cuda::Exp(z) / lamina_cuda::Complex<float>{0.5f, 0.0f}
//
// The type is an aggregate: it needs no header and no marks, and host code may hold it. Its bytes
// are those of std::complex, but it begins at a multiple of its size, so that a device loads both
// parts at once. The functions are __device__ and compiled by NVRTC, which knows no headers, as by
// nvcc. CPrinter::Helpers holds both where code has complex numbers.
//
// Numeric contract, u = 2^-24 (2^-53), |error| of the whole number relative to the size of the
// result, but for subnormal parts:
//
//   + - and z / t with a real t     u
//   *                               sqrt(5) u
//   /                               6 u
//   Abs                             2 u, and the error of CUDA's hypot beyond 1 ulp
//   Exp, Log, Sqrt                  8 u, and the errors of CUDA's functions beyond 1 ulp
//   Sin, Cos, Sinh, Cosh            8 u, likewise
//   Tan, Tanh, and all inverses     16 u, likewise (measured)
//   Pow(z, w) = Exp(w Log(z))       as many u more as w Log(z) is large, as in the standard library
//
// No part on the way is too large or too small where the result is not, but in a product. Infinity
// and NaN are as in C99's Annex G, and the signs of zeros but those of a quotient and what it leaves
// open beside NaN; but a product is by the formula, and may have two NaN where a factor is infinite. == compares both parts.
//
// Threads: pure functions.
#ifndef FRAMEWORK_EMIT_CUDA_COMPLEX_H_
#define FRAMEWORK_EMIT_CUDA_COMPLEX_H_

#include <string>

namespace lamina {

/// The type, for headers. It may come several times in a translation unit, outside of namespaces.
std::string CudaComplexType();
/// The functions of it, likewise. They need the type, and <math.h> or NVRTC.
std::string CudaComplexFunctions();

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_CUDA_COMPLEX_H_
