#include "framework/cpu/attention.h"

#include <algorithm>

#include "framework/cpu/attention_loops.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

template <class T>
const AttentionLoops<T>& Loops() {
  using Find = const AttentionLoops<T>& (*)(T);
  static const Find find = []() -> Find {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindAttentionLoops;
      case InstructionSet::kV3:
        return v3::FindAttentionLoops;
      default:
        return v2::FindAttentionLoops;
    }
  }();
  return find(T());
}

// The arrays of a call, for one type.
template <class T>
struct Call {
  const AttentionShape& s;
  const T *q, *k, *v, *y, *greatest, *inverse_sum;

  // Of head h of observation b, an array of `rows` in each of its heads.
  template <class P>
  PageOf<P> PageIn(P* x, int64_t rows, int64_t page) const {
    return {x + page * rows, rows * s.heads * s.batch};
  }
  AttentionPage<T> Page(int64_t page) const {
    return {.queries = s.queries,
            .keys = s.keys,
            .depth = s.depth,
            .value_depth = s.value_depth,
            .scale = static_cast<T>(s.scale),
            .causal = s.causal,
            .q = PageIn(q, s.depth, page),
            .k = PageIn(k, s.depth, page),
            .v = PageIn(v, s.value_depth, page),
            .y = PageIn(const_cast<T*>(y), s.value_depth, page),
            .greatest = const_cast<T*>(greatest) + page * s.queries,
            .inverse_sum = const_cast<T*>(inverse_sum) + page * s.queries};
  }
  // Calls f(page, scratch) for all heads of all observations.
  template <class F>
  void ForPages(F f) const {
    const double operations = 4.0 * static_cast<double>(s.queries) * static_cast<double>(s.keys) *
                              static_cast<double>(s.depth + s.value_depth + 8);
    const auto grain = static_cast<int64_t>(kParallelOperations / 2 / std::max(operations, 1.0));
    ParallelFor(s.heads * s.batch, std::max<int64_t>(1, grain), [&](int64_t begin, int64_t end) {
      ScratchArray<T> scratch(Loops<T>().scratch(Page(begin)));
      for (int64_t page = begin; page < end; ++page) f(page, scratch.data());
    });
  }
};

template <class T>
Call<T> Of(const AttentionShape& s, const void* q, const void* k, const void* v, const void* y,
           const void* greatest, const void* inverse_sum) {
  const auto typed = [](const void* x) { return static_cast<const T*>(x); };
  return {s, typed(q), typed(k), typed(v), typed(y), typed(greatest), typed(inverse_sum)};
}

template <class T>
void Forward(const Call<T>& call) {
  call.ForPages([&](int64_t i, T* scratch) { Loops<T>().forward(call.Page(i), scratch); });
}

template <class T>
void Backward(const Call<T>& call, const T* dy, T* dq, T* dk, T* dv) {
  const AttentionShape& s = call.s;
  call.ForPages([&](int64_t i, T* scratch) {
    Loops<T>().backward({.of = call.Page(i),
                         .dy = call.PageIn(dy, s.value_depth, i),
                         .dq = call.PageIn(dq, s.depth, i),
                         .dk = call.PageIn(dk, s.depth, i),
                         .dv = call.PageIn(dv, s.value_depth, i)},
                        scratch);
  });
}

template <class T>
void BackwardOf(const Call<T>& call, const void* dy, void* dq, void* dk, void* dv) {
  Backward(call, static_cast<const T*>(dy), static_cast<T*>(dq), static_cast<T*>(dk),
           static_cast<T*>(dv));
}

}  // namespace

void Attention(DataType type, const AttentionShape& shape, const void* q, const void* k,
               const void* v, void* y, void* greatest, void* inverse_sum) {
  LAMINA_CHECK(IsRealFloating(type) && shape.keys > 0);
  if (type == DataType::kSingle) {
    Forward(Of<float>(shape, q, k, v, y, greatest, inverse_sum));
  } else {
    Forward(Of<double>(shape, q, k, v, y, greatest, inverse_sum));
  }
}

void AttentionBackward(DataType type, const AttentionShape& shape, const void* q, const void* k,
                       const void* v, const void* y, const void* greatest, const void* inverse_sum,
                       const void* dy, void* dq, void* dk, void* dv) {
  LAMINA_CHECK(IsRealFloating(type) && shape.keys > 0);
  if (type == DataType::kSingle) {
    BackwardOf(Of<float>(shape, q, k, v, y, greatest, inverse_sum), dy, dq, dk, dv);
  } else {
    BackwardOf(Of<double>(shape, q, k, v, y, greatest, inverse_sum), dy, dq, dk, dv);
  }
}

}  // namespace lamina::cpu
