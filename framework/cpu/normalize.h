#ifndef FRAMEWORK_CPU_NORMALIZE_H_
#define FRAMEWORK_CPU_NORMALIZE_H_

// Bringing groups of elements to mean 0 and variance 1: the core of batch, layer, group and
// instance normalization, which differ only in the dims that form a group.
//
//   y = (x - mean) * inverse_deviation,  inverse_deviation = 1 / sqrt(variance + epsilon)
//
// mean and variance (divided by n, not n - 1) are taken over the dims of a mask, separately for
// each index of the other dims. Scale and offset are left to the caller.
//
// Types: single and double. Threads: may be called from any thread; groups are split with
// ParallelFor, and the result does not depend on the number of threads.
//
//   // batch normalization of x[24x24x20x128] "SSCB": over S, S and B, one group for each channel
//   cpu::Standardize(DataType::kSingle, x, {{24, 24, 20, 128}}, 0b1011, 1e-5,
//                    y, mean, variance, inverse_deviation);

#include <cstdint>
#include <span>

#include "framework/cpu/reduce.h"
#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

// `sizes` are those of x and y; mean, variance and inverse_deviation have size 1 in the dims of the
// mask (`variance` may be nullptr). y may be x. The variance is computed from the differences to
// the mean (two passes), so a large mean costs no digits: its relative error is about
// (130 + log2(n)) u plus (u mean / deviation)^2. A group with a NaN or inf gives NaN.
void Standardize(DataType type, const void* x, std::span<const int64_t> sizes, DimMask dims,
                 double epsilon, void* y, void* mean, void* variance, void* inverse_deviation);

// Gradient with respect to x, given y and inverse_deviation of Standardize and dy; means over the
// same dims:
//   dx = inverse_deviation * (dy - mean(dy) - y * mean(dy * y)).
// (Ioffe, Szegedy 2015, the gradients of section 3, collected.) dx may be dy.
void StandardizeBackward(DataType type, const void* y, const void* dy,
                         const void* inverse_deviation, std::span<const int64_t> sizes,
                         DimMask dims, void* dx);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_NORMALIZE_H_
