// The prelude's products against sums in long double, in each form that a compiler can make of
// them.

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "framework/emit/c_compiler.h"
#include "framework/emit/kernel_prelude.h"

namespace lamina {
namespace {

constexpr char kFlags[] =
    "-std=gnu99 -O2 -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror";

// Both types, all forms (A transposed, B transposed), all kinds (plain, A packed, begun with a
// column, A packed and its last rows stored elsewhere), and sizes around those of vectors, their
// halves and tiles. Parts of what is begun with a column have the same bits. C has a border, which
// must stay. Writes the number of cases and the worst error in units of its bound.
constexpr char kChecks[] = R"(
#include <stdio.h>
#include <stdlib.h>

static double worst;
static long cases;

#define CHECKS(Real, suffix, unit)                                                           \
  static __attribute__((noinline)) void begun_##suffix(                                      \
      int m, int n, int k, const Real *a, int ar, int ac, const Real *b, int br, int bc,     \
      const Real *start, Real *c, int ldc) {                                                 \
    lamina_gemm_begun_##suffix(m, n, k, a, ar, ac, b, br, bc, start, c, ldc);                \
  }                                                                                          \
  static __attribute__((noinline)) void product_##suffix(                                    \
      int m, int n, int k, const Real *a, int ar, int ac, const Real *b, int br, int bc,     \
      Real beta, Real *c, int ldc, const Real *start, int kind) {                            \
    if (kind == 0) {                                                                         \
      lamina_gemm_##suffix(m, n, k, a, ar, ac, b, br, bc, beta, c, ldc);                     \
      return;                                                                                \
    }                                                                                        \
    if (kind == 2) {                                                                         \
      const int some = n / 3;                                                                \
      const size_t size = (size_t)ldc * n * sizeof(Real);                                    \
      Real *all = malloc(size);                                                              \
      memcpy(all, c, size);                                                                  \
      begun_##suffix(m, n, k, a, ar, ac, b, br, bc, start, all, ldc);                        \
      begun_##suffix(m, some, k, a, ar, ac, b, br, bc, start, c, ldc);                       \
      begun_##suffix(m, n - some, k, a, ar, ac, b + some * bc, br, bc, start, c + some * ldc, \
                     ldc);                                                                   \
      if (memcmp(all, c, size) != 0) worst = INFINITY;                                       \
      free(all);                                                                             \
      return;                                                                                \
    }                                                                                        \
    const int rows = (m + 15) / 16 * 16;                                                     \
    Real *packed = malloc((size_t)rows * k * sizeof(Real) + 1);                              \
    lamina_pack_all_##suffix(m, k, a, ar, ac, packed);                                       \
    if (kind == 1) {                                                                         \
      lamina_gemm_packed_##suffix(m, n, k, packed, b, br, bc, beta, c, ldc);                 \
    } else {                                                                                 \
      const int more = 1 + (m - 1) * (k % 4) / 4, first = m - more, ldd = more + 1;          \
      Real *d = malloc((size_t)ldd * n * sizeof(Real));                                      \
      for (int j = 0; j < n; ++j) for (int i = 0; i <= more; ++i) {                          \
        d[i + j * ldd] = c[first + i + j * ldc];                                             \
      }                                                                                      \
      lamina_gemm_packed_two_##suffix(first, more, n, k, packed, b, br, bc, beta, c, ldc, d, ldd); \
      for (int j = 0; j < n; ++j) for (int i = 0; i <= more; ++i) {                          \
        c[first + i + j * ldc] = d[i + j * ldd];                                             \
      }                                                                                      \
      free(d);                                                                               \
    }                                                                                        \
    free(packed);                                                                            \
  }                                                                                          \
  static void check_##suffix(int m, int n, int k, int form, Real beta) {                     \
    const int flip_a = form & 1, flip_b = form >> 1 & 1;                                     \
    const int lda = (flip_a ? k : m) + 1, ldb = (flip_b ? n : k) + 2, ldc = m + 3;           \
    const int ar = flip_a ? lda : 1, ac = flip_a ? 1 : lda;                                  \
    const int br = flip_b ? ldb : 1, bc = flip_b ? 1 : ldb;                                  \
    /* No element more than the product needs: a reader beyond the end is found. */          \
    const size_t an = k == 0 ? 1 : (size_t)(m - 1) * ar + (size_t)(k - 1) * ac + 1;          \
    const size_t bn = k == 0 ? 1 : (size_t)(k - 1) * br + (size_t)(n - 1) * bc + 1;          \
    Real *a = malloc(an * sizeof(Real)), *b = malloc(bn * sizeof(Real));                     \
    Real *c = malloc((size_t)ldc * n * sizeof(Real)), *d = malloc((size_t)ldc * n * sizeof(Real)); \
    for (size_t i = 0; i < an; ++i) a[i] = (Real)(rand() % 2001 - 1000) / 997;               \
    for (size_t i = 0; i < bn; ++i) b[i] = (Real)(rand() % 2001 - 1000) / 991;               \
    for (int i = 0; i < ldc * n; ++i) d[i] = c[i] = beta == 0 ? (Real)NAN : (Real)(i % 17) / 13; \
    const int kind = form >> 2;                                                              \
    Real *start = malloc(m * sizeof(Real));                                                  \
    for (int i = 0; i < m; ++i) start[i] = (Real)(rand() % 2001 - 1000) / 983;               \
    product_##suffix(m, n, k, a, ar, ac, b, br, bc, beta, c, ldc, start, kind);              \
    for (int j = 0; j < n; ++j) {                                                            \
      for (int i = 0; i < ldc; ++i) {                                                        \
        const Real old = d[i + j * ldc], now = c[i + j * ldc];                               \
        if (i >= m) {                                                                        \
          if (memcmp(&old, &now, sizeof old) != 0) worst = INFINITY;                         \
          continue;                                                                          \
        }                                                                                    \
        long double exact = kind == 2 ? start[i] : beta == 0 ? 0 : (long double)beta * old;  \
        long double size = fabsl(exact);                                                     \
        for (int p = 0; p < k; ++p) {                                                        \
          const long double x = (long double)a[i * ar + p * ac] * b[p * br + j * bc];        \
          exact += x;                                                                        \
          size += fabsl(x);                                                                  \
        }                                                                                    \
        const double error = (double)(fabsl(exact - now) / ((k + 2) * unit * size + 1e-300L)); \
        if (!(error <= worst)) worst = error == error ? error : INFINITY;                    \
      }                                                                                      \
    }                                                                                        \
    ++cases;                                                                                 \
    free(a), free(b), free(c), free(d), free(start);                                                      \
  }                                                                                          \
  /* Columns of A that overlap, as windows do; vectors read on behind the last. Or columns that\
     are 3 apart. Sums begin with 0 or not. */                                               \
  static __attribute__((noinline)) void windows_##suffix(int m, int n, int k, const Real *a, \
                                                         const int32_t *at, const Real *b,   \
                                                         const Real *start, Real *c) {       \
    lamina_windows_##suffix(m, n, k, a, 3, at, b, 1, k, start, c, m);                        \
  }                                                                                          \
  static void check_windows_##suffix(int m, int n, int k, int form) {                        \
    const size_t an = (size_t)m + 5 * k - 1 + 63 / sizeof(Real);                             \
    Real *a = malloc(an * sizeof(Real)), *b = malloc((size_t)(k * n + 1) * sizeof(Real));    \
    Real *c = malloc((size_t)m * n * sizeof(Real)), *start = malloc(n * sizeof(Real));       \
    int32_t *at = malloc((size_t)(k + 1) * sizeof *at);                                      \
    for (size_t i = 0; i < an; ++i) a[i] = (Real)(rand() % 2001 - 1000) / 997;               \
    for (int i = 0; i < k * n; ++i) b[i] = (Real)(rand() % 2001 - 1000) / 991;               \
    for (int i = 0; i < m * n; ++i) c[i] = (Real)NAN;                                        \
    for (int j = 0; j < n; ++j) start[j] = form % 2 == 0 ? 0 : (Real)(rand() % 2001 - 1000) / 983;\
    for (int p = 0; p < k; ++p) at[p] = form < 2 ? rand() % (5 * k) : 3 * p;                 \
    windows_##suffix(m, n, k, a, form < 2 ? at : NULL, b, form % 2 == 0 ? NULL : start, c);  \
    for (int j = 0; j < n; ++j) for (int i = 0; i < m; ++i) {                                \
      long double exact = start[j], size = fabsl(exact);                                     \
      for (int p = 0; p < k; ++p) {                                                          \
        const long double x = (long double)a[i + at[p]] * b[p + j * k];                      \
        exact += x;                                                                          \
        size += fabsl(x);                                                                    \
      }                                                                                      \
      const double error =                                                                   \
          (double)(fabsl(exact - c[i + j * m]) / ((k + 2) * unit * size + 1e-300L));         \
      if (!(error <= worst)) worst = error == error ? error : INFINITY;                      \
    }                                                                                        \
    ++cases;                                                                                 \
    free(a), free(b), free(c), free(at), free(start);                                        \
  }
CHECKS(float, f32, 0x1p-24L)
CHECKS(double, f64, 0x1p-53L)

int main(void) {
  const int ms[] = {1, 4, 5, 8, 12, 15, 16, 17, 20, 24, 25, 31, 32, 33, 56, 64, 70, 100};
  const int ns[] = {1, 2, 3, 4, 7, 8, 12, 16, 25};
  const int ks[] = {0, 1, 7, 8, 16, 33, 300};
  const int step = STEP;
  for (int i = 0; i < 18; i += step) for (int j = 0; j < 9; j += step) for (int p = 0; p < 7; p += step)
    for (int form = 0; form < 16; ++form) for (int beta = -1; beta <= 1; ++beta) {
      if (form >> 2 == 2 && beta != 0) continue;
      check_f32(ms[i], ns[j], ks[p], form, (float)beta);
      check_f64(ms[i], ns[j], ks[p], form, (double)beta / 2);
    }
  for (int i = 0; i < 18; i += step) for (int j = 0; j < 9; j += step) for (int p = 0; p < 7; p += step)
    for (int form = 0; form < 4; ++form) {
      check_windows_f32(ms[i], ns[j], ks[p], form);
      check_windows_f64(ms[i], ns[j], ks[p], form);
    }
  printf("%ld %s", cases, worst <= 1 ? "good" : "bad");
  if (!(worst <= 1)) printf(": %g of the bound", worst);
  return 0;
}
)";

void Check(const std::string& flags, const std::string& expected = "99792 good") {
  const absl::StatusOr<std::string> output = CompileAndRun(
      {{"products.c", KernelPrelude() + kChecks}}, absl::StrCat(kFlags, " ", flags), "");
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(*output, expected) << flags;
}

TEST(SmallProductTest, IsExactEnoughOnThisMachine) { Check("-march=native -DSTEP=1"); }
TEST(SmallProductTest, IsExactEnoughWithVectorsOfSixteenBytes) {
  Check("-march=x86-64-v2 -DSTEP=1");
}
TEST(SmallProductTest, IsExactEnoughWithVectorsOfThirtyTwoBytes) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) {
    GTEST_SKIP() << "This machine has no AVX2.";
  }
  Check("-mavx2 -mfma -DSTEP=1");
}
TEST(SmallProductTest, IsExactEnoughInPlainLoops) { Check("-DLAMINA_VECTORS=0 -DSTEP=1"); }
TEST(SmallProductTest, TouchesNothingElse) {
  Check("-march=native -O1 -DSTEP=2 -fsanitize=address,undefined -fno-sanitize-recover=all",
        "15840 good");
}

// With sizes that are constants, as kernels call it: each is code of its own.
TEST(SmallProductTest, IsExactEnoughForConstantSizes) {
  std::string calls;
  const int sizes[][3] = {{32, 16, 128}, {56, 12, 33}, {70, 20, 12}};
  for (const auto& [m, n, k] : sizes) {
    for (int form = 0; form < 16; ++form) {
      absl::StrAppend(&calls, "  check_f32(", m, ", ", n, ", ", k, ", ", form, ", ", form % 2,
                      ");\n");
    }
  }
  const std::string text = absl::StrReplaceAll(
      kChecks,
      {{"__attribute__((noinline))", "inline"},
       {"static void check_", "static inline __attribute__((always_inline)) void check_"}});
  const size_t main = text.find("int main");
  const absl::StatusOr<std::string> output = CompileAndRun(
      {{"products.c",
        absl::StrCat(KernelPrelude(), text.substr(0, main), "int main(void) {\n", calls,
                     "  printf(\"%ld %s\", cases, worst <= 1 ? \"good\" : \"bad\");\n"
                     "  return 0;\n}\n")}},
      absl::StrCat(kFlags, " -O3 -march=native -Wno-unused-function"), "");
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(*output, "48 good");
}

}  // namespace
}  // namespace lamina
