#include "framework/emit/cuda_kernels.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/emit/c_body.h"
#include "framework/emit/parallel_loops.h"
#include "framework/emit/vector_loops.h"

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

// So many variables are joined at a time: what fits the memory that threads of a block share.
constexpr int kTrees = 8;

// Several blocks share a loop that gives each of their threads some turns; as many blocks in all.
constexpr int64_t kLeastTurns = 4, kBlocksInAll = 4096;

// So many elements keep a device busy with a thread for four of them.
constexpr int64_t kLeastForFour = 1 << 16;

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

constexpr char kCheck[] = "  if ((error = cudaGetLastError()) != cudaSuccess) return error;\n";

enum class Worker : uint8_t { kThread, kBlock, kBlocks, kOneThread };

class KernelPrinter {
 public:
  KernelPrinter(const Program& program, CPrinter* printer, const std::string& variable,
                int64_t most)
      : program_(program), printer_(*printer), variable_(variable), most_(most) {}

  void Print(const ParallelNest& nest, const std::string& name, const std::string& comment,
             CudaCode* code) {
    const auto shared = SharedLoops(nest, variable_, most_);
    const Worker worker = WorkerOf(nest, shared);
    aligned_.clear();
    quartered_.clear();
    std::string parameters, arguments;
    Interface(nest, &parameters, &arguments);
    static constexpr const char* kWho[] = {
        "A thread computes an item.", "A block computes an item.",
        "A block joins what several blocks have of an item.",
        "One thread computes all: these loops could not be shown to be parallel."};
    std::string kernel;
    const auto four = worker == Worker::kThread ? Four(nest.loops, nest.body) : std::nullopt;
    const std::string blocks =
        worker == Worker::kOneThread
            ? absl::StrCat(1)
            : Blocks(nest.loops, worker == Worker::kThread ? kThreads * (four ? kAtOnce : 1) : 1);
    if (worker == Worker::kOneThread) {
      absl::StrAppend(&kernel, Nested(nest));
    } else if (worker == Worker::kThread) {
      if (four) quartered_ = four->innermost;
      absl::StrAppend(&kernel, "  const unsigned items = ", Count(nest.loops), ";\n",
                      "  for (unsigned item = blockIdx.x * ", kThreads,
                      "u + threadIdx.x; item < items;\n       item += gridDim.x * ", kThreads,
                      "u) {\n", Indices(nest.loops, "item", 2),
                      four ? FourText(*four, 2) : printer_.Print(nest.body, 2), "  }\n");
      quartered_.clear();
    } else if (worker == Worker::kBlock) {
      absl::StrAppend(&kernel, Shared(nest, *shared));
    } else {
      // Each kernel has the arrays of its own part of the code.
      const auto loop = std::find_if(nest.body.begin(), nest.body.end(),
                                     [](const Statement& s) { return s.kind == Statement::kFor; });
      ParallelNest first = nest, second = nest;
      first.body.assign(nest.body.begin(), loop + 1);
      second.body.erase(second.body.begin() + (loop - nest.body.begin()));
      const int64_t groups = Groups(nest, *shared);
      Interface(first, &parameters, &arguments);
      const std::string parts = PartsOfGroups(nest, *shared);
      Write(absl::StrCat(CComment(comment), "\n/* ", groups,
                         " blocks share the loop of an item. */\n"),
            absl::StrCat(name, "Parts"), parts, absl::StrCat(parameters, ", double *joins"),
            absl::StrCat(arguments, ", joins"), Blocks(nest.loops, 1, groups), kThreads, code);
      aligned_.clear();
      Interface(second, &parameters, &arguments);
      absl::StrAppend(&parameters, ", const double *joins");
      absl::StrAppend(&arguments, ", joins");
      kernel = JoinOfGroups(nest, *shared);
      code->joins = std::max(code->joins, NumItems(nest.loops, variable_, most_) * groups *
                                              static_cast<int64_t>((*shared)[0].joined.size()));
    }
    Write(absl::StrCat(CComment(comment), "\n/* ", kWho[static_cast<int>(worker)], " */\n"), name,
          kernel, parameters, arguments, blocks, worker == Worker::kOneThread ? 1 : kThreads, code);
  }

  bool has_fours() const { return has_fours_; }

 private:
  // A kernel and its launch. Where four elements are read at once there are two of it: one needs
  // the arrays to begin at multiples of 16 bytes.
  void Write(const std::string& comment, const std::string& name, const std::string& kernel,
             const std::string& parameters, const std::string& arguments, const std::string& blocks,
             int threads, CudaCode* code) {
    absl::StrAppend(&code->kernels, comment, aligned_.empty() ? "" : "template <bool aligned>\n",
                    "__global__ void ", name, "(", parameters, ") {\n", kernel, "}\n\n");
    const std::string launch =
        absl::StrCat("<<<", blocks, ", ", threads, ", 0, stream>>>(", arguments, ");\n");
    if (aligned_.empty()) {
      absl::StrAppend(&code->launches, "  ", name, launch, kCheck);
      return;
    }
    has_fours_ = true;
    std::string all;
    for (const std::string& array : aligned_) {
      absl::StrAppend(&all, all.empty() ? "" : " | ", "(uintptr_t)", array);
    }
    absl::StrAppend(&code->launches, "  if ((", all, ") % 16 == 0) {\n    ", name, "<true>", launch,
                    "  } else {\n    ", name, "<false>", launch, "  }\n", kCheck);
  }

  std::optional<VectorLoops> Four(const std::vector<Statement>& loops, const Block& body) {
    if (NumItems(loops, variable_, most_) < kLeastForFour) return std::nullopt;
    auto four = FourAtOnce(loops, body, program_, variable_, most_);
    if (four) {
      for (const VectorLoops::Access& access : four->accesses) aligned_.insert(access.array);
    }
    return four;
  }

  std::string FourText(const VectorLoops& four, int indent) {
    const std::string in(2 * indent, ' ');
    std::string loads, stores;
    for (const VectorLoops::Access& access : four.accesses) {
      const std::string type = absl::StrCat("Four<", CType(access.type, Language::kCuda), "> "),
                        at = absl::StrCat(access.array, " + ", printer_.Print(access.first));
      absl::StrAppend(&loads, in, access.is_stored ? "" : "const ", type, access.variable);
      if (access.is_loaded) absl::StrAppend(&loads, " = LoadFour<aligned>(", at, ")");
      loads += ";\n";
      if (!access.is_stored) continue;
      absl::StrAppend(&stores, in, "StoreFour<aligned>(", access.variable, ", ", at, ");\n");
    }
    return absl::StrCat(loads, "#pragma unroll\n", in, "for (int element = 0; element < ", kAtOnce,
                        "; ++element) {\n", printer_.Print(four.body, indent + 1), in, "}\n",
                        stores);
  }

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
    if (parts >= kLeastParts && items <= kMostBlockItems) {
      return Groups(nest, *shared) > 1 ? Worker::kBlocks : Worker::kBlock;
    }
    return nest.loops.empty() ? Worker::kOneThread : Worker::kThread;
  }

  // How many blocks share an item's loop.
  int64_t Groups(const ParallelNest& nest, const std::vector<SharedLoop>& shared) const {
    if (shared.size() != 1 || Meets(nest)) return 1;
    bool is_before = true;
    for (const Statement& s : nest.body) {
      if (s.kind == Statement::kStore && is_before) return 1;
      if (s.kind == Statement::kFor) is_before = false;
    }
    for (const SharedLoop::Joined& joined : shared[0].joined) {
      if (joined.type == DataType::kInt64 || joined.type == DataType::kUint8) return 1;
    }
    const int64_t items = NumItems(nest.loops, variable_, most_),
                  parts = NumItems(shared[0].loops, variable_, most_);
    int64_t groups = kThreads;
    while (groups > 1 &&
           (items * groups > kBlocksInAll || parts < groups * kThreads * kLeastTurns)) {
      groups /= 2;
    }
    return groups;
  }

  // Does the nest load what it stores? What one thread stores another may load.
  static bool Meets(const ParallelNest& nest) {
    const Block code = WholeCode(nest);
    const std::set<std::string> stored = StoredArrays(code), loaded = LoadedArrays(code);
    return std::any_of(stored.begin(), stored.end(),
                       [&](const std::string& array) { return loaded.count(array) > 0; });
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
    parameters->clear();
    arguments->clear();
    const bool apart = !OverlapsInMemory(nest);
    const auto add = [&](const std::string& type, const std::string& name) {
      absl::StrAppend(parameters, parameters->empty() ? "" : ", ", type, name);
      absl::StrAppend(arguments, arguments->empty() ? "" : ", ", name);
    };
    if (!variable_.empty()) add("int ", variable_);
    for (const ProgramArray& a : program_.arrays) {
      const bool is_stored = stored.count(a.name) > 0;
      if (a.role == ProgramArray::kConstant || (!is_stored && loaded.count(a.name) == 0)) continue;
      // What one array's elements are is not changed by stores to another.
      add(absl::StrCat(is_stored ? "" : "const ", CType(a.spec.type, Language::kCuda), " *",
                       apart ? "__restrict__ " : ""),
          a.name);
    }
  }

  std::string ExtentText(const Statement& loop) {
    return loop.extent == Statement::kVariableExtent
               ? absl::StrCat("(unsigned)(", printer_.Print(loop.variable_extent), ")",
                              loop.name == quartered_ ? " / 4u" : "")
               : absl::StrCat(loop.extent / (loop.name == quartered_ ? kAtOnce : 1), "u");
  }

  // The number of items, as the code's text.
  std::string Count(const std::vector<Statement>& loops) {
    int64_t known = 1;
    std::string text;
    for (const Statement& loop : loops) {
      if (loop.extent == Statement::kVariableExtent) {
        absl::StrAppend(&text, " * ", ExtentText(loop));
      } else {
        known *= loop.extent / (loop.name == quartered_ ? kAtOnce : 1);
      }
    }
    return absl::StrCat(known, "u", text);
  }

  std::string Blocks(const std::vector<Statement>& loops, int64_t items_in_block,
                     int64_t blocks_of_item = 1) {
    const bool varies = std::any_of(loops.begin(), loops.end(), [](const Statement& s) {
      return s.extent == Statement::kVariableExtent;
    });
    if (!varies) {
      const int64_t items = NumItems(loops) * blocks_of_item;
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
      absl::StrAppend(&text, std::string(2 * indent, ' '), "const int ", loops[i].name, " = ",
                      loops[i].name == quartered_ ? "4 * " : "", "(int)(", index, ");\n");
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
    const std::string sync = Meets(nest) ? "    __syncthreads();\n" : "";
    std::string body;
    size_t next = 0;
    for (const Statement& s : nest.body) {
      if (s.kind == Statement::kFor) {
        const SharedLoop& loop = shared[next++];
        absl::StrAppend(&body, loop.stores ? sync : "", SharedText(nest, loop),
                        loop.stores ? sync : "");
      } else {
        body += Once(s, sync);
      }
    }
    return absl::StrCat(Begin(nest, shared), "  for (unsigned item = blockIdx.x; item < items; ",
                        "item += gridDim.x) {\n", Indices(nest.loops, "item", 2), body, "  }\n");
  }

  // What stands outside of loops: all threads know the variables, one stores.
  std::string Once(const Statement& s, const std::string& sync) {
    if (s.kind != Statement::kStore) return printer_.Print({s}, 2);
    return absl::StrCat(sync, "    if (thread == 0) {\n", printer_.Print({s}, 3), "    }\n", sync);
  }

  // The memory in which a block joins parts, and the numbers of items.
  std::string Begin(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
    std::string parts;
    std::map<std::string, int> most;
    for (const SharedLoop& loop : shared) {
      std::map<std::string, int> rows;
      for (const SharedLoop::Joined& joined : loop.joined) {
        const std::string type = PartType(joined.type);
        most[type] = std::max(most[type], std::min(++rows[type], kTrees));
      }
    }
    for (const auto& [type, rows] : most) {
      absl::StrAppend(&parts, "  __shared__ ", type, " Parts_", type, "[", kThreads * rows, "];\n");
    }
    return absl::StrCat(parts, "  const int thread = (int)threadIdx.x;\n  const unsigned items = ",
                        Count(nest.loops), ";\n");
  }

  // The blocks of a group share the items' loop; each leaves what its threads have.
  std::string PartsOfGroups(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
    const int64_t groups = Groups(nest, shared);
    std::string body;
    for (const Statement& s : nest.body) {
      if (s.kind == Statement::kFor) break;
      body += Once(s, "");
    }
    absl::StrAppend(&body, SharedText(nest, shared[0], groups));
    const size_t joins = shared[0].joined.size();
    for (size_t j = 0; j < joins; ++j) {
      absl::StrAppend(&body, "    if (thread == 0) joins[(item * ", groups, "u + group) * ", joins,
                      "u + ", j, "u] = ", shared[0].joined[j].variable, ";\n");
    }
    return absl::StrCat(Begin(nest, shared), "  for (unsigned block = blockIdx.x; block < items * ",
                        groups, "u; block += gridDim.x) {\n",
                        "    const unsigned item = block % items, group = block / items;\n",
                        Indices(nest.loops, "item", 2), body, "  }\n");
  }

  std::string JoinOfGroups(const ParallelNest& nest, const std::vector<SharedLoop>& shared) {
    const int64_t groups = Groups(nest, shared);
    const std::vector<SharedLoop::Joined>& joined = shared[0].joined;
    std::string body;
    for (const Statement& s : nest.body) {
      if (s.kind != Statement::kFor) {
        body += Once(s, "");
        continue;
      }
      for (size_t j = 0; j < joined.size(); ++j) {
        const std::string other =
            joined[j].identity ? CNumber(*joined[j].identity, joined[j].type) : joined[j].variable;
        absl::StrAppend(&body, "    ", joined[j].variable, " = thread < ", groups, " ? (",
                        PartType(joined[j].type), ")joins[(item * ", groups, "u + threadIdx.x) * ",
                        joined.size(), "u + ", j, "u] : ", other, ";\n");
      }
      body += TreesText(joined);
    }
    return absl::StrCat(Begin(nest, shared), "  for (unsigned item = blockIdx.x; item < items; ",
                        "item += gridDim.x) {\n", Indices(nest.loops, "item", 2), body, "  }\n");
  }

  // A loop that the threads of a block share, or those of several blocks, and the trees that join
  // the parts of a block's threads.
  std::string SharedText(const ParallelNest& nest, const SharedLoop& loop, int64_t groups = 1) {
    std::vector<Statement> all = nest.loops;
    all.insert(all.end(), loop.loops.begin(), loop.loops.end());
    const auto four = Four(all, loop.body);
    if (four) quartered_ = four->innermost;
    std::string text;
    for (const SharedLoop::Joined& joined : loop.joined) {
      if (!joined.identity) continue;
      absl::StrAppend(&text, "    if (thread != 0", groups > 1 ? " || group != 0" : "", ") ",
                      joined.variable, " = ", CNumber(*joined.identity, joined.type), ";\n");
    }
    const std::string first =
        groups > 1 ? absl::StrCat("group * ", kThreads, "u + threadIdx.x") : "threadIdx.x";
    absl::StrAppend(&text, "    for (unsigned part = ", first, "; part < ", Count(loop.loops),
                    "; part += ", groups * kThreads, "u) {\n", Indices(loop.loops, "part", 3),
                    four ? FourText(*four, 3) : printer_.Print(loop.body, 3), "    }\n");
    quartered_.clear();
    return text + TreesText(loop.joined);
  }

  // Joins what the threads of a block have, several variables at a time.
  std::string TreesText(const std::vector<SharedLoop::Joined>& joined) {
    std::string text;
    for (size_t first = 0; first < joined.size(); first += kTrees) {
      text += TreesText(
          joined.begin() + static_cast<std::ptrdiff_t>(first),
          joined.begin() + static_cast<std::ptrdiff_t>(std::min(joined.size(), first + kTrees)));
    }
    return text;
  }

  using JoinedAt = std::vector<SharedLoop::Joined>::const_iterator;
  std::string TreesText(JoinedAt begin, JoinedAt end) {
    std::string puts, joins, gets;
    std::map<std::string, int> rows;
    for (JoinedAt joined = begin; joined != end; ++joined) {
      const std::string parts = PartsName(joined->type);
      const int row = kThreads * rows[parts]++;
      const Expression mine = Expression(row) + Expression::Variable("thread"),
                       other = Expression::Load(parts, joined->type,
                                                mine + Expression::Variable("half"));
      const std::string put =
          absl::StrCat(parts, "[", printer_.Print(mine), "] = ", joined->variable, ";\n");
      Block join;
      if (joined->identity) {
        Statement sum = joined->statement;
        sum.value = Expression::Make(sum.value.operation(), sum.value.type(),
                                     {sum.value.node().operands[0], other});
        join = {sum};
      } else {
        join = {{.kind = Statement::kLet, .name = joined->value, .value = other},
                joined->statement};
      }
      absl::StrAppend(&puts, "    ", put);
      absl::StrAppend(&joins, printer_.Print(join, 4), "        ", put);
      absl::StrAppend(&gets, "    ", joined->variable, " = ", parts, "[", row, "];\n");
    }
    return absl::StrCat(puts, "    __syncthreads();\n    for (int half = ", kThreads / 2,
                        "; half > 0; half /= 2) {\n      if (thread < half) {\n", joins,
                        "      }\n      __syncthreads();\n    }\n", gets, "    __syncthreads();\n");
  }

  const Program& program_;
  CPrinter& printer_;
  const std::string variable_;
  const int64_t most_;
  // Of the kernel that is being printed: arrays that are read or written by fours, and the loop
  // that goes on by four.
  std::set<std::string> aligned_;
  std::string quartered_;
  bool has_fours_ = false;
};

}  // namespace

CudaCode PrintCuda(const Program& program,
                   const std::function<std::string(const ProgramArray&)>& where, CPrinter* printer,
                   const std::string& joins, const std::string& variable, int64_t most) {
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
  if (code.joins > 0) {
    code.launches = absl::StrCat("  double *const joins = ", joins, ";\n", code.launches);
  }
  if (kernels.has_fours()) code.kernels = absl::StrCat(kFour, code.kernels);
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
