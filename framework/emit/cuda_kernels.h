// A program as CUDA kernels and the launches that run them in their order.
//
//   CPrinter printer(Language::kCuda);
//   const CudaCode code = PrintCuda(program, &printer);
//   // code.kernels: __global__ functions; code.launches: how they are called, one after the other
//
// Each nest of parallel loops (parallel_loops.h) is a kernel. A thread computes one item, or, where
// there are few items with long loops, a block does: its threads share the loops, and what they
// join is joined as a tree of fixed order, so that results do not depend on the launch. Where
// elements of neighbouring items stand side by side, and those of one item do not, a block computes
// 32 items, one in each lane of its warps. Where the loop is very long and there are few such
// blocks, several share it, and a second kernel joins what they have. What could not be shown to be
// parallel is computed by one thread, and the kernel says so.
//
// Results: as those of printed C (c_printer.h) but for the order of sums in blocks, and the errors
// of CUDA's functions in the place of those of the C library.
//
// Threads: a pure function but for the printer.
#ifndef FRAMEWORK_EMIT_CUDA_KERNELS_H_
#define FRAMEWORK_EMIT_CUDA_KERNELS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "framework/emit/c_printer.h"
#include "framework/emit/program.h"

namespace lamina {

/// What a kernel is given: the variable where there is one, an array from an element on, "joins".
struct CudaArgument {
  std::string name;
  int64_t offset = 0;
  bool operator==(const CudaArgument&) const = default;
};

/// The call of a kernel.
struct CudaLaunch {
  std::string kernel;
  std::vector<CudaArgument> arguments;
  std::string blocks;  ///< How many; an expression of the variable where it depends on that.
  int threads = 1;     ///< Of a block.
  /// Arrays of which four elements are read or written at once: then the kernel is a
  /// template <bool aligned>, told whether all of them begin at multiples of 16 bytes.
  std::vector<CudaArgument> aligned = {};
};

struct CudaCode {
  std::string kernels;
  /// For each step of the program its launches, in the order of execution.
  std::vector<std::vector<CudaLaunch>> launches;
  int64_t joins = 0;  ///< How many doubles of the device's memory the launches need besides.
};

struct CudaOptions {
  /// A number that stands in the code for 1 to `most` (loops/variable_size.h); "": none.
  std::string variable = {};
  int64_t most = 1;
  /// One kernel for all code that differs in its arrays alone: the time steps of a loop. Then
  /// kernels name their arrays p0, p1, ...
  bool share = false;
};

CudaCode PrintCuda(const Program& program, CPrinter* printer, const CudaOptions& options = {});

/// The launches as the inside of a host function: statements that return a cudaError_t unless it is
/// cudaSuccess; they name `stream`, and the variable where there is one. `where` as in CBody: the
/// host's expression of the device address at which an array begins; "" for one that is known by
/// its name already; `joins` likewise.
std::string CudaLaunches(const Program& program, const CudaCode& code,
                         const std::function<std::string(const ProgramArray&)>& where,
                         const std::string& joins, CPrinter* printer);

/// What stands before kernels: the types and numbers that a file has from its headers, and that the
/// compiler of kernels alone (NVRTC) does not know.
std::string CudaPreamble();

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_CUDA_KERNELS_H_
