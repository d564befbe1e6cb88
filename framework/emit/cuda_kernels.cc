#include "framework/emit/cuda_kernels.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/emit/c_body.h"
#include "framework/emit/cuda_kernel_printer.h"
#include "framework/emit/parallel_loops.h"

namespace lamina {

namespace {

constexpr char kFour[] =
    R"(/* Neighbours that are read and written at once where memory is aligned. */
template <class T>
struct alignas(sizeof(T) < 4 ? 4 * sizeof(T) : 16) Four {
  T at[4];
};
template <bool aligned, class T>
static __device__ Four<T> LoadFour(const T *from) {
  if (aligned) return *(const Four<T> *)from;
  return {{from[0], from[1], from[2], from[3]}};
}
template <bool aligned, class T>
static __device__ void StoreFour(const Four<T> &four, T *to) {
  if (aligned) {
    *(Four<T> *)to = four;
  } else {
    for (int i = 0; i < 4; ++i) to[i] = four.at[i];
  }
}

)";

std::string LaunchText(const CudaLaunch& launch) {
  const std::string call =
      absl::StrCat("<<<", launch.blocks, ", ", launch.threads, ", 0, stream>>>(",
                   absl::StrJoin(launch.arguments, ", "), ");\n");
  constexpr char kCheck[] = "  if ((error = cudaGetLastError()) != cudaSuccess) return error;\n";
  if (launch.aligned.empty()) return absl::StrCat("  ", launch.kernel, call, kCheck);
  return absl::StrCat("  if (((uintptr_t)", absl::StrJoin(launch.aligned, " | (uintptr_t)"),
                      ") % 16 == 0) {\n    ", launch.kernel, "<true>", call, "  } else {\n    ",
                      launch.kernel, "<false>", call, "  }\n", kCheck);
}

}  // namespace

CudaCode PrintCuda(const Program& program, CPrinter* printer, const std::string& variable,
                   int64_t most) {
  CudaCode code;
  KernelPrinter kernels(program, printer, variable, most);
  int number = 0;
  for (const ProgramStep& step : program.steps) {
    code.launches.emplace_back();
    for (const ParallelNest& nest : ParallelNests(step.code, variable, most)) {
      kernels.Print(nest, absl::StrCat("Kernel", number++), step.comment, &code);
    }
  }
  if (kernels.has_fours()) code.kernels = absl::StrCat(kFour, code.kernels);
  return code;
}

std::string CudaLaunches(const Program& program, const CudaCode& code,
                         const std::function<std::string(const ProgramArray&)>& where,
                         const std::string& joins, CPrinter* printer) {
  std::string text;
  if (code.joins > 0) absl::StrAppend(&text, "  double *const joins = ", joins, ";\n");
  absl::StrAppend(&text, CPointers(program, where, printer), "  cudaError_t error;\n");
  bool any = false;
  for (size_t step = 0; step < code.launches.size(); ++step) {
    absl::StrAppend(&text, "\n  ", CComment(program.steps[step].comment, 1), "\n");
    for (const CudaLaunch& launch : code.launches[step]) {
      text += LaunchText(launch);
      any = true;
    }
  }
  return any ? text : text + "  (void)stream;\n  (void)error;\n";
}

std::string CudaPreamble() {
  return R"(#ifdef __CUDACC_RTC__
/* Kernels alone: no headers. */
typedef signed int int32_t;
typedef signed long int64_t;
typedef unsigned char uint8_t;
#define INT32_MIN (-2147483647 - 1)
#define INT32_MAX 2147483647
#define INT64_C(c) c##L
#define INT64_MIN (-9223372036854775807L - 1)
#define INT64_MAX 9223372036854775807L
#define UINT8_MAX 255
#define INFINITY __int_as_float(0x7f800000)
#define NAN __int_as_float(0x7fffffff)
#else
#include <math.h>
#include <stdint.h>
#endif
)";
}

}  // namespace lamina
