// What is computed by a device's libraries, called directly, and by Lamina, for
// device_libraries.cc.
//
// Threads: as the functions that they call; the current random source makes the inputs.
#ifndef TOOLS_BENCH_LIBRARY_CASES_H_
#define TOOLS_BENCH_LIBRARY_CASES_H_

#include <functional>
#include <string>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "tools/bench/direct_cuda.h"
#include "tools/bench/workload.h"

namespace lamina::bench {

/// Something to compute in both ways. The library's first result is Lamina's first.
struct LibraryCase {
  std::string name;
  DlArrays inputs;
  ArrayFunction function;
  std::function<DirectCase(const DirectDevice&, const std::vector<Floats>&)> direct;
  /// Lamina calls the same library, for this and nothing else. Otherwise kernels of its own
  /// compute.
  bool is_call = false;
};

/// gemm_1024, the products of attention_grad, the convolution of 64 channels of 28 x 28 with both
/// gradients; normalization, pooling and LSTM with and without gradients.
std::vector<LibraryCase> LibraryCases();

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_LIBRARY_CASES_H_
