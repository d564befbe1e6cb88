// How long a call takes on a device, one after another.
//
//   const BoundProgram call(program, inputs, outputs);
//   double seconds = MedianSeconds(*gpu->device(), {&call, 1});
//
// One thread measures at a time.
#ifndef TOOLS_BENCH_DEVICE_TIMING_H_
#define TOOLS_BENCH_DEVICE_TIMING_H_

#include <span>

#include "framework/gpu/device.h"
#include "framework/gpu/device_program.h"

namespace lamina::bench {

/// Of one call: the median of five rounds, each of so many seconds and two calls at least, in which
/// the calls take turns.
double MedianSeconds(gpu::Device& device, std::span<const gpu::BoundProgram> calls,
                     double round = 0.1);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_DEVICE_TIMING_H_
