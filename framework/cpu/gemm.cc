#include "framework/cpu/gemm.h"

#include <dnnl.h>

#include <algorithm>
#include <complex>
#include <new>

#include "framework/cpu/gemm_amx.h"
#include "framework/cpu/gemm_eigen.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

// Below this many multiplications (measured: 8 x 8 x 8) calling a library costs more than the
// product.
constexpr int64_t kTiny = 512;

template <class T>
T Conjugate(T x) {
  return x;
}
template <class R>
std::complex<R> Conjugate(std::complex<R> x) {
  return std::conj(x);
}

// One product's arguments; strides are those of the rows and columns of op(A) and op(B).
struct Product {
  Transpose transpose_a, transpose_b;
  int64_t m, n, k;
  double alpha;
  int64_t lda, ldb;
  double beta;
  int64_t ldc;
};

template <class T>
void ScaleC(const Product& p, T* c) {
  for (int64_t j = 0; j < p.n; ++j) {
    T* column = c + j * p.ldc;
    if (p.beta == 0) {
      std::fill(column, column + p.m, T(0));
    } else if (p.beta != 1) {
      for (int64_t i = 0; i < p.m; ++i) column[i] *= static_cast<T>(p.beta);
    }
  }
}

template <class T>
void TinyGemm(const Product& p, const T* a, const T* b, T* c) {
  const bool flip_a = p.transpose_a != Transpose::kNo, flip_b = p.transpose_b != Transpose::kNo;
  const int64_t a_row = flip_a ? p.lda : 1, a_column = flip_a ? 1 : p.lda;
  const int64_t b_row = flip_b ? p.ldb : 1, b_column = flip_b ? 1 : p.ldb;
  const bool conjugate_a = p.transpose_a == Transpose::kConjugate;
  const bool conjugate_b = p.transpose_b == Transpose::kConjugate;
  ScaleC(p, c);
  for (int64_t j = 0; j < p.n; ++j) {
    T* column = c + j * p.ldc;
    for (int64_t l = 0; l < p.k; ++l) {
      const T raw = b[l * b_row + j * b_column];
      const T factor = static_cast<T>(p.alpha) * (conjugate_b ? Conjugate(raw) : raw);
      const T* a_l = a + l * a_column;
      if (conjugate_a) {
        for (int64_t i = 0; i < p.m; ++i) column[i] += factor * Conjugate(a_l[i * a_row]);
      } else {
        for (int64_t i = 0; i < p.m; ++i) column[i] += factor * a_l[i * a_row];
      }
    }
  }
}

void DnnlGemm(const SingleProduct& p) {
  // oneDNN's matrices are row-major; the transposed product is what it sees.
  const dnnl_status_t status =
      dnnl_sgemm(p.transpose_b ? 'T' : 'N', p.transpose_a ? 'T' : 'N', p.n, p.m, p.k, p.alpha, p.b,
                 p.ldb, p.a, p.lda, p.beta, p.c, p.ldc);
  if (status == dnnl_out_of_memory) throw std::bad_alloc();
  LAMINA_CHECK(status == dnnl_success);
}

void LargeGemm(const Product& p, const float* a, const float* b, float* c) {
  const SingleProduct product = {.transpose_a = p.transpose_a != Transpose::kNo,
                                 .transpose_b = p.transpose_b != Transpose::kNo,
                                 .m = p.m,
                                 .n = p.n,
                                 .k = p.k,
                                 .alpha = static_cast<float>(p.alpha),
                                 .a = a,
                                 .lda = p.lda,
                                 .b = b,
                                 .ldb = p.ldb,
                                 .beta = static_cast<float>(p.beta),
                                 .c = c,
                                 .ldc = p.ldc};
  if (AmxPays(product)) {
    AmxGemm(product, DnnlGemm);
  } else {
    DnnlGemm(product);
  }
}

template <class T>
void LargeGemm(const Product& p, const T* a, const T* b, T* c) {
  static const EigenGemmFn run = [] {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindEigenGemm();
      case InstructionSet::kV3:
        return v3::FindEigenGemm();
      default:
        return v2::FindEigenGemm();
    }
  }();
  if (p.beta != 1) ScaleC(p, c);
  run(DataTypeOf<T>(), p.transpose_a, p.transpose_b, p.m, p.n, p.k, p.alpha, a, p.lda, b, p.ldb, c,
      p.ldc);
}

template <class T>
void Run(const Product& p, const void* a, const void* b, void* c) {
  const T* x = static_cast<const T*>(a);
  const T* y = static_cast<const T*>(b);
  T* z = static_cast<T*>(c);
  if (p.m <= 0 || p.n <= 0) return;
  if (p.k <= 0 || p.alpha == 0) return ScaleC(p, z);
  const double multiplications =
      static_cast<double>(p.m) * static_cast<double>(p.n) * static_cast<double>(p.k);
  if (multiplications <= static_cast<double>(kTiny)) return TinyGemm(p, x, y, z);
  const OneThread guard(2 * multiplications < kParallelOperations);
  LargeGemm(p, x, y, z);
}

void Dispatch(DataType type, const Product& p, const void* a, const void* b, void* c) {
  switch (type) {
    case DataType::kSingle:
      return Run<float>(p, a, b, c);
    case DataType::kDouble:
      return Run<double>(p, a, b, c);
    case DataType::kComplexSingle:
      return Run<std::complex<float>>(p, a, b, c);
    case DataType::kComplexDouble:
      return Run<std::complex<double>>(p, a, b, c);
    default:
      LAMINA_CHECK(false && "Gemm of a type that has no products");
  }
}

}  // namespace

void Gemm(DataType type, Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n,
          int64_t k, double alpha, const void* a, int64_t lda, const void* b, int64_t ldb,
          double beta, void* c, int64_t ldc) {
  Dispatch(type, {transpose_a, transpose_b, m, n, k, alpha, lda, ldb, beta, ldc}, a, b, c);
}

void GemmBatched(DataType type, Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n,
                 int64_t k, double alpha, const void* a, int64_t lda, int64_t stride_a,
                 const void* b, int64_t ldb, int64_t stride_b, double beta, void* c, int64_t ldc,
                 int64_t stride_c, int64_t batch) {
  if (batch <= 0 || m <= 0 || n <= 0) return;
  if (stride_a == 0 && transpose_b == Transpose::kNo && stride_b == n * ldb &&
      stride_c == n * ldc) {
    // One A for all, and the columns of all B follow each other: one product.
    n *= batch;
    batch = 1;
  }
  const Product p = {transpose_a, transpose_b, m, n, k, alpha, lda, ldb, beta, ldc};
  const auto size = static_cast<int64_t>(SizeOf(type));
  const auto run = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Dispatch(type, p, static_cast<const char*>(a) + i * stride_a * size,
               static_cast<const char*>(b) + i * stride_b * size,
               static_cast<char*>(c) + i * stride_c * size);
    }
  };
  const double operations = 2.0 * static_cast<double>(m) * static_cast<double>(n) *
                            static_cast<double>(std::max<int64_t>(k, 1));
  if (operations >= kParallelOperations && batch < 2 * NumThreads()) return run(0, batch);
  ParallelFor(
      batch, std::max<int64_t>(1, static_cast<int64_t>(kParallelOperations / 2 / operations)), run);
}

}  // namespace lamina::cpu
