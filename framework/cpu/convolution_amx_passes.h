#ifndef FRAMEWORK_CPU_CONVOLUTION_AMX_PASSES_H_
#define FRAMEWORK_CPU_CONVOLUTION_AMX_PASSES_H_

// Inside of convolution_amx.h: the two kinds of sums that convolutions are.
//
// Threads: may be called from any thread; large work uses the pool of threads.h.

#include <vector>

#include "framework/cpu/convolution_amx_strips.h"

namespace lamina::cpu::amx {

// y = the sums over channels and taps, and `bias` (or nullptr). True for each image that has a
// result that is not finite: such images are to be computed in another way.
std::vector<bool> Slide(const SlidingFilters& s, const FilterMatrix& filters, const float* x,
                        const float* bias, float* y);

// dw = the sums over pixels and images. False if one is not finite: then dw is to be computed in
// another way.
bool SumPixels(const SlidingFilters& s, const float* x, const float* dy, float* dw);

}  // namespace lamina::cpu::amx

#endif  // FRAMEWORK_CPU_CONVOLUTION_AMX_PASSES_H_
