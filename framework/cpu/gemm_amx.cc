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
// Numbers of the factor that all threads share, split, at once: 1.2 MB, for the second cache.
constexpr int64_t kShared = 768 * 256;

// The unit's rows lie along C's columns, so it computes C' = op(B)' op(A)'. Of the longer one of
// C's sides, each thread has some panels, which it splits one after another; the other factor is
// split once, by all threads.
class AmxProduct {
 public:
  AmxProduct(const SingleProduct& p, void (*plain)(const SingleProduct&))
      : p_(p), plain_(plain), share_a_(p.n >= p.m) {}

  void Run() {
    const int64_t deep =
        std::min(p_.k, std::max(kShared / shared_.size / kDepth, int64_t{2}) * kDepth);
    const int64_t parts = Ceiling(shared_.size, std::max(kShared / deep, kPanel));
    const int64_t rows = Ceiling(Ceiling(shared_.size, parts), kPanel) * kPanel;
    ScratchArray<uint16_t> packed(rows / kPanel * Ceiling(deep, kDepth) * kPanelSize);
    for (int64_t start = 0; start < p_.k; start += deep) {
      for (int64_t first = 0; first < shared_.size; first += rows) {
        const Range k = {start, std::min(start + deep, p_.k)};
        const Range shared = {first, std::min(first + rows, shared_.size)};
        PackShared(shared, k, packed.data());
        MultiplyAll(shared, k, packed.data());
      }
    }
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

  // All panels of a block of k follow each other.
  void PackShared(Range shared, Range k, uint16_t* packed) const {
    const int64_t panels = Ceiling(shared.size(), kPanel), blocks = Ceiling(k.size(), kDepth);
    const int64_t groups = Ceiling(panels, kGroup);
    ParallelFor(groups * blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t b = i / groups, group = i % groups;
        const Range of = shared.Part(group, kGroup * kPanel), l = k.Part(b, kDepth);
        kernels_.pack(shared_, of.begin, of.size(), l.begin, l.size(), share_a_,
                      packed + (b * panels + group * kGroup) * kPanelSize, kPanelSize);
      }
    });
  }

  void MultiplyAll(Range shared, Range k, const uint16_t* packed) const {
    const int64_t blocks = Ceiling(k.size(), kDepth);
    const double operations = 2.0 * static_cast<double>(shared.size() * k.size() * kPanel);
    const auto grain = static_cast<int64_t>(kParallelOperations / 2 / operations) + 1;
    ParallelFor(Ceiling(streamed_.size, kPanel), grain, [&](int64_t begin, int64_t end) {
      ScratchArray<uint16_t> own(kGroup * kPanelSize);
      ScratchArray<float> sum(kPanel * kPanel);
      const Range mine = {begin * kPanel, std::min(end * kPanel, streamed_.size)};
      const int64_t items = Ceiling(mine.size(), kGroup * kPanel) * blocks;
      const auto group = [&](int64_t i) { return mine.Part(i / blocks, kGroup * kPanel); };
      const auto block = [&](int64_t i) { return k.Part(i % blocks, kDepth); };
      AmxTiles tiles;
      for (int64_t i = 0; i < items; ++i) {
        const Range of = group(i), l = block(i);
        kernels_.pack(streamed_, of.begin, of.size(), l.begin, l.size(), !share_a_, own.data(),
                      kPanelSize);
        MultiplyGroup(shared, packed + i % blocks * Ceiling(shared.size(), kPanel) * kPanelSize, of,
                      own.data(), l, i + 1 < items ? group(i + 1) : Range{}, block(i + 1),
                      sum.data(), tiles);
      }
    });
  }

  // Meanwhile the next group and block of k come to the cache.
  void MultiplyGroup(Range shared, const uint16_t* of_shared, Range streamed,
                     const uint16_t* of_streamed, Range k, Range next, Range next_k, float* sum,
                     AmxTiles& tiles) const {
    const int64_t panels = Ceiling(shared.size(), kPanel), own = Ceiling(streamed.size(), kPanel);
    const int64_t all = own * panels;
    for (int64_t i = 0; i < all; ++i) {
      // Down the columns of C.
      const int64_t j = share_a_ ? i / panels : i % own, s = share_a_ ? i % panels : i / own;
      if (next.size() > 0) {
        kernels_.prefetch(streamed_, next.begin, next.size(), next_k.begin, next_k.size(), i, all);
      }
      Multiply(shared.Part(s, kPanel), of_shared + s * kPanelSize, streamed.Part(j, kPanel),
               of_streamed + j * kPanelSize, k, sum, tiles);
    }
  }

  void Multiply(Range shared, const uint16_t* of_shared, Range streamed,
                const uint16_t* of_streamed, Range k, float* sum, AmxTiles& tiles) const {
    const Range rows = share_a_ ? shared : streamed, columns = share_a_ ? streamed : shared;
    SingleProduct block = p_;
    block.beta = k.begin == 0 ? p_.beta : 1;
    block.c += rows.begin + columns.begin * p_.ldc;
    block.m = rows.size();
    block.n = columns.size();
    block.k = k.size();
    if (kernels_.multiply(share_a_ ? of_streamed : of_shared, block.n,
                          share_a_ ? of_shared : of_streamed, block.m, block.k,
                          block.alpha * kUnscale, block.beta, block.c, block.ldc, sum)) {
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
  const bool share_a_;
  const Factor a_ = {p_.a, p_.lda, p_.transpose_a, p_.m},
               b_ = {p_.b, p_.ldb, !p_.transpose_b, p_.n};
  const Factor &shared_ = share_a_ ? a_ : b_, &streamed_ = share_a_ ? b_ : a_;
};

}  // namespace

bool AmxPays(const SingleProduct& p) {
  // Below, splitting the numbers costs what the unit saves.
  if (std::min(p.m, p.n) < 192 || p.k < 128) return false;
  // alpha kUnscale must be a normal number.
  return HasAmx() && std::abs(p.alpha) > 0x1p-60f && std::abs(p.alpha) < 0x1p60f;
}

void AmxGemm(const SingleProduct& product, void (*plain)(const SingleProduct&)) {
  AmxProduct(product, plain).Run();
}

}  // namespace lamina::cpu
