#include "framework/cpu/gemm_amx.h"

#include <algorithm>
#include <cmath>

#include "framework/cpu/amx.h"
#include "framework/cpu/gemm_amx_kernels.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using namespace amx;  // NOLINT: the inside of this file

int64_t Ceiling(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }

constexpr int64_t kDepth = 256;  // numbers of k in a block: 48 KB of a panel
constexpr int64_t kPanelSize = PackedSize(kPanel, kDepth);
constexpr int64_t kGroup = 4;  // panels that are split together
// Numbers of the kept factor, split, at once: 1.2 MB, for the second cache.
constexpr int64_t kKept = 768 * 256;

// The unit's rows lie along C's columns, so it computes C' = op(B)' op(A)'. Of the longer one of
// C's sides, each thread has some panels, which it splits one after another; the other factor it
// splits and keeps. Each thread does that for itself: to fetch what another one has just written
// takes longer than to split it again.
class AmxProduct {
 public:
  AmxProduct(const SingleProduct& p, void (*plain)(const SingleProduct&))
      : p_(p), plain_(plain), keep_a_(p.n >= p.m) {}

  void Run() const {
    const double operations = 2.0 * static_cast<double>(kept_.size * p_.k * kPanel);
    const auto grain = static_cast<int64_t>(kParallelOperations / 2 / operations) + 1;
    ParallelFor(Ceiling(streamed_.size, kPanel), grain, [&](int64_t begin, int64_t end) {
      RunPart({begin * kPanel, std::min(end * kPanel, streamed_.size)});
    });
  }

 private:
  struct Range {
    int64_t begin = 0, end = 0;
    int64_t size() const { return end - begin; }
    // The i-th part of some length.
    Range Part(int64_t i, int64_t length) const {
      return {begin + i * length, std::min(begin + (i + 1) * length, end)};
    }
  };

  void RunPart(Range streamed) const {
    const int64_t deep = std::min(p_.k, std::max(kKept / kept_.size / kDepth, int64_t{2}) * kDepth);
    const int64_t parts = Ceiling(kept_.size, std::max(kKept / deep, kPanel));
    const int64_t rows = Ceiling(Ceiling(kept_.size, parts), kPanel) * kPanel;
    ScratchArray<uint16_t> packed(rows / kPanel * Ceiling(deep, kDepth) * kPanelSize);
    ScratchArray<uint16_t> own(kGroup * kPanelSize);
    ScratchArray<float> sum(kPanel * kPanel);
    AmxTiles tiles;
    for (int64_t start = 0; start < p_.k; start += deep) {
      for (int64_t first = 0; first < kept_.size; first += rows) {
        const Range k = {start, std::min(start + deep, p_.k)};
        const Range kept = {first, std::min(first + rows, kept_.size)};
        PackKept(kept, k, packed.data());
        MultiplyAll(kept, packed.data(), streamed, own.data(), k, sum.data(), tiles);
      }
    }
  }

  // All panels of a block of k follow each other.
  void PackKept(Range kept, Range k, uint16_t* packed) const {
    const int64_t panels = Ceiling(kept.size(), kPanel), blocks = Ceiling(k.size(), kDepth);
    for (int64_t b = 0; b < blocks; ++b) {
      const Range l = k.Part(b, kDepth);
      kernels_.pack(kept_, kept.begin, kept.size(), l.begin, l.size(), keep_a_,
                    packed + b * panels * kPanelSize, kPanelSize);
    }
  }

  void MultiplyAll(Range kept, const uint16_t* of_kept, Range streamed, uint16_t* own, Range k,
                   float* sum, AmxTiles& tiles) const {
    const int64_t blocks = Ceiling(k.size(), kDepth), panels = Ceiling(kept.size(), kPanel);
    const int64_t items = Ceiling(streamed.size(), kGroup * kPanel) * blocks;
    const auto group = [&](int64_t i) { return streamed.Part(i / blocks, kGroup * kPanel); };
    const auto block = [&](int64_t i) { return k.Part(i % blocks, kDepth); };
    for (int64_t i = 0; i < items; ++i) {
      const Range of = group(i), l = block(i);
      kernels_.pack(streamed_, of.begin, of.size(), l.begin, l.size(), !keep_a_, own, kPanelSize);
      MultiplyGroup(kept, of_kept + i % blocks * panels * kPanelSize, of, own, l,
                    i + 1 < items ? group(i + 1) : Range{}, block(i + 1), sum, tiles);
    }
  }

  // Meanwhile the next group and block of k come to the cache.
  void MultiplyGroup(Range kept, const uint16_t* of_kept, Range streamed,
                     const uint16_t* of_streamed, Range k, Range next, Range next_k, float* sum,
                     AmxTiles& tiles) const {
    const int64_t panels = Ceiling(kept.size(), kPanel), own = Ceiling(streamed.size(), kPanel);
    const int64_t all = own * panels;
    for (int64_t i = 0; i < all; ++i) {
      // Down the columns of C.
      const int64_t j = keep_a_ ? i / panels : i % own, s = keep_a_ ? i % panels : i / own;
      if (next.size() > 0) {
        kernels_.prefetch(streamed_, next.begin, next.size(), next_k.begin, next_k.size(), i, all);
      }
      Multiply(kept.Part(s, kPanel), of_kept + s * kPanelSize, streamed.Part(j, kPanel),
               of_streamed + j * kPanelSize, k, sum, tiles);
    }
  }

  void Multiply(Range kept, const uint16_t* of_kept, Range streamed, const uint16_t* of_streamed,
                Range k, float* sum, AmxTiles& tiles) const {
    const Range rows = keep_a_ ? kept : streamed, columns = keep_a_ ? streamed : kept;
    SingleProduct block = p_;
    block.beta = k.begin == 0 ? p_.beta : 1;
    block.c += rows.begin + columns.begin * p_.ldc;
    block.m = rows.size();
    block.n = columns.size();
    block.k = k.size();
    if (kernels_.multiply(keep_a_ ? of_streamed : of_kept, block.n, keep_a_ ? of_kept : of_streamed,
                          block.m, block.k, block.alpha * kUnscale, block.beta, block.c, block.ldc,
                          sum)) {
      return;
    }
    block.a += p_.transpose_a ? k.begin + rows.begin * p_.lda : rows.begin + k.begin * p_.lda;
    block.b += p_.transpose_b ? columns.begin + k.begin * p_.ldb : k.begin + columns.begin * p_.ldb;
    plain_(block);
    tiles.Load();
  }

  const SingleProduct& p_;
  void (*const plain_)(const SingleProduct&);
  const GemmKernels& kernels_ = FindGemmKernels();
  const bool keep_a_;
  const Factor a_ = {p_.a, p_.lda, p_.transpose_a, p_.m},
               b_ = {p_.b, p_.ldb, !p_.transpose_b, p_.n};
  const Factor &kept_ = keep_a_ ? a_ : b_, &streamed_ = keep_a_ ? b_ : a_;
};

}  // namespace

bool AmxPays(const SingleProduct& p) {
  // Measured by tools/bench:products. Below, splitting the numbers costs what the unit saves; it
  // computes with multiples of kStep numbers of k; and sums of a long k are brought to few results
  // block by block.
  const int64_t shorter = std::min(p.m, p.n), computed = Ceiling(p.k, kStep) * kStep;
  if (shorter < 128 || p.k < 64 || 8 * p.k < 7 * computed || p.k > 8 * shorter) return false;
  // alpha kUnscale must be a normal number.
  return HasAmx() && std::abs(p.alpha) > 0x1p-60f && std::abs(p.alpha) < 0x1p60f;
}

void AmxGemm(const SingleProduct& product, void (*plain)(const SingleProduct&)) {
  AmxProduct(product, plain).Run();
}

}  // namespace lamina::cpu
