// The loops of attention. Compiled once for each instruction set, with LAMINA_ISA set to its name;
// see multi_isa.bzl.
//
// A block of queries meets the keys part by part, so that scores never leave the caches (Dao, Fu,
// Ermon, Rudra, Re, FlashAttention, arXiv:2205.14135, algorithms 1 and 4). The queries of a block
// lie across the lanes of vectors, so that the softmax of each stays in its lane: matrices with a
// row for each query of a block ("panels") are column-major and have kBlock rows.

#include "framework/cpu/attention_loops.h"
#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/math_exponential.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kVectorBytes = 64, kColumns = 8;
#elif defined(__AVX__)
constexpr int kVectorBytes = 32, kColumns = 4;
#else
constexpr int kVectorBytes = 16, kColumns = 4;
#endif

template <class T>
struct Vector {
  static constexpr int kLanes = kVectorBytes / sizeof(T);
  typedef T Type __attribute__((vector_size(kVectorBytes)));
  typedef T Loaded __attribute__((vector_size(kVectorBytes), aligned(alignof(T)), may_alias));
};

template <class T>
constexpr int kBlock = 256 / sizeof(T);  // queries at once
template <class T>
constexpr int kKeys = 256 / sizeof(T);  // keys at once: two panels of 16 KB stay in the first cache

int64_t Padded(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }
int64_t Smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// A tile of C += A B in registers: some vectors of its rows by some of its columns. B(p, j) is
// b[p + j ldb], or b[p ldb + j] if kTransposed.
template <int kVectors, int kCount, bool kTransposed, class T>
inline __attribute__((always_inline)) void Tile(int64_t k, const T* a, int64_t lda, const T* b,
                                                int64_t ldb, bool add, T* c, int64_t ldc) {
  using V = typename Vector<T>::Type;
  using Loaded = typename Vector<T>::Loaded;
  constexpr int kLanes = Vector<T>::kLanes;
  V sum[kCount][kVectors];
#pragma GCC unroll 16
  for (int j = 0; j < kCount; ++j) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) sum[j][v] = V{};
  }
#pragma GCC unroll 1
  for (int64_t p = 0; p < k; ++p) {
    V x[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      x[v] = *reinterpret_cast<const Loaded*>(a + p * lda + v * kLanes);
    }
#pragma GCC unroll 16
    for (int j = 0; j < kCount; ++j) {
      const T y = kTransposed ? b[p * ldb + j] : b[p + j * ldb];
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sum[j][v] += x[v] * y;
    }
  }
#pragma GCC unroll 16
  for (int j = 0; j < kCount; ++j) {
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) {
      auto* const at = reinterpret_cast<Loaded*>(c + j * ldc + v * kLanes);
      *at = add ? *at + sum[j][v] : sum[j][v];
    }
  }
}

// Some vectors of rows, all n columns.
template <int kVectors, bool kTransposed, class T>
void Strip(int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb, bool add, T* c,
           int64_t ldc) {
  const int64_t step = kTransposed ? 1 : ldb;
  int64_t j = 0;
  for (; j + kColumns <= n; j += kColumns) {
    Tile<kVectors, kColumns, kTransposed>(k, a, lda, b + j * step, ldb, add, c + j * ldc, ldc);
  }
  if (kColumns > 4 && j + 4 <= n) {
    Tile<kVectors, 4, kTransposed>(k, a, lda, b + j * step, ldb, add, c + j * ldc, ldc);
    j += 4;
  }
  for (; j < n; ++j) {
    Tile<kVectors, 1, kTransposed>(k, a, lda, b + j * step, ldb, add, c + j * ldc, ldc);
  }
}

// C = A B, or C += A B: A is m x k, m a multiple of the lanes, B is k x n, or n x k in memory if
// kTransposed.
template <bool kTransposed, class T>
void Product(int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b, int64_t ldb,
             bool add, T* c, int64_t ldc) {
  constexpr int kLanes = Vector<T>::kLanes;
  int64_t i = 0;
  for (; i + 2 * kLanes <= m; i += 2 * kLanes) {
    Strip<2, kTransposed>(n, k, a + i, lda, b, ldb, add, c + i, ldc);
  }
  if (i < m) Strip<1, kTransposed>(n, k, a + i, lda, b, ldb, add, c + i, ldc);
}

// to = factor x: columns of a page, one after another in `ld` rows; then columns of zeros, `all`
// together.
template <class T>
void Pack(PageOf<const T> x, int64_t rows, int64_t columns, int64_t all, T factor, T* to,
          int64_t ld) {
  for (int64_t j = 0; j < columns; ++j) {
#pragma GCC ivdep
    for (int64_t i = 0; i < rows; ++i) to[j * ld + i] = factor * x.data[j * x.step + i];
    for (int64_t i = rows; i < ld; ++i) to[j * ld + i] = 0;
  }
  for (int64_t i = columns * ld; i < all * ld; ++i) to[i] = 0;
}

// The way back; each column has a factor of its own, or all have the same one.
template <class T>
void Unpack(const T* x, int64_t ld, int64_t rows, int64_t columns, const T* factor, bool each,
            PageOf<T> to) {
  for (int64_t j = 0; j < columns; ++j) {
    const T scale = factor[each ? j : 0];
#pragma GCC ivdep
    for (int64_t i = 0; i < rows; ++i) to.data[j * to.step + i] = scale * x[j * ld + i];
  }
}

// The panel of packed columns: to(j, i) = x(i, j). All of kBlock columns; `ld` is a multiple of the
// lanes. Squares of as many rows and columns as a vector has lanes are transposed in registers.
template <class T>
void Transpose(const T* x, int64_t ld, T* to) {
  using V = typename Vector<T>::Type;
  constexpr int kLanes = Vector<T>::kLanes, kHalf = kLanes / 2;
  using Order = typename Vector<math::IntOf<T>>::Type;
  Order low, high;
  for (int l = 0; l < kLanes; ++l) {
    low[l] = l / 2 + l % 2 * kLanes;
    high[l] = low[l] + kHalf;
  }
  for (int64_t i = 0; i < ld; i += kLanes) {
    for (int64_t j = 0; j < kBlock<T>; j += kLanes) {
      V a[kLanes], b[kLanes];
#pragma GCC unroll 16
      for (int l = 0; l < kLanes; ++l) a[l] = *reinterpret_cast<const V*>(x + (j + l) * ld + i);
#pragma GCC unroll 4
      for (int round = 1; round < kLanes; round *= 2) {
#pragma GCC unroll 8
        for (int l = 0; l < kHalf; ++l) {
          b[2 * l] = __builtin_shuffle(a[l], a[l + kHalf], low);
          b[2 * l + 1] = __builtin_shuffle(a[l], a[l + kHalf], high);
        }
#pragma GCC unroll 16
        for (int l = 0; l < kLanes; ++l) a[l] = b[l];
      }
#pragma GCC unroll 16
      for (int l = 0; l < kLanes; ++l) *reinterpret_cast<V*>(to + (i + l) * kBlock<T> + j) = a[l];
    }
  }
}

// Parts of the scratch memory, each aligned to 64 bytes.
template <class T>
struct Scratch {
  T* next;
  int64_t used = 0;
  T* Take(int64_t n) {
    n = Padded(n, 64 / sizeof(T));
    T* const at = next == nullptr ? nullptr : next + used;
    used += n;
    return at;
  }
};

// What both directions need for a page: packed matrices of `ldk` rows (q, k and their gradients) or
// `ldv` rows (v, y and theirs), and panels.
template <class T>
struct Memory {
  const int64_t ldk, ldv;
  T *k, *v, *dk, *dv;           // of all keys
  T *q, *y, *dq, *dy;           // of a block of queries
  T *q_panel, *dy_panel;        // kBlock x ldk, kBlock x ldv
  T *probability, *derivative;  // kBlock x kKeys: of the scores

  Memory(const AttentionPage<T>& page, Scratch<T>& s)
      : ldk(Padded(page.depth, Vector<T>::kLanes)),
        ldv(Padded(page.value_depth, Vector<T>::kLanes)),
        k(s.Take(ldk * page.keys)),
        v(s.Take(ldv * page.keys)),
        dk(s.Take(ldk * page.keys)),
        dv(s.Take(ldv * page.keys)),
        q(s.Take(ldk * kBlock<T>)),
        y(s.Take(ldv * kBlock<T>)),
        dq(s.Take(ldk * kBlock<T>)),
        dy(s.Take(ldv * kBlock<T>)),
        q_panel(s.Take(ldk * kBlock<T>)),
        dy_panel(s.Take(ldv * kBlock<T>)),
        probability(s.Take(kBlock<T> * kKeys<T>)),
        derivative(s.Take(kBlock<T> * kKeys<T>)) {}
};

// The page from a column on.
template <class Page>
Page From(Page x, int64_t column) {
  return {x.data + column * x.step, x.step};
}

// Panel of the scores of `n` keys from `first` on, for the block of queries from `start` on; those
// that a query does not see are -inf.
template <class T>
void Scores(const AttentionPage<T>& page, const Memory<T>& m, int64_t start, int64_t first,
            int64_t n) {
  constexpr int kRows = kBlock<T>;
  Product<false>(kRows, n, page.depth, m.q_panel, kRows, m.k + first * m.ldk, m.ldk, false,
                 m.probability, kRows);
  if (!page.causal) return;
  for (int64_t s = first; s < first + n; ++s) {
    T* const row = m.probability + (s - first) * kRows;
    for (int64_t t = 0; t < Smaller(s - start, kRows); ++t) {
      row[t] = -static_cast<T>(__builtin_inf());
    }
  }
}

// Keys that any query of a block sees.
template <class T>
int64_t KeysSeen(const AttentionPage<T>& page, int64_t start, int64_t count) {
  return page.causal ? Smaller(page.keys, start + count) : page.keys;
}

// Numbers of a block's queries while keys are gone through.
template <class T>
struct Running {
  T greatest[kBlock<T>], sum[kBlock<T>], factor[kBlock<T>];
};

// scores = exp(scores - greatest so far). What was added up before is to be multiplied by `factor`.
template <class T>
void Exponentials(int64_t n, T* scores, Running<T>& r) {
  constexpr int kRows = kBlock<T>;
  T next[kRows], part[kRows];
  for (int t = 0; t < kRows; ++t) next[t] = r.greatest[t];
  for (int64_t s = 0; s < n; ++s) {
    const T* const row = scores + s * kRows;
    for (int t = 0; t < kRows; ++t) next[t] = row[t] > next[t] ? row[t] : next[t];
  }
  for (int t = 0; t < kRows; ++t) {
    const T old = r.greatest[t];
    r.greatest[t] = next[t];
    // Of -inf only: exp(-inf) = 0 so far.
    next[t] = next[t] == -static_cast<T>(__builtin_inf()) ? 0 : next[t];
    r.factor[t] = math::ExpOfNegative(old - next[t]);
    part[t] = 0;
  }
  for (int64_t s = 0; s < n; ++s) {
    T* const row = scores + s * kRows;
#pragma GCC ivdep
    for (int t = 0; t < kRows; ++t) {
      const T e = math::ExpOfNegative(row[t] - next[t]);
      part[t] += e;
      row[t] = e;
    }
  }
  for (int t = 0; t < kRows; ++t) r.sum[t] = r.sum[t] * r.factor[t] + part[t];
}

template <class T>
void Forward(const AttentionPage<T>& page, T* memory) {
  constexpr int kRows = kBlock<T>;
  Scratch<T> scratch{memory};
  const Memory<T> m(page, scratch);
  Pack(page.k, page.depth, page.keys, page.keys, T(1), m.k, m.ldk);
  Pack(page.v, page.value_depth, page.keys, page.keys, T(1), m.v, m.ldv);
  for (int64_t start = 0; start < page.queries; start += kRows) {
    const int64_t count = Smaller(kRows, page.queries - start);
    Pack(From(page.q, start), page.depth, count, kRows, page.scale, m.q, m.ldk);
    Transpose(m.q, m.ldk, m.q_panel);
    Running<T> r;
    for (int t = 0; t < kRows; ++t) {
      r.greatest[t] = -static_cast<T>(__builtin_inf());
      r.sum[t] = 0;
    }
    const int64_t seen = KeysSeen(page, start, count);
    for (int64_t first = 0; first < seen; first += kKeys<T>) {
      const int64_t n = Smaller(kKeys<T>, seen - first);
      Scores(page, m, start, first, n);
      Exponentials(n, m.probability, r);
      if (first > 0) {
        for (int64_t t = 0; t < count; ++t) {
          for (int64_t i = 0; i < m.ldv; ++i) m.y[t * m.ldv + i] *= r.factor[t];
        }
      }
      Product<true>(m.ldv, count, n, m.v + first * m.ldv, m.ldv, m.probability, kRows, first > 0,
                    m.y, m.ldv);
    }
    for (int64_t t = 0; t < count; ++t) {
      page.greatest[start + t] = r.greatest[t];
      page.inverse_sum[start + t] = r.sum[t] = 1 / r.sum[t];
    }
    Unpack(m.y, m.ldv, page.value_depth, count, r.sum, true, From(page.y, start));
  }
}

// probability = exp(scores - greatest) / sum, derivative = probability (derivative - mean).
template <class T>
void ScoreGradient(int64_t n, T* probability, T* derivative, const T* greatest, const T* inverse,
                   const T* mean) {
  constexpr int kRows = kBlock<T>;
  for (int64_t s = 0; s < n; ++s, probability += kRows, derivative += kRows) {
#pragma GCC ivdep
    for (int t = 0; t < kRows; ++t) {
      const T e = math::ExpOfNegative(probability[t] - greatest[t]) * inverse[t];
      probability[t] = e;
      derivative[t] = e * (derivative[t] - mean[t]);
    }
  }
}

// For each query the sum of y dy. y is overwritten.
template <class T>
void Means(int64_t ld, const T* dy_panel, T* y, T* y_panel, T* mean) {
  Transpose(y, ld, y_panel);
  for (int t = 0; t < kBlock<T>; ++t) mean[t] = 0;
  for (int64_t i = 0; i < ld; ++i) {
    for (int t = 0; t < kBlock<T>; ++t) {
      mean[t] += y_panel[i * kBlock<T> + t] * dy_panel[i * kBlock<T> + t];
    }
  }
}

template <class T>
void Backward(const AttentionGradientPage<T>& gradient, T* memory) {
  constexpr int kRows = kBlock<T>;
  const AttentionPage<T>& page = gradient.of;
  Scratch<T> scratch{memory};
  const Memory<T> m(page, scratch);
  const T one = 1;
  Pack(page.k, page.depth, page.keys, page.keys, one, m.k, m.ldk);
  Pack(page.v, page.value_depth, page.keys, page.keys, one, m.v, m.ldv);
  for (int64_t i = 0; i < m.ldk * page.keys; ++i) m.dk[i] = 0;
  for (int64_t i = 0; i < m.ldv * page.keys; ++i) m.dv[i] = 0;
  for (int64_t start = 0; start < page.queries; start += kRows) {
    const int64_t count = Smaller(kRows, page.queries - start);
    Pack(From(page.q, start), page.depth, count, kRows, page.scale, m.q, m.ldk);
    Pack(From(gradient.dy, start), page.value_depth, count, kRows, one, m.dy, m.ldv);
    Pack<T>({page.y.data + start * page.y.step, page.y.step}, page.value_depth, count, kRows, one,
            m.y, m.ldv);
    Transpose(m.q, m.ldk, m.q_panel);
    Transpose(m.dy, m.ldv, m.dy_panel);
    T greatest[kRows], inverse[kRows], mean[kRows];
    Means(m.ldv, m.dy_panel, m.y, m.probability, mean);
    for (int64_t t = 0; t < kRows; ++t) {
      greatest[t] = t < count ? page.greatest[start + t] : 0;
      inverse[t] = t < count ? page.inverse_sum[start + t] : 0;
    }
    const int64_t seen = KeysSeen(page, start, count);
    for (int64_t first = 0; first < seen; first += kKeys<T>) {
      const int64_t n = Smaller(kKeys<T>, seen - first);
      T *const k = m.k + first * m.ldk, *const v = m.v + first * m.ldv;
      Scores(page, m, start, first, n);
      Product<false>(kRows, n, page.value_depth, m.dy_panel, kRows, v, m.ldv, false, m.derivative,
                     kRows);
      ScoreGradient(n, m.probability, m.derivative, greatest, inverse, mean);
      Product<false>(m.ldv, n, count, m.dy, m.ldv, m.probability, kRows, true, m.dv + first * m.ldv,
                     m.ldv);
      Product<false>(m.ldk, n, count, m.q, m.ldk, m.derivative, kRows, true, m.dk + first * m.ldk,
                     m.ldk);
      Product<true>(m.ldk, count, n, k, m.ldk, m.derivative, kRows, first > 0, m.dq, m.ldk);
    }
    Unpack(m.dq, m.ldk, page.depth, count, &page.scale, false, From(gradient.dq, start));
  }
  Unpack(m.dk, m.ldk, page.depth, page.keys, &one, false, gradient.dk);
  Unpack(m.dv, m.ldv, page.value_depth, page.keys, &one, false, gradient.dv);
}

template <class T>
int64_t ScratchSize(const AttentionPage<T>& page) {
  Scratch<T> scratch{nullptr};
  const Memory<T> m(page, scratch);
  return scratch.used;
}

template <class T>
constexpr AttentionLoops<T> kLoops = {ScratchSize<T>, Forward<T>, Backward<T>};

}  // namespace

const AttentionLoops<float>& FindAttentionLoops(float) { return kLoops<float>; }
const AttentionLoops<double>& FindAttentionLoops(double) { return kLoops<double>; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
