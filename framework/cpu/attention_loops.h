#ifndef FRAMEWORK_CPU_ATTENTION_LOOPS_H_
#define FRAMEWORK_CPU_ATTENTION_LOOPS_H_

// Inside of attention.h: one page, which is one head of one observation. Which pages there are and
// on which thread they are computed stands in attention.cc.

#include <cstdint>

#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {

// Matrices of a page: columns are time steps, `step` elements apart.
template <class T>
struct PageOf {
  T* data;
  int64_t step;
};

template <class T>
struct AttentionPage {
  int64_t queries, keys, depth, value_depth;
  T scale;
  bool causal;
  PageOf<const T> q, k, v;
  PageOf<T> y;
  T *greatest, *inverse_sum;  // of each query
};

template <class T>
struct AttentionGradientPage {
  AttentionPage<T> of;  // its y is only read
  PageOf<const T> dy;
  PageOf<T> dq, dk, dv;
};

template <class T>
struct AttentionLoops {
  // How many elements of scratch memory, aligned to 64 bytes, the two others need.
  int64_t (*scratch)(const AttentionPage<T>& page);
  void (*forward)(const AttentionPage<T>& page, T* scratch);
  void (*backward)(const AttentionGradientPage<T>& page, T* scratch);
};

namespace v2 {
const AttentionLoops<float>& FindAttentionLoops(float);
const AttentionLoops<double>& FindAttentionLoops(double);
}  // namespace v2
namespace v3 {
const AttentionLoops<float>& FindAttentionLoops(float);
const AttentionLoops<double>& FindAttentionLoops(double);
}  // namespace v3
namespace v4 {
const AttentionLoops<float>& FindAttentionLoops(float);
const AttentionLoops<double>& FindAttentionLoops(double);
}  // namespace v4

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ATTENTION_LOOPS_H_
