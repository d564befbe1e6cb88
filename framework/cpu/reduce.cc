#include "framework/cpu/reduce.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "framework/cpu/dim_walk.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/reduce_loops.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

// The shape of the tree in which terms are combined; fixed, so that results do not depend on
// threads.
constexpr int64_t kPieceLength = 2048;    // elements that one call of `contiguous` takes
constexpr int64_t kBlockTerms = 128;      // rows that one lane of `columns` adds
constexpr int64_t kTileBytes = 4096;      // width of a call of `columns`
constexpr int64_t kSegmentTerms = 65536;  // elements of an item of work, about
constexpr int kMaxLevels = 24;

// The array with neighbouring dims of the same kind joined and dims of size 1 left out.
struct Plan {
  bool inner_reduced;     // whether the fastest dim is reduced
  int64_t inner_length;   // its length
  DimWalk kept, reduced;  // the other dims
};

Plan MakePlan(std::span<const int64_t> sizes, DimMask dims) {
  Plan plan{};
  bool first = true, last_reduced = false;
  int64_t stride = 1, run = 1, run_stride = 1;
  const auto close = [&] {
    if (run == 1) return;
    if (first) {
      plan.inner_reduced = last_reduced;
      plan.inner_length = run;
      first = false;
    } else {
      (last_reduced ? plan.reduced : plan.kept).Add(run, run_stride);
    }
  };
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 1) continue;
    const bool reduced = ((dims >> d) & 1) != 0;
    if (run == 1 || reduced != last_reduced) {
      close();
      run = 1;
      run_stride = stride;
      last_reduced = reduced;
    }
    run *= sizes[d];
    stride *= sizes[d];
  }
  close();
  if (first) {  // a single element
    plan.inner_reduced = true;
    plan.inner_length = 1;
  }
  return plan;
}

// Combines results in pairs as they come: after 2^k of them, k + 1 levels were used. Each level
// holds `width` elements.
class PairwiseTree {
 public:
  PairwiseTree(const ReduceLoops& loops, int64_t width, char* memory)
      : loops_(loops), width_(width), level_bytes_(width * loops.result_size), memory_(memory) {}

  // Where the next result is to be written; then call Push.
  void* Slot() { return memory_ + depth_ * level_bytes_; }
  void Push() {
    ++depth_;
    ++count_;
    for (int64_t i = count_; (i & 1) == 0; i >>= 1) Join();
  }
  // At least one result was pushed.
  void Finish(void* result) {
    while (depth_ > 1) Join();
    std::memcpy(result, memory_, static_cast<size_t>(level_bytes_));
  }

 private:
  void Join() {
    --depth_;
    loops_.combine(memory_ + (depth_ - 1) * level_bytes_, memory_ + depth_ * level_bytes_, width_);
  }

  const ReduceLoops& loops_;
  const int64_t width_, level_bytes_;
  char* const memory_;
  int depth_ = 0;
  int64_t count_ = 0;
};

int64_t DivideUp(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Runs `work(first, last)` over items of about `terms` elements each.
template <class F>
void ForItems(int64_t items, int64_t terms, F work) {
  ParallelFor(items, std::max<int64_t>(1, kElementwiseGrain / std::max<int64_t>(terms, 1)), work);
}

// The fastest dim is reduced: each result is made of rows, each row of pieces.
void ReduceRows(const ReduceLoops& loops, const Plan& plan, const char* in, char* out) {
  const int64_t results = plan.kept.count(), rows = plan.reduced.count();
  const int64_t pieces_per_row = std::max<int64_t>(1, DivideUp(plan.inner_length, kPieceLength));
  const int64_t pieces = rows * pieces_per_row;
  const int64_t piece = std::min(plan.inner_length, kPieceLength);
  const int64_t segment_pieces = std::max<int64_t>(1, kSegmentTerms / std::max<int64_t>(piece, 1));
  const int64_t segments = DivideUp(pieces, segment_pieces);
  // Partial results, segment by segment.
  ScratchArray<char> scratch(segments > 1 ? segments * results * loops.result_size : 0);
  char* partial = segments > 1 ? scratch.data() : out;
  ForItems(results * segments, std::min(pieces, segment_pieces) * piece,
           [&](int64_t first, int64_t last) {
             DimWalk kept = plan.kept, reduced = plan.reduced;
             alignas(64) char levels[kMaxLevels * 16];
             kept.Start(first % results);
             for (int64_t item = first; item < last; ++item, kept.Next()) {
               const int64_t segment = item / results;
               void* result = partial + item * loops.result_size;
               const char* base = in + kept.offset() * loops.input_size;
               if (pieces == 1) {
                 loops.contiguous(base, plan.inner_length, result);
                 continue;
               }
               PairwiseTree tree(loops, 1, levels);
               const int64_t begin = segment * segment_pieces;
               const int64_t end = std::min(pieces, begin + segment_pieces);
               reduced.Start(begin / pieces_per_row);
               int64_t part = begin % pieces_per_row;
               for (int64_t p = begin; p < end; ++p) {
                 const int64_t start = part * kPieceLength;
                 loops.contiguous(base + (reduced.offset() + start) * loops.input_size,
                                  std::min(kPieceLength, plan.inner_length - start), tree.Slot());
                 tree.Push();
                 if (++part == pieces_per_row) {
                   part = 0;
                   reduced.Next();
                 }
               }
               tree.Finish(result);
             }
           });
  for (int64_t step = 1; step < segments; step *= 2) {
    for (int64_t s = 0; s + step < segments; s += 2 * step) {
      loops.combine(partial + s * results * loops.result_size,
                    partial + (s + step) * results * loops.result_size, results);
    }
  }
  if (segments > 1) std::memcpy(out, partial, static_cast<size_t>(results * loops.result_size));
}

// The fastest dim is kept: tiles of it are combined row by row.
void ReduceColumns(const ReduceLoops& loops, const Plan& plan, const char* in, char* out) {
  const int64_t width = plan.inner_length;
  const int64_t tile = std::min(width, kTileBytes / std::max(loops.input_size, loops.result_size));
  const int64_t tiles = DivideUp(width, tile);
  const int64_t rows = plan.reduced.count();
  const int64_t results = width * plan.kept.count();
  // Rows of a call of `columns` must have one distance: they lie in the first reduced dim.
  const int64_t run = plan.reduced.rank() > 0 ? plan.reduced.size(0) : 1;
  const int64_t stride = plan.reduced.rank() > 0 ? plan.reduced.stride(0) : 0;
  const int64_t fold = stride == width ? std::max<int64_t>(1, 64 / tile) : 1;
  const int64_t block = std::min(run, kBlockTerms * fold);
  const int64_t blocks_per_run = DivideUp(run, block);
  DimWalk outer_reduced;
  for (int d = 1; d < plan.reduced.rank(); ++d) {
    outer_reduced.Add(plan.reduced.size(d), plan.reduced.stride(d));
  }
  const int64_t blocks = blocks_per_run * outer_reduced.count();
  const int64_t segment_blocks = std::max<int64_t>(1, kSegmentTerms / (block * tile));
  const int64_t segments = DivideUp(blocks, segment_blocks);
  const int64_t level_bytes = tile * loops.result_size;
  ScratchArray<char> scratch(segments > 1 ? segments * results * loops.result_size : 0);
  char* partial = segments > 1 ? scratch.data() : out;
  const int64_t items_per_segment = tiles * plan.kept.count();
  const int levels = 2 + std::bit_width(static_cast<uint64_t>(std::min(blocks, segment_blocks)));
  ForItems(segments * items_per_segment, std::min(rows, segment_blocks * block) * tile,
           [&](int64_t first, int64_t last) {
             DimWalk kept = plan.kept, outer = outer_reduced;
             ScratchArray<char> memory(levels * level_bytes);
             for (int64_t item = first; item < last; ++item) {
               const int64_t segment = item / items_per_segment;
               const int64_t in_segment = item % items_per_segment;
               const int64_t column = in_segment % tiles * tile;
               const int64_t kept_index = in_segment / tiles;
               kept.Start(kept_index);
               const int64_t columns = std::min(tile, width - column);
               char* result =
                   partial + (segment * results + kept_index * width + column) * loops.result_size;
               const char* base = in + (kept.offset() + column) * loops.input_size;
               const int64_t begin = segment * segment_blocks;
               const int64_t end = std::min(blocks, begin + segment_blocks);
               outer.Start(begin / blocks_per_run);
               int64_t part = begin % blocks_per_run;
               PairwiseTree tree(loops, columns, memory.data());
               for (int64_t b = begin; b < end; ++b) {
                 const int64_t row = part * block;
                 loops.columns(base + (outer.offset() + row * stride) * loops.input_size, stride,
                               std::min(block, run - row), columns,
                               end - begin == 1 ? result : tree.Slot());
                 if (end - begin > 1) tree.Push();
                 if (++part == blocks_per_run) {
                   part = 0;
                   outer.Next();
                 }
               }
               if (end - begin > 1) tree.Finish(result);
             }
           });
  for (int64_t step = 1; step < segments; step *= 2) {
    for (int64_t s = 0; s + step < segments; s += 2 * step) {
      loops.combine(partial + s * results * loops.result_size,
                    partial + (s + step) * results * loops.result_size, results);
    }
  }
  if (segments > 1) std::memcpy(out, partial, static_cast<size_t>(results * loops.result_size));
}

const ReduceLoops* FindLoops(Reduction reduction, DataType type) {
  if (IsRealFloating(type)) {
    using Find = const ReduceLoops* (*)(Reduction, bool);
    static const Find find = [] {
      switch (CurrentInstructionSet()) {
        case InstructionSet::kV4:
          return v4::FindFloatingReduce;
        case InstructionSet::kV3:
          return v3::FindFloatingReduce;
        default:
          return v2::FindFloatingReduce;
      }
    }();
    if (const ReduceLoops* loops = find(reduction, type == DataType::kDouble)) return loops;
  }
  return FindOtherReduce(reduction, type);
}

// Fills `out` for results that have no elements.
void FillEmpty(const ReduceLoops& loops, int64_t results, void* out) {
  for (int64_t i = 0; i < results; ++i) {
    loops.contiguous(nullptr, 0, static_cast<char*>(out) + i * loops.result_size);
  }
}

// Where the extreme `best` of each result is found first; `position` counts the reduced elements.
template <class T>
void FindFirst(const T* x, const T* best, const Plan& plan, int64_t* out) {
  DimWalk kept = plan.kept, reduced = plan.reduced;
  const int64_t columns = plan.inner_reduced ? 1 : plan.inner_length;
  const int64_t row = plan.inner_reduced ? plan.inner_length : 1;
  kept.Start(0);
  for (int64_t k = 0; k < kept.count(); ++k, kept.Next()) {
    for (int64_t j = 0; j < columns; ++j) {
      const int64_t result = k * columns + j;
      out[result] = 0;
      reduced.Start(0);
      bool found = false;
      for (int64_t r = 0; r < reduced.count() && !found; ++r, reduced.Next()) {
        const T* start = x + kept.offset() + reduced.offset() + j;
        for (int64_t i = 0; i < row && !found; ++i) {
          if (start[i] == best[result]) {
            out[result] = r * row + i;
            found = true;
          }
        }
      }
    }
  }
}

void ArgReduce(bool max, DataType type, const void* in, std::span<const int64_t> sizes,
               DimMask dims, int64_t results, const Plan& plan, int64_t* out) {
  ScratchArray<char> best(results * static_cast<int64_t>(SizeOf(type)));
  Reduce(max ? Reduction::kMax : Reduction::kMin, type, in, sizes, dims, best.data());
  const auto find = [&]<class T>(T) {
    FindFirst(static_cast<const T*>(in), reinterpret_cast<const T*>(best.data()), plan, out);
  };
  switch (type) {
    case DataType::kSingle:
      return find(float());
    case DataType::kDouble:
      return find(double());
    case DataType::kInt32:
      return find(int32_t());
    case DataType::kInt64:
      return find(int64_t());
    default:
      return find(uint8_t());
  }
}

bool IsArg(Reduction reduction) {
  return reduction == Reduction::kArgMax || reduction == Reduction::kArgMin;
}

}  // namespace

bool IsReductionSupported(Reduction reduction, DataType type) {
  if (IsArg(reduction)) return !IsComplex(type);
  return FindLoops(reduction, type) != nullptr;
}

DataType ReductionResultType(Reduction reduction, DataType type) {
  if (IsArg(reduction)) return DataType::kInt64;
  if (reduction == Reduction::kAny || reduction == Reduction::kAll) return DataType::kLogical;
  return type;
}

void Reduce(Reduction reduction, DataType type, const void* in, std::span<const int64_t> sizes,
            DimMask dims, void* out) {
  LAMINA_CHECK(IsReductionSupported(reduction, type) && sizes.size() <= DimWalk::kMaxRank);
  int64_t results = 1, terms = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    (((dims >> d) & 1) != 0 ? terms : results) *= sizes[d];
  }
  if (results == 0) return;
  if (terms == 0) {
    if (IsArg(reduction)) {
      std::fill_n(static_cast<int64_t*>(out), results, 0);
    } else {
      FillEmpty(*FindLoops(reduction, type), results, out);
    }
    return;
  }
  const Plan plan = MakePlan(sizes, dims);
  if (IsArg(reduction)) {
    return ArgReduce(reduction == Reduction::kArgMax, type, in, sizes, dims, results, plan,
                     static_cast<int64_t*>(out));
  }
  const ReduceLoops& loops = *FindLoops(reduction, type);
  (plan.inner_reduced ? ReduceRows : ReduceColumns)(loops, plan, static_cast<const char*>(in),
                                                    static_cast<char*>(out));
}

}  // namespace lamina::cpu
