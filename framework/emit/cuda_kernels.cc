#include "framework/emit/cuda_kernels.h"

#include <algorithm>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "framework/emit/c_body.h"
#include "framework/emit/cuda_kernel_printer.h"
#include "framework/emit/kernel_parameters.h"
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

void AppendArgument(std::string* text, const CudaArgument& argument) {
  text->append(argument.name);
  if (argument.offset != 0) absl::StrAppend(text, " + ", argument.offset);
}

std::string LaunchText(const CudaLaunch& launch) {
  const std::string call =
      absl::StrCat("<<<", launch.blocks, ", ", launch.threads, ", 0, stream>>>(",
                   absl::StrJoin(launch.arguments, ", ", AppendArgument), ");\n");
  constexpr char kCheck[] = "  if ((error = cudaGetLastError()) != cudaSuccess) return error;\n";
  if (launch.aligned.empty()) return absl::StrCat("  ", launch.kernel, call, kCheck);
  const std::string all = absl::StrJoin(launch.aligned, " | (uintptr_t)", AppendArgument);
  return absl::StrCat("  if (((uintptr_t)", all, ") % 16 == 0) {\n    ", launch.kernel, "<true>",
                      call, "  } else {\n    ", launch.kernel, "<false>", call, "  }\n", kCheck);
}

// Stands for the name of a kernel that may be there already.
constexpr char kName[] = "KernelOfThisKind";

class CudaWriter {
 public:
  CudaWriter(const Program& program, CPrinter* printer, const CudaOptions& options)
      : program_(program),
        options_(options),
        printer_(printer),
        kernels_(program, printer, options.variable, options.most) {
    for (const ProgramArray& a : program.arrays) array_by_name_[a.name] = &a;
  }

  CudaCode Run() {
    for (const ProgramStep& step : program_.steps) {
      code_.launches.emplace_back();
      for (const ParallelNest& nest : ParallelNests(step.code, options_.variable, options_.most)) {
        // Arrays that overlap in memory are told apart by their names.
        if (options_.share && !kernels_.OverlapsInMemory(nest)) {
          AddShared(nest, step.comment);
        } else {
          kernels_.Print(nest, NextName(), step.comment, &code_);
        }
      }
    }
    if (has_fours_ || kernels_.has_fours()) code_.kernels = absl::StrCat(kFour, code_.kernels);
    return std::move(code_);
  }

 private:
  std::string NextName() { return absl::StrCat("Kernel", number_++); }

  void AddShared(ParallelNest nest, const std::string& comment) {
    const std::vector<internal::KernelParameter> parameters =
        internal::NameParameters(&nest.body, [&](const std::string& name) {
          const ProgramArray& array = *array_by_name_.at(name);
          return array.role == ProgramArray::kConstant ? std::nullopt
                                                       : std::optional(array.spec.type);
        });
    Program named;
    std::map<std::string, CudaArgument> argument_of;
    for (size_t i = 0; i < parameters.size(); ++i) {
      const internal::KernelParameter& p = parameters[i];
      ProgramArray array = *array_by_name_.at(p.array);
      // What is behind the parameter; before it nothing is known to be there.
      const int64_t left = p.offset < 0 ? 0 : array.spec.numel() - p.offset;
      array.spec = {array.spec.type, {left}, {}};
      array.name = internal::ParameterName(static_cast<int64_t>(i));
      array.role = p.is_stored ? ProgramArray::kOutput : ProgramArray::kInput;
      named.arrays.push_back(std::move(array));
      argument_of[named.arrays.back().name] = {p.array, p.offset};
    }
    KernelPrinter kernels(named, printer_, options_.variable, options_.most);
    CudaCode printed{.kernels = {}, .launches = {{}}};
    kernels.Print(nest, kName, "", &printed);
    has_fours_ = has_fours_ || kernels.has_fours();
    const auto [found, is_new] = shared_.emplace(printed.kernels, "");
    if (is_new) {
      found->second = NextName();
      absl::StrAppend(&code_.kernels, CComment(comment), "\n",
                      absl::StrReplaceAll(printed.kernels, {{kName, found->second}}));
    }
    for (CudaLaunch& launch : printed.launches[0]) {
      absl::StrReplaceAll({{kName, found->second}}, &launch.kernel);
      for (std::vector<CudaArgument>* arguments : {&launch.arguments, &launch.aligned}) {
        for (CudaArgument& a : *arguments) {
          const auto parameter = argument_of.find(a.name);
          if (parameter != argument_of.end()) a = parameter->second;
        }
      }
      code_.launches.back().push_back(std::move(launch));
    }
    code_.joins = std::max(code_.joins, printed.joins);
  }

  const Program& program_;
  const CudaOptions& options_;
  CPrinter* const printer_;
  KernelPrinter kernels_;
  CudaCode code_;
  std::map<std::string, const ProgramArray*> array_by_name_;
  std::map<std::string, std::string> shared_;  // The names of kernels by their text.
  int number_ = 0;
  bool has_fours_ = false;
};

}  // namespace

CudaCode PrintCuda(const Program& program, CPrinter* printer, const CudaOptions& options) {
  return CudaWriter(program, printer, options).Run();
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
typedef unsigned int uint32_t;
typedef signed long int64_t;
typedef unsigned long uint64_t;
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
