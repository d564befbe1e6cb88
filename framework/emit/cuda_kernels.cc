#include "framework/emit/cuda_kernels.h"

#include <algorithm>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/emit/c_body.h"
#include "framework/emit/parallel_loops.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

constexpr int kThreads = 256;
constexpr int64_t kMostBlocks = 65535;
// A block computes an item where its threads have some turns to share, and where there are too few
// items to keep a device busy with a thread for each.
constexpr int64_t kLeastParts = 64, kMostBlockItems = 8192;

enum class Worker : uint8_t { kThread, kBlock, kOneThread };

class KernelPrinter {
 public:
  KernelPrinter(const Program& program, CPrinter* printer, const std::string& variable,
                int64_t most)
      : program_(program), printer_(*printer), variable_(variable), most_(most) {}

  void Print(const ParallelNest& nest, const std::string& name, const std::string& comment,
             CudaCode* code) {
    const auto shared = SharedLoops(nest, variable_, most_);
    const Worker worker = WorkerOf(nest, shared);
    std::string parameters, arguments;
    Interface(nest, &parameters, &arguments);
    static constexpr const char* kWho[] = {
        "A thread computes an item.", "A block computes an item.",
        "One thread computes all: these loops could not be shown to be parallel."};
    absl::StrAppend(&code->kernels, CComment(comment), "\n/* ", kWho[static_cast<int>(worker)],
                    " */\n__global__ void ", name, "(", parameters, ") {\n");
    std::string blocks = "1";
    if (worker == Worker::kOneThread) {
      absl::StrAppend(&code->kernels, Nested(nest));
    } else if (worker == Worker::kThread) {
      absl::StrAppend(&code->kernels, "  const unsigned items = ", Count(nest.loops), ";\n",
                      "  for (unsigned item = blockIdx.x * ", kThreads,
                      "u + threadIdx.x; item < items;\n       item += gridDim.x * ", kThreads,
                      "u) {\n", Indices(nest.loops, "item", 2), printer_.Print(nest.body, 2),
                      "  }\n");
      blocks = Blocks(nest.loops, kThreads);
    } else {
      absl::StrAppend(&code->kernels, Shared(nest, *shared));
      blocks = Blocks(nest.loops, 1);
    }
    code->kernels += "}\n\n";
    absl::StrAppend(&code->launches, "  ", name, "<<<", blocks, ", ",
                    worker == Worker::kOneThread ? 1 : kThreads, ", 0, stream>>>(", arguments,
                    ");\n  if ((error = cudaGetLastError()) != cudaSuccess) return error;\n");
  }

 private:
  Worker WorkerOf(const ParallelNest& nest,
                  const std::optional<std::vector<SharedLoop>>& shared) const {
    if (OverlapsInMemory(nest)) return Worker::kOneThread;
    int64_t parts = 0;
    if (shared) {
      for (const SharedLoop& loop : *shared) {
        parts = std::max(parts, NumItems(loop.loops, variable_, most_));
      }
    }
    const int64_t items = NumItems(nest.loops, variable_, most_);
    if (parts >= kLeastParts && items <= kMostBlockItems) return Worker::kBlock;
    return nest.loops.empty() ? Worker::kOneThread : Worker::kThread;
  }

  // Arrays with names of their own in the same memory: indices alone do not tell them apart.
  bool OverlapsInMemory(const ParallelNest& nest) const {
    const Block code = WholeCode(nest);
    const std::set<std::string> stored = StoredArrays(code);
    std::set<std::string> all = LoadedArrays(code);
    all.insert(stored.begin(), stored.end());
    for (const ProgramArray& a : program_.arrays) {
      if (a.role != ProgramArray::kScratch || stored.count(a.name) == 0) continue;
      for (const ProgramArray& b : program_.arrays) {
        if (b.role != ProgramArray::kScratch || a.name == b.name || all.count(b.name) == 0)
          continue;
        if (a.spec.type == b.spec.type && a.offset < b.offset + b.spec.numel() &&
            b.offset < a.offset + a.spec.numel()) {
          return true;
        }
      }
    }
    return false;
  }

  static Block WholeCode(const ParallelNest& nest) {
    Block code = nest.body;
    for (auto loop = nest.loops.rbegin(); loop != nest.loops.rend(); ++loop) {
      Statement s = *loop;
      s.body = std::move(code);
      code = Block{std::move(s)};
    }
    return code;
  }
  std::string Nested(const ParallelNest& nest) { return printer_.Print(WholeCode(nest), 1); }

  void Interface(const ParallelNest& nest, std::string* parameters, std::string* arguments) const {
    const Block code = WholeCode(nest);
    const std::set<std::string> stored = StoredArrays(code), loaded = LoadedArrays(code);
    const auto add = [&](const std::string& type, const std::string& name) {
      absl::StrAppend(parameters, parameters->empty() ? "" : ", ", type, name);
      absl::StrAppend(arguments, arguments->empty() ? "" : ", ", name);
    };
    if (!variable_.empty()) add("int ", variable_);
    for (const ProgramArray& a : program_.arrays) {
      const bool is_stored = stored.count(a.name) > 0;
      if (a.role == ProgramArray::kConstant || (!is_stored && loaded.count(a.name) == 0)) continue;
      add(absl::StrCat(is_stored ? "" : "const ", CType(a.spec.type, Language::kCuda), " *"),
          a.name);
    }
  }

  std::string ExtentText(const Statement& loop) {
    return loop.extent == Statement::kVariableExtent
               ? absl::StrCat("(unsigned)(", printer_.Print(loop.variable_extent), ")")
               : absl::StrCat(loop.extent, "u");
  }

  // The number of items, as the code's text.
  std::string Count(const std::vector<Statement>& loops) {
    int64_t known = 1;
    std::string text;
    for (const Statement& loop : loops) {
      if (loop.extent == Statement::kVariableExtent) {
        absl::StrAppend(&text, " * ", ExtentText(loop));
      } else {
        known *= loop.extent;
      }
    }
    return absl::StrCat(known, "u", text);
  }

  std::string Blocks(const std::vector<Statement>& loops, int64_t items_in_block) {
    const bool varies = std::any_of(loops.begin(), loops.end(), [](const Statement& s) {
      return s.extent == Statement::kVariableExtent;
    });
    if (!varies) {
      const int64_t items = NumItems(loops);
      return absl::StrCat(std::min(
          kMostBlocks, std::max<int64_t>(1, (items + items_in_block - 1) / items_in_block)));
    }
    const std::string blocks = items_in_block == 1
                                   ? Count(loops)
                                   : absl::StrCat("(", Count(loops), " + ", items_in_block - 1,
                                                  "u) / ", items_in_block, "u");
    return absl::StrCat(blocks, " < ", kMostBlocks, "u ? ", blocks, " : ", kMostBlocks, "u");
  }

  // The loops' variables from the number of an item; the innermost is the fastest.
  std::string Indices(const std::vector<Statement>& loops, const std::string& item, int indent) {
    std::string text;
    std::vector<Statement> faster;
    for (size_t i = loops.size(); i-- > 0;) {
      std::string index = item;
      if (!faster.empty()) absl::StrAppend(&index, " / (", Count(faster), ")");
      if (i > 0) absl::StrAppend(&index, " % ", ExtentText(loops[i]));
      absl::StrAppend(&text, std::string(2 * indent, ' '), "const int ", loops[i].name, " = (int)(",
                      index, ");\n");
      faster.push_back(loops[i]);
    }
    return text;
  }

  // Variables of indices and logicals are plain ints, as the printer has them.
  static std::string PartType(DataType type) {
    return type == DataType::kLogical || type == DataType::kInt32 ? "int"
                                                                  : CType(type, Language::kCuda);
  }
  static std::string PartsName(DataType type) { return absl::StrCat("Parts_", PartType(type)); }

  std::string Shared(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
    const Block code = WholeCode(nest);
    const std::set<std::string> stored = StoredArrays(code), loaded = LoadedArrays(code);
    // What one thread stores another may load.
    const bool meets = std::any_of(stored.begin(), stored.end(), [&](const std::string& array) {
      return loaded.count(array) > 0;
    });
    const std::string sync = meets ? "    __syncthreads();\n" : "";
    std::string body;
    size_t next = 0;
    for (const Statement& s : nest.body) {
      if (s.kind == Statement::kFor) {
        const SharedLoop& loop = shared[next++];
        absl::StrAppend(&body, loop.stores ? sync : "", SharedText(loop), loop.stores ? sync : "");
      } else if (s.kind == Statement::kStore) {
        absl::StrAppend(&body, sync, "    if (thread == 0) {\n", printer_.Print({s}, 3), "    }\n",
                        sync);
      } else {
        absl::StrAppend(&body, printer_.Print({s}, 2));
      }
    }
    std::string parts;
    std::set<std::string> types;
    for (const SharedLoop& loop : shared) {
      for (const SharedLoop::Joined& joined : loop.joined) {
        if (!types.insert(PartType(joined.type)).second) continue;
        absl::StrAppend(&parts, "  __shared__ ", PartType(joined.type), " ", PartsName(joined.type),
                        "[", kThreads, "];\n");
      }
    }
    return absl::StrCat(
        parts,
        "  const int thread = (int)threadIdx.x;\n  const unsigned items = ", Count(nest.loops),
        ";\n  for (unsigned item = blockIdx.x; item < items; item += gridDim.x) {\n",
        Indices(nest.loops, "item", 2), body, "  }\n");
  }

  // A loop that the threads of a block share, and the tree that joins their parts.
  std::string SharedText(const SharedLoop& loop) {
    std::string text;
    for (const SharedLoop::Joined& joined : loop.joined) {
      if (!joined.identity) continue;
      absl::StrAppend(&text, "    if (thread != 0) ", joined.variable, " = ",
                      CNumber(*joined.identity, joined.type), ";\n");
    }
    absl::StrAppend(&text, "    for (unsigned part = threadIdx.x; part < ", Count(loop.loops),
                    "; part += ", kThreads, "u) {\n", Indices(loop.loops, "part", 3),
                    printer_.Print(loop.body, 3), "    }\n");
    for (const SharedLoop::Joined& joined : loop.joined) {
      const std::string parts = PartsName(joined.type);
      const Expression other = Expression::Load(
          parts, joined.type, Expression::Variable("thread") + Expression::Variable("half"));
      Block join;
      if (joined.identity) {
        Statement sum = joined.statement;
        sum.value = Expression::Make(sum.value.operation(), sum.value.type(),
                                     {sum.value.node().operands[0], other});
        join = {sum};
      } else {
        join = {{.kind = Statement::kLet, .name = joined.value, .value = other}, joined.statement};
      }
      absl::StrAppend(&text, "    ", parts, "[thread] = ", joined.variable,
                      ";\n    __syncthreads();\n    for (int half = ", kThreads / 2,
                      "; half > 0; half /= 2) {\n      if (thread < half) {\n",
                      printer_.Print(join, 4), "        ", parts, "[thread] = ", joined.variable,
                      ";\n      }\n      __syncthreads();\n    }\n    ", joined.variable, " = ",
                      parts, "[0];\n    __syncthreads();\n");
    }
    return text;
  }

  const Program& program_;
  CPrinter& printer_;
  const std::string variable_;
  const int64_t most_;
};

}  // namespace

CudaCode PrintCuda(const Program& program,
                   const std::function<std::string(const ProgramArray&)>& where, CPrinter* printer,
                   const std::string& variable, int64_t most) {
  CudaCode code;
  code.launches = absl::StrCat(CPointers(program, where, printer), "  cudaError_t error;\n");
  KernelPrinter kernels(program, printer, variable, most);
  int number = 0;
  for (const ProgramStep& step : program.steps) {
    absl::StrAppend(&code.launches, "\n  ", CComment(step.comment, 1), "\n");
    for (const ParallelNest& nest : ParallelNests(step.code, variable, most)) {
      kernels.Print(nest, absl::StrCat("Kernel", number++), step.comment, &code);
    }
  }
  if (number == 0) absl::StrAppend(&code.launches, "  (void)stream;\n  (void)error;\n");
  return code;
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
