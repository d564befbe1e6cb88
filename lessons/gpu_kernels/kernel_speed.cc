// The table of speed (speed_table.h) on a CUDA device: bazel run //lessons/gpu_kernels:kernel_speed
//
// Ends with status 1 when versions do not agree, and without a device, which it says.
#include <iostream>

#include "framework/gpu/gpu.h"
#include "framework/ops/gpu_array.h"
#include "lessons/gpu_kernels/speed_table.h"

int main() {
  using namespace lamina;
  if (!CanUseGpu().ok()) {
    std::cout << "No table. " << CanUseGpu().message() << "\n";
    return 1;
  }
  try {
    return PrintSpeedTable(gpu::CurrentGpu(), {}, std::cout) ? 0 : 1;
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
