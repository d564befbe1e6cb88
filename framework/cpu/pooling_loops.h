#ifndef FRAMEWORK_CPU_POOLING_LOOPS_H_
#define FRAMEWORK_CPU_POOLING_LOOPS_H_

// Inside of pooling.h: the loops over some planes. Checks and threads stand in pooling.cc.

#include <cstdint>

namespace lamina::cpu {

// A PoolingShape in plain arrays.
struct PoolingGeometry {
  int64_t input[3], window[3], output[3], stride[3], pad_begin[3];
  int64_t input_plane, output_plane;  // elements
};

// `scratch` holds at least as many bytes as pooling.cc's ScratchSize says; `planes` planes follow
// each other in x, y, indices.
template <class T>
struct MaxPoolingLoops {
  void (*forward)(const PoolingGeometry& g, int64_t planes, const T* x, T* y, int64_t* indices,
                  void* scratch);
  void (*backward)(const PoolingGeometry& g, int64_t planes, const T* dy, const int64_t* indices,
                   T* dx);
};
template <class T>
struct AveragePoolingLoops {
  void (*forward)(const PoolingGeometry& g, bool count_padding, int64_t planes, const T* x, T* y,
                  void* scratch);
  void (*backward)(const PoolingGeometry& g, bool count_padding, int64_t planes, const T* dy, T* dx,
                   void* scratch);
};

namespace v2 {
const MaxPoolingLoops<float>& FindMaxPoolingLoops(float);
const MaxPoolingLoops<double>& FindMaxPoolingLoops(double);
const AveragePoolingLoops<float>& FindAveragePoolingLoops(float);
const AveragePoolingLoops<double>& FindAveragePoolingLoops(double);
}  // namespace v2
namespace v3 {
const MaxPoolingLoops<float>& FindMaxPoolingLoops(float);
const MaxPoolingLoops<double>& FindMaxPoolingLoops(double);
const AveragePoolingLoops<float>& FindAveragePoolingLoops(float);
const AveragePoolingLoops<double>& FindAveragePoolingLoops(double);
}  // namespace v3
namespace v4 {
const MaxPoolingLoops<float>& FindMaxPoolingLoops(float);
const MaxPoolingLoops<double>& FindMaxPoolingLoops(double);
const AveragePoolingLoops<float>& FindAveragePoolingLoops(float);
const AveragePoolingLoops<double>& FindAveragePoolingLoops(double);
}  // namespace v4

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_POOLING_LOOPS_H_
