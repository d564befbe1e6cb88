#include "framework/cpu/normalize.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "framework/cpu/dim_walk.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/normalize_loops.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

// The order in which terms are added; fixed, so that results do not depend on threads.
constexpr int64_t kBlockElements = 2048;  // added in lanes, for one group
constexpr int64_t kBlockRows = 64;        // added in each column
constexpr int64_t kSegmentTerms = 65536;  // elements of an item of work, about
constexpr int64_t kMaxColumns = 1024;     // of a bundle
constexpr int64_t kNarrow = 128;          // rows shorter than this are taken several at once
constexpr int64_t kLongRow = 256;         // from here on, a row is better added by itself ...
constexpr int64_t kLongOnlyRow = 32;      // ... also if it is the whole group

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

struct Dim {
  int64_t size, stride;
};

// How the array falls into bundles: one group, or some neighbouring groups that are worked on
// column by column. A bundle's elements are rows of equal distance, in several runs of rows.
struct Plan {
  bool one_group;
  int64_t group_size, groups;
  int64_t inner;        // neighbouring elements of one group in a row
  int64_t neighbours;   // groups that lie beside each other
  int64_t tile, tiles;  // groups of a bundle, bundles of a row of groups
  int64_t fold;         // rows taken as one
  Dim run;              // the rows
  int64_t tail;         // rows left over by `fold`
  int64_t block_rows, pieces, blocks_per_run, blocks;
  int64_t segment_blocks, segments;
  DimWalk runs, kept;  // the other dims

  int64_t bundles() const { return tiles * kept.count(); }
};

Plan MakePlan(std::span<const int64_t> sizes, DimMask dims) {
  // Neighbouring dims of the same kind joined, those of size 1 left out; reduced ones and others
  // take turns, beginning with a reduced one.
  Dim joined[2 * DimWalk::kMaxRank + 4];
  int n = 1;
  joined[0] = {1, 1};
  Plan p;
  p.groups = p.group_size = 1;
  int64_t stride = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 1) continue;
    const bool reduced = ((dims >> d) & 1) != 0;
    (reduced ? p.group_size : p.groups) *= sizes[d];
    if (reduced == (n % 2 == 1)) {
      joined[n - 1].size *= sizes[d];
    } else {
      joined[n++] = {sizes[d], stride};
    }
    stride *= sizes[d];
  }
  while (n < 3) joined[n++] = {1, stride};
  p.inner = joined[0].size;
  p.neighbours = joined[1].size;
  p.run = joined[2];
  for (int i = 3; i < n; ++i) (i % 2 == 0 ? p.runs : p.kept).Add(joined[i].size, joined[i].stride);

  p.one_group = p.groups == 1 || p.inner >= (p.inner == p.group_size ? kLongOnlyRow : kLongRow);
  p.fold = p.pieces = 1;
  p.tail = 0;
  int64_t block_elements;
  if (p.one_group) {
    p.tile = 1;
    p.pieces = DivideUp(p.inner, kBlockElements);
    p.block_rows = std::clamp<int64_t>(kBlockElements / p.inner, 1, p.run.size);
    p.blocks_per_run = p.pieces * DivideUp(p.run.size, p.block_rows);
    block_elements = std::min(p.inner, kBlockElements) * p.block_rows;
  } else {
    p.tile = std::clamp<int64_t>(kMaxColumns / p.inner, 1, p.neighbours);
    const int64_t width = p.inner * p.neighbours;
    if (width <= kNarrow / 2) {
      p.fold = std::clamp<int64_t>(kNarrow / width, 1, p.run.size);
      p.tail = p.run.size % p.fold;
      p.run = {p.run.size / p.fold, p.run.stride * p.fold};
    }
    p.block_rows = std::min(kBlockRows, p.run.size);
    p.blocks_per_run = DivideUp(p.run.size, p.block_rows) + (p.tail > 0 ? 1 : 0);
    block_elements = p.inner * p.tile * p.fold * p.block_rows;
  }
  p.tiles = DivideUp(p.neighbours, p.tile);
  p.blocks = p.blocks_per_run * p.runs.count();
  p.segment_blocks = std::max<int64_t>(1, kSegmentTerms / block_elements);
  p.segments = DivideUp(p.blocks, p.segment_blocks);
  return p;
}

struct Bundle {
  int64_t first_group, groups;
  int64_t offset;   // of its first element
  int64_t columns;  // numbers that a block gives
};

template <class T>
class Normalizer {
 public:
  Normalizer(const Plan& plan, const NormalizeLoops<T>& loops)
      : plan_(plan),
        loops_(loops),
        block_loops_(plan.one_group ? loops.one_group : loops.columns) {}

  const NormalizeBlockLoops<T>& block_loops() const { return block_loops_; }

  // Calls f(bundle, memory) for all bundles, on several threads; `memory` holds 8 * kMaxColumns
  // numbers. Few bundles are left to the threads inside of f.
  template <class F>
  void ForBundles(F f) const {
    const auto some = [&](int64_t begin, int64_t end) {
      ScratchArray<T> memory(8 * kMaxColumns);
      DimWalk kept = plan_.kept;
      kept.Start(begin / plan_.tiles);
      int64_t tile = begin % plan_.tiles;
      for (int64_t i = begin; i < end; ++i) {
        Bundle b;
        b.first_group = i / plan_.tiles * plan_.neighbours + tile * plan_.tile;
        b.groups = std::min(plan_.tile, plan_.neighbours - tile * plan_.tile);
        b.offset = kept.offset() + tile * plan_.tile * plan_.inner;
        b.columns = plan_.one_group ? 1 : plan_.inner * b.groups * plan_.fold;
        f(b, memory.data());
        if (++tile == plan_.tiles) {
          tile = 0;
          kept.Next();
        }
      }
    };
    const int64_t bundles = plan_.bundles();
    if (plan_.segments > 1 && bundles < 2 * NumThreads()) return some(0, bundles);
    const int64_t elements = std::max<int64_t>(1, plan_.groups * plan_.group_size / bundles);
    ParallelFor(bundles, std::max<int64_t>(1, kElementwiseGrain / elements), some);
  }

  // Calls f(offset, block) for the blocks of a bundle from number `begin` to `end`.
  template <class F>
  void ForBlocks(const Bundle& bundle, int64_t begin, int64_t end, F f) const {
    if (plan_.blocks == 1) {  // the common case where there are many small groups
      return f(bundle.offset, NormalizeBlock{plan_.run.stride, plan_.run.size,
                                             plan_.one_group ? plan_.inner : bundle.columns});
    }
    DimWalk runs = plan_.runs;
    runs.Start(begin / plan_.blocks_per_run);
    int64_t part = begin % plan_.blocks_per_run;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = std::min(part / plan_.pieces * plan_.block_rows, plan_.run.size);
      const int64_t column = part % plan_.pieces * kBlockElements;
      NormalizeBlock block{
          plan_.run.stride, std::min(plan_.block_rows, plan_.run.size - row),
          plan_.one_group ? std::min(kBlockElements, plan_.inner - column) : bundle.columns};
      if (row == plan_.run.size) block = {0, 1, bundle.columns / plan_.fold * plan_.tail};
      f(bundle.offset + runs.offset() + row * plan_.run.stride + column, block);
      if (++part == plan_.blocks_per_run) {
        part = 0;
        runs.Next();
      }
    }
  }

  // The same for all blocks, on several threads.
  template <class F>
  void ForAllBlocks(const Bundle& bundle, F f) const {
    ParallelFor(plan_.segments, 1, [&](int64_t begin, int64_t end) {
      ForBlocks(bundle, begin * plan_.segment_blocks,
                std::min(plan_.blocks, end * plan_.segment_blocks), f);
    });
  }

  // totals[group] = sum over the group, `sums` times one after the other. `other` is an array like
  // x if `other_moves`, else the values of the columns. `memory` holds 4 * kMaxColumns numbers.
  void Sum(const Bundle& bundle, typename NormalizeBlockLoops<T>::SumFn f, int sums, const T* x,
           const T* other, bool other_moves, T* memory, T* totals) const {
    const int64_t n = sums * bundle.columns;
    const auto add = [&](int64_t segment, T* block_sums, T* sum, T* rest) {
      std::fill_n(block_sums, n, T(0));
      std::fill_n(sum, n, T(0));
      if (plan_.blocks == 1) {
        ForBlocks(bundle, 0, 1, [&](int64_t offset, NormalizeBlock block) {
          f(x + offset, other_moves ? other + offset : other, block, bundle.columns, sum);
        });
        return;
      }
      std::fill_n(rest, n, T(0));
      ForBlocks(bundle, segment * plan_.segment_blocks,
                std::min(plan_.blocks, (segment + 1) * plan_.segment_blocks),
                [&](int64_t offset, NormalizeBlock block) {
                  f(x + offset, other_moves ? other + offset : other, block, bundle.columns,
                    block_sums);
                  loops_.accumulate(block_sums, n, sum, rest);
                });
      loops_.finish(sum, rest, n);
    };
    T* const rest = memory + 2 * kMaxColumns;
    if (plan_.segments == 1) {
      // The sums of blocks can share memory with the totals: they are used before.
      ScratchArray<T> block_sums(plan_.blocks == 1 ? 0 : n);
      add(0, plan_.blocks == 1 ? rest : block_sums.data(), memory, rest);
    } else {
      ScratchArray<T> partial(plan_.segments * n);
      ParallelFor(plan_.segments, 1, [&](int64_t begin, int64_t end) {
        ScratchArray<T> local(2 * n);
        for (int64_t s = begin; s < end; ++s) {
          add(s, local.data(), partial.data() + s * n, local.data() + n);
        }
      });
      std::fill_n(memory, n, T(0));
      std::fill_n(rest, n, T(0));
      for (int64_t s = 0; s < plan_.segments; ++s) {
        loops_.accumulate(partial.data() + s * n, n, memory, rest);
      }
      loops_.finish(memory, rest, n);
    }
    for (int i = 0; i < sums; ++i) {
      const T* from = memory + i * bundle.columns;
      T* to = totals + i * bundle.groups;
      if (bundle.columns == bundle.groups) {
        std::copy_n(from, bundle.groups, to);
      } else {
        loops_.contract(from, plan_.inner, bundle.groups, plan_.fold, to);
      }
    }
  }

  // The values of groups for the columns: `groups` itself or in `memory`.
  const T* Expand(const Bundle& bundle, const T* groups, T* memory) const {
    if (bundle.columns == bundle.groups) return groups;
    loops_.expand(groups, plan_.inner, bundle.groups, plan_.fold, memory);
    return memory;
  }

 private:
  const Plan& plan_;
  const NormalizeLoops<T>& loops_;
  const NormalizeBlockLoops<T>& block_loops_;
};

template <class T>
const NormalizeLoops<T>& Loops() {
  using Find = const NormalizeLoops<T>& (*)(T);
  static const Find find = []() -> Find {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindNormalizeLoops;
      case InstructionSet::kV3:
        return v3::FindNormalizeLoops;
      default:
        return v2::FindNormalizeLoops;
    }
  }();
  return find(T());
}

template <class T>
void Forward(const Plan& plan, double epsilon, const T* x, T* y, T* mean, T* variance,
             T* inverse_deviation) {
  const Normalizer<T> normalizer(plan, Loops<T>());
  const NormalizeBlockLoops<T>& loops = normalizer.block_loops();
  const T n = static_cast<T>(plan.group_size);
  normalizer.ForBundles([&](const Bundle& b, T* memory) {
    T* const m = mean + b.first_group;
    T* const s = inverse_deviation + b.first_group;
    normalizer.Sum(b, loops.sum, 1, x, nullptr, false, memory, m);
    for (int64_t g = 0; g < b.groups; ++g) {
      m[g] /= n;
      m[g] += m[g] - m[g];  // inf becomes NaN
    }
    const T* const wide_mean = normalizer.Expand(b, m, memory + 4 * kMaxColumns);
    normalizer.Sum(b, loops.squares, 1, x, wide_mean, false, memory, s);
    for (int64_t g = 0; g < b.groups; ++g) {
      const T v = s[g] / n;
      if (variance != nullptr) variance[b.first_group + g] = v;
      s[g] = static_cast<T>(1 / std::sqrt(static_cast<double>(v) + epsilon));
    }
    const T* const wide_inverse = normalizer.Expand(b, s, memory + 5 * kMaxColumns);
    normalizer.ForAllBlocks(b, [&](int64_t offset, NormalizeBlock block) {
      loops.standardize(x + offset, wide_mean, wide_inverse, block, y + offset);
    });
  });
}

template <class T>
void Backward(const Plan& plan, const T* y, const T* dy, const T* inverse_deviation, T* dx) {
  const Normalizer<T> normalizer(plan, Loops<T>());
  const NormalizeBlockLoops<T>& loops = normalizer.block_loops();
  const T n = static_cast<T>(plan.group_size);
  normalizer.ForBundles([&](const Bundle& b, T* memory) {
    T* const means = memory + 4 * kMaxColumns;
    normalizer.Sum(b, loops.products, 2, y, dy, true, memory, means);
    for (int64_t g = 0; g < 2 * b.groups; ++g) means[g] /= n;
    const T* const inverse =
        normalizer.Expand(b, inverse_deviation + b.first_group, memory + 6 * kMaxColumns);
    const T* const mean = normalizer.Expand(b, means, memory);
    const T* const slope = normalizer.Expand(b, means + b.groups, memory + kMaxColumns);
    normalizer.ForAllBlocks(b, [&](int64_t offset, NormalizeBlock block) {
      loops.gradient(y + offset, dy + offset, mean, slope, inverse, block, dx + offset);
    });
  });
}

}  // namespace

void Standardize(DataType type, const void* x, std::span<const int64_t> sizes, DimMask dims,
                 double epsilon, void* y, void* mean, void* variance, void* inverse_deviation) {
  LAMINA_CHECK(IsRealFloating(type) && sizes.size() <= DimWalk::kMaxRank);
  const auto run = [&]<class T>(T) {
    int64_t groups = 1;
    bool empty = false;
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (((dims >> d) & 1) == 0) groups *= sizes[d];
      empty = empty || sizes[d] == 0;
    }
    if (empty) {
      for (void* p : {mean, variance, inverse_deviation}) {
        if (p != nullptr) {
          std::fill_n(static_cast<T*>(p), groups, std::numeric_limits<T>::quiet_NaN());
        }
      }
      return;
    }
    Forward(MakePlan(sizes, dims), epsilon, static_cast<const T*>(x), static_cast<T*>(y),
            static_cast<T*>(mean), static_cast<T*>(variance), static_cast<T*>(inverse_deviation));
  };
  type == DataType::kSingle ? run(float()) : run(double());
}

void StandardizeBackward(DataType type, const void* y, const void* dy,
                         const void* inverse_deviation, std::span<const int64_t> sizes,
                         DimMask dims, void* dx) {
  LAMINA_CHECK(IsRealFloating(type) && sizes.size() <= DimWalk::kMaxRank);
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) return;
  const auto run = [&]<class T>(T) {
    Backward(MakePlan(sizes, dims), static_cast<const T*>(y), static_cast<const T*>(dy),
             static_cast<const T*>(inverse_deviation), static_cast<T*>(dx));
  };
  type == DataType::kSingle ? run(float()) : run(double());
}

}  // namespace lamina::cpu
