#include "framework/cpu/elementwise.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "framework/cpu/elementwise_rows.h"
#include "framework/cpu/elementwise_tables.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

// Repeats the first element of `out` over n elements, doubling what is there.
void RepeatFirst(char* out, int64_t size, int64_t n) {
  int64_t done = 1;
  while (done < n) {
    const int64_t count = std::min(done, n - done);
    std::memcpy(out + done * size, out, static_cast<size_t>(count * size));
    done += count;
  }
}

// How the first dim is walked.
struct Inner {
  RowFn row;
  int64_t length;  // elements of a call
  bool repeat;     // one value for the whole row
};

Inner ChooseInner(const ElementwiseArgs& args, const RowLoops& loops) {
  if (args.rank == 0) return {loops.row[(1 << loops.arity) - 1], 1, false};
  int movers = 0;
  for (int i = 0; i < loops.arity; ++i) {
    const int64_t stride = args.strides[i][0];
    if (stride == 1) {
      movers |= 1 << i;
    } else if (stride != 0) {
      return {loops.row[(1 << loops.arity) - 1], 1, false};
    }
  }
  if (movers == 0) return {loops.row[(1 << loops.arity) - 1], args.sizes[0], true};
  return {loops.row[movers], args.sizes[0], false};
}

// The elements [begin, end) of the output, counted in memory order.
void RunRange(const ElementwiseArgs& args, const RowLoops& loops, const Inner& inner, int64_t begin,
              int64_t end) {
  const int rank = args.rank;
  int64_t index[ElementwiseArgs::kMaxRank];
  // Handed to the loops as it is: a copy at each row would wait until the last row is written.
  const void* in[3] = {args.inputs[0], args.inputs[1], args.inputs[2]};
  const auto advance = [&](int i, int64_t elements) {
    in[i] = static_cast<const char*>(in[i]) + elements * loops.input_sizes[i];
  };
  int64_t rest = begin;
  for (int d = 0; d < rank; ++d) {
    index[d] = rest % args.sizes[d];
    rest /= args.sizes[d];
    for (int i = 0; i < loops.arity; ++i) {
      advance(i, index[d] * args.strides[i][d]);
    }
  }
  char* out = static_cast<char*>(args.output) + begin * loops.output_size;
  while (begin < end) {
    const int64_t left = rank == 0 ? 1 : args.sizes[0] - index[0];
    const int64_t n = std::min({inner.length, left, end - begin});
    inner.row(out, in, inner.repeat ? 1 : n);
    if (inner.repeat) RepeatFirst(out, loops.output_size, n);
    begin += n;
    if (begin >= end) return;
    out += n * loops.output_size;
    // One step of n in the first dim, with carries.
    int64_t step = n;
    for (int d = 0;; ++d) {
      index[d] += step;
      for (int i = 0; i < loops.arity; ++i) {
        advance(i, step * args.strides[i][d]);
      }
      if (index[d] < args.sizes[d]) break;
      for (int i = 0; i < loops.arity; ++i) {
        advance(i, -index[d] * args.strides[i][d]);
      }
      index[d] = 0;
      step = 1;
    }
  }
}

}  // namespace

void RunRows(const ElementwiseArgs& args, const RowLoops& loops) {
  const Inner inner = ChooseInner(args, loops);
  if (args.rank <= 1 && !inner.repeat && inner.length >= (args.rank == 0 ? 1 : args.sizes[0])) {
    // One row, the common case.
    if (inner.length < 2 * loops.grain) {
      if (inner.length > 0) inner.row(args.output, args.inputs, inner.length);
      return;
    }
  }
  int64_t total = 1;
  for (int d = 0; d < args.rank; ++d) total *= args.sizes[d];
  ParallelFor(total, loops.grain,
              [&](int64_t begin, int64_t end) { RunRange(args, loops, inner, begin, end); });
}

ElementwiseFn FindElementwise(ScalarFunction function, DataType type) {
  if (!IsRealFloating(type) || function == ScalarFunction::kComplex)
    return FindOther(function, type);
  using Find = ElementwiseFn (*)(ScalarFunction, bool);
  static const Find find = [] {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindFloating;
      case InstructionSet::kV3:
        return v3::FindFloating;
      default:
        return v2::FindFloating;
    }
  }();
  return find(function, type == DataType::kDouble);
}

bool CollapseBroadcast(std::span<const int64_t> output,
                       std::initializer_list<std::span<const int64_t>> inputs,
                       ElementwiseArgs* args) {
  const int arity = static_cast<int>(inputs.size());
  int64_t dense[3] = {1, 1, 1};  // the stride of the next dim of each input
  int rank = 0;
  for (size_t d = 0; d < output.size(); ++d) {
    const int64_t size = output[d];
    if (size == 1) continue;
    int64_t stride[3] = {0, 0, 0};
    bool joins = rank > 0;
    for (int i = 0; i < arity; ++i) {
      const std::span<const int64_t>& sizes = inputs.begin()[i];
      const int64_t input_size = d < sizes.size() ? sizes[d] : 1;
      LAMINA_CHECK(input_size == size || input_size == 1);
      if (input_size == size) {
        stride[i] = dense[i];
        dense[i] *= size;
      }
      joins = joins && stride[i] == args->strides[i][rank - 1] * args->sizes[rank - 1];
    }
    if (joins) {
      args->sizes[rank - 1] *= size;
      continue;
    }
    if (rank == ElementwiseArgs::kMaxRank) return false;
    args->sizes[rank] = size;
    for (int i = 0; i < arity; ++i) args->strides[i][rank] = stride[i];
    ++rank;
  }
  args->rank = rank;
  return true;
}

}  // namespace lamina::cpu
