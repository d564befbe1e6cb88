// The text that precedes kernels that are compiled where they run: vector mathematics and small
// products, in C.
//
//   CPrinter printer(Language::kC99, CFunctions::kPrelude);
//   std::string source = KernelPrelude() + printer.Helpers() + kernels;
//
// For kernels alone; shipped code calls the C library. What a kernel may call, all static inline:
//
//   void lamina_gemm_f32(int m, int n, int k, const float *a, int a_row_step, int a_col_step,
//                        const float *b, int b_row_step, int b_col_step, float beta, float *c,
//                        int ldc);
//       C = A B + beta C of column-major matrices: A is m x k, B k x n, C m x n.
//       A(i, p) = a[i a_row_step + p a_col_step]: (1, lda) for a plain A, (lda, 1) for a transposed
//       one; B likewise. With beta = 0 the old C does not matter. C overlaps neither A nor B. A
//       size of 0 is allowed. |error| <= (k + 2) u (|A||B| + |beta C|), u = 2^-24 (2^-53). It
//       becomes code for the sizes that are constants in the call: call it from one function for
//       each set of sizes, not inlined, however often that is called. Meant for n k up to a few
//       10^4: it knows no second cache. lamina_gemm_f64 is the same with double.
//       lamina_gemm_columns_f32 and _f64 are for some of a product's columns: each element has the
//       same bits, whatever n is. lamina_gemm_begun_f32 and _f64 are the same with sums that begin
//       with a column; lamina_gemm_packed_two_f32 and _f64 store the last rows elsewhere.
//
//   float lamina_Exp_f32(float x), ..., double lamina_Exp_f64(double x), ...
//       The functions of framework/cpu/math.h, from the same text: branch-free, errors and special
//       values as stated there (they need not be the eager ones bit for bit: other operations are
//       fused). A loop over one becomes vector code. KernelFunction says which there are.
//
// Names that begin with lamina_, LAMINA_ and MATH_ are the prelude's. It needs GCC or Clang for
// speed; other compilers get plain loops. The flags: -std=gnu99 -O3 -march=native -ffp-contract=off
// -fno-math-errno -fno-trapping-math.
//
// Threads: the functions are pure.
#ifndef FRAMEWORK_EMIT_KERNEL_PRELUDE_H_
#define FRAMEWORK_EMIT_KERNEL_PRELUDE_H_

#include <string>
#include <string_view>

namespace lamina {

/// What the prelude calls this function of loops::Operation::kCall ("exp": "lamina_Exp_f32"); empty
/// where it has none, and the C library's is as good.
std::string KernelFunction(std::string_view name, bool is_double);
/// The mathematics alone, which is C99 and CUDA: in CUDA its functions are __device__.
std::string KernelMath();
/// The products alone, of these types, without headers: C99 and C++17 that is clean under
/// -pedantic; it needs stddef.h and stdint.h.
std::string KernelProducts(bool single, bool is_double);
/// The C text, with the headers that it and kernels need (complex, math, stddef, stdint, string).
std::string KernelPrelude();

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_KERNEL_PRELUDE_H_
