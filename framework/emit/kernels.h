// Kernels: a graph as calls of small C functions and of ops, over planned memory: what the
// framework compiles for the machine on which it runs.
//
// Loops that differ only in the arrays that they work on are one function, called again with other
// arguments: a recurrent layer's 512 time steps are compiled once.
//
//   const KernelProgram program = WriteKernels(graph);
//   program.source;   // void k0(char *const *a, int64_t begin, int64_t end) {...} ...
//   program.calls;    // {k0, {array 3 from byte 0, array 0 from byte 768}, count 32}, ...
//
// Threads: a pure function; a program is a plain value.
#ifndef FRAMEWORK_EMIT_KERNELS_H_
#define FRAMEWORK_EMIT_KERNELS_H_

#include <string>
#include <vector>

#include "framework/emit/program.h"

namespace lamina {

/// Where an argument of a kernel begins.
struct KernelArgument {
  int array = 0;       ///< Index into KernelProgram::arrays.
  int64_t offset = 0;  ///< Bytes from its start.
};

/// Bytes of an array that a call touches: part i of the call some or all of
/// [first + i step, first + i step + width).
struct KernelAccess {
  int array = 0;  ///< Index into KernelProgram::arrays.
  bool is_stored = false;
  int64_t first = 0, step = 0, width = 0;
};

/// One call, in the order of execution.
struct KernelCall {
  int kernel = -1;   ///< The function k0, k1, ...; -1: an op is run by the framework (Op::Run).
  int op_step = -1;  ///< Of an op: the step of the graph.
  std::vector<KernelArgument> arguments;  ///< Of a kernel, in the order of its parameters.
  /// The kernel computes parts [begin, end) of [0, count); parts may be computed at once. Below
  /// twice `grain` a second thread costs more than it brings.
  int64_t count = 1, grain = 1;
  std::vector<KernelAccess> accesses = {};  ///< Of a kernel.
};

/// Calls of kernels through which each thread can walk alone, with some of the items (observations,
/// as a rule): what a call computes for an item touches nothing that one of these calls stores for
/// another item. Threads meet once, at the end.
struct CallRange {
  int first = 0, last = 0;  ///< Indices into KernelProgram::calls; the last one is in the range.
  /// Items [b, e) are parts [b m, e m) of a call, where m = count / items.
  int64_t items = 1, grain = 1;  ///< `grain` as in KernelCall, here of items.
};

struct KernelProgram {
  /// Of scratch, `offset` is in bytes here, a multiple of 64, and steps are calls.
  std::vector<ProgramArray> arrays;
  /// For each value of the graph its array, that of what it shows for a view; -1 without memory of
  /// its own.
  std::vector<int> array_of;
  std::vector<KernelCall> calls;
  std::vector<CallRange> ranges;  ///< Of two calls and more, in the order of execution.
  /// GNU C, for kKernelFlags; "" when there are no kernels.
  std::string source;
  int num_kernels = 0;
  int64_t scratch_bytes = 0;  ///< One block for all scratch arrays, aligned to 64 bytes.
};

/// How the source is compiled. Multiplications and additions are not contracted, so that +, -, *, /
/// and comparisons give the bits of the eager ops; NaN and infinity count (no -ffast-math).
inline constexpr char kKernelFlags[] =
    "-std=gnu99 -shared -fPIC -O3 -march=native -ffp-contract=off -fno-math-errno "
    "-fno-trapping-math -fopenmp-simd";

/// Every graph can be written: what has no printed form becomes the call of its op. An output of
/// the graph whose array is an input, a constant or that of another output shares its elements.
KernelProgram WriteKernels(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_KERNELS_H_
