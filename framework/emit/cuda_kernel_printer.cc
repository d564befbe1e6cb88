#include "framework/emit/cuda_kernel_printer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/emit/c_body.h"
#include "framework/emit/places.h"

namespace lamina {

using loops::Block;
using loops::Statement;

namespace {

constexpr int64_t kMostBlocks = 65535;
// A block computes an item where its threads have some turns to share, and where there are too few
// items to keep a device busy with a thread for each; also of more items where the elements of an
// item, not those of neighbouring items, stand side by side in memory.
constexpr int64_t kLeastParts = 64, kMostBlockItems = 8192, kLeastNeighbours = 128;

// Several blocks share a loop that gives each of their threads some turns; as many blocks in all.
// So many blocks keep a device busy by themselves: joining what several have would only be a launch
// more.
constexpr int64_t kLeastTurns = 4, kBlocksInAll = 4096, kBusy = 264;

// Neighbouring items whose elements stand side by side are computed by the lanes of a warp, and the
// warps of a block share the loop: for so many elements in all, which come from memory in whole
// sectors then. A thread has more turns.
constexpr int kLanes = 32;
constexpr int64_t kLeastForLanes = 1 << 18, kLeastTurnsOfLanes = 16;

// Blocks that few items leave the device to themselves have more threads for long loops.
constexpr int64_t kFewItems = 132, kLongLoop = 4096;
constexpr int kManyThreads = 1024;

// So many elements keep a device busy with a thread for four of them.
constexpr int64_t kLeastForFour = 1 << 16;

// For the compiler, which gives the threads of a large block fewer registers.
std::string LaunchBounds(int threads) { return absl::StrCat("__launch_bounds__(", threads, ") "); }

// What a kernel computes, as a line before it.
std::string Told(const std::string& comment) {
  return comment.empty() ? "" : absl::StrCat(CComment(comment), "\n");
}

}  // namespace

KernelPrinter::KernelPrinter(const Program& program, CPrinter* printer, const std::string& variable,
                             int64_t most)
    : program_(program), printer_(*printer), variable_(variable), most_(most) {
  for (const ProgramArray& a : program.arrays) {
    if (a.role == ProgramArray::kScratch) scratch_by_name_[a.name] = &a;
  }
}

void KernelPrinter::Print(const ParallelNest& nest, const std::string& name,
                          const std::string& comment, CudaCode* code) {
  const auto shared = SharedLoops(nest, variable_, most_);
  const Worker worker = WorkerOf(nest, shared);
  threads_ = worker == Worker::kBlock ? ThreadsOf(nest, *shared) : kThreads;
  const bool in_blocks = worker == Worker::kBlock || worker == Worker::kBlocks;
  lanes_ = in_blocks ? LanesOf(nest, *shared) : 1;
  aligned_.clear();
  quartered_.clear();
  Given given = Interface(nest);
  static constexpr const char* kWho[] = {
      "A thread computes an item.", "A block computes an item.",
      "A block joins what several blocks have of an item.",
      "One thread computes all: these loops could not be shown to be parallel."};
  std::string kernel;
  const auto four = worker == Worker::kThread ? Four(nest.loops, nest.body) : std::nullopt;
  const int64_t of_block = worker == Worker::kThread  ? kThreads * (four ? kAtOnce : 1)
                           : worker == Worker::kBlock ? lanes_
                                                      : 1;
  const std::string blocks =
      worker == Worker::kOneThread ? absl::StrCat(1) : Blocks(nest.loops, of_block);
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
    given = Interface(first);
    given.Add("double *", "joins");
    const std::string parts = PartsOfGroups(nest, *shared);
    Write(absl::StrCat(Told(comment), "/* ", groups, " blocks share the loop of ",
                       lanes_ > 1 ? "32 neighbouring items" : "an item", ". */\n"),
          absl::StrCat(name, "Parts"), parts, given, Blocks(nest.loops, lanes_, groups), kThreads,
          code);
    aligned_.clear();
    lanes_ = 1;
    given = Interface(second);
    given.Add("const double *", "joins");
    kernel = JoinOfGroups(nest, *shared);
    code->joins = std::max(code->joins,
                           NumItems(nest.loops, variable_, most_) * groups * JoinsOf((*shared)[0]));
  }
  const std::string who =
      lanes_ > 1 ? "A block computes 32 neighbouring items." : kWho[static_cast<int>(worker)];
  Write(absl::StrCat(Told(comment), "/* ", who, " */\n"), name, kernel, given, blocks,
        worker == Worker::kOneThread ? 1 : threads_, code);
}

void KernelPrinter::Given::Add(const std::string& type, const std::string& name) {
  parameters.push_back(type + name);
  arguments.push_back({name});
}

void KernelPrinter::Write(const std::string& comment, const std::string& name,
                          const std::string& kernel, const Given& given, const std::string& blocks,
                          int threads, CudaCode* code) {
  absl::StrAppend(&code->kernels, comment, aligned_.empty() ? "" : "template <bool aligned>\n",
                  "__global__ ", threads > kThreads ? LaunchBounds(threads) : "", "void ", name,
                  "(", absl::StrJoin(given.parameters, ", "), ") {\n", kernel, "}\n\n");
  has_fours_ = has_fours_ || !aligned_.empty();
  std::vector<CudaArgument> aligned;
  for (const std::string& array : aligned_) aligned.push_back({array});
  code->launches.back().push_back({.kernel = name,
                                   .arguments = given.arguments,
                                   .blocks = blocks,
                                   .threads = threads,
                                   .aligned = std::move(aligned)});
}

std::optional<VectorLoops> KernelPrinter::Four(const std::vector<Statement>& loops,
                                               const Block& body) {
  if (NumItems(loops, variable_, most_) < kLeastForFour) return std::nullopt;
  auto four = FourAtOnce(loops, body, program_, variable_, most_);
  if (four) {
    for (const VectorLoops::Access& access : four->accesses) aligned_.insert(access.array);
  }
  return four;
}

std::string KernelPrinter::FourText(const VectorLoops& four, int indent) {
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
                      "; ++element) {\n", printer_.Print(four.body, indent + 1), in, "}\n", stores);
}

KernelPrinter::Worker KernelPrinter::WorkerOf(
    const ParallelNest& nest, const std::optional<std::vector<SharedLoop>>& shared) const {
  if (OverlapsInMemory(nest)) return Worker::kOneThread;
  int64_t parts = 0;
  bool has_neighbours = false;
  if (shared) {
    for (const SharedLoop& loop : *shared) {
      const int64_t own = NumItems(loop.loops, variable_, most_);
      parts = std::max(parts, own);
      has_neighbours = has_neighbours || (own >= kLeastNeighbours && !nest.loops.empty() &&
                                          LoadsNeighbours(loop.body, loop.loops.back().name) &&
                                          !LoadsNeighbours(loop.body, nest.loops.back().name));
    }
  }
  const int64_t items = NumItems(nest.loops, variable_, most_);
  if (parts >= kLeastParts && items <= (has_neighbours ? kMostBlocks : kMostBlockItems)) {
    return Groups(nest, *shared) > 1 ? Worker::kBlocks : Worker::kBlock;
  }
  return nest.loops.empty() ? Worker::kOneThread : Worker::kThread;
}

int KernelPrinter::LanesOf(const ParallelNest& nest, const std::vector<SharedLoop>& shared) const {
  if (nest.loops.empty() || Meets(nest)) return 1;
  const Statement& fastest = nest.loops.back();
  if (NumItems({fastest}, variable_, most_) < kLanes) return 1;
  int64_t parts = 0;
  for (const SharedLoop& loop : shared) {
    if (loop.stores || LoadsNeighbours(loop.body, loop.loops.back().name) ||
        !LoadsNeighbours(loop.body, fastest.name)) {
      return 1;
    }
    parts = std::max(parts, NumItems(loop.loops, variable_, most_));
  }
  return NumItems(nest.loops, variable_, most_) * parts < kLeastForLanes ? 1 : kLanes;
}

int KernelPrinter::ThreadsOf(const ParallelNest& nest,
                             const std::vector<SharedLoop>& shared) const {
  const bool has_long_loop = std::any_of(shared.begin(), shared.end(), [&](const SharedLoop& loop) {
    return NumItems(loop.loops, variable_, most_) >= kLongLoop;
  });
  const bool has_few_items =
      NumItems(nest.loops, variable_, most_) <= kFewItems * LanesOf(nest, shared);
  return has_long_loop && has_few_items ? kManyThreads : kThreads;
}

int64_t KernelPrinter::Groups(const ParallelNest& nest,
                              const std::vector<SharedLoop>& shared) const {
  if (shared.size() != 1 || Meets(nest)) return 1;
  bool is_before = true;
  for (const Statement& s : nest.body) {
    if (s.kind == Statement::kStore && is_before) return 1;
    if (s.kind == Statement::kFor) is_before = false;
  }
  for (const SharedLoop::Joined& joined : shared[0].joined) {
    if (joined.type == DataType::kInt64 || joined.type == DataType::kUint8) return 1;
  }
  const int64_t lanes = LanesOf(nest, shared),
                blocks = (NumItems(nest.loops, variable_, most_) + lanes - 1) / lanes,
                parts = NumItems(shared[0].loops, variable_, most_),
                turns = lanes > 1 ? kLeastTurnsOfLanes : kLeastTurns;
  if (blocks >= kBusy) return 1;
  int64_t groups = kThreads;
  while (groups > 1 &&
         (blocks * groups > kBlocksInAll || parts < groups * (kThreads / lanes) * turns)) {
    groups /= 2;
  }
  return groups;
}

bool KernelPrinter::Meets(const ParallelNest& nest) {
  const Block code = CodeOf(nest);
  const std::set<std::string> stored = StoredArrays(code), loaded = LoadedArrays(code);
  return std::any_of(stored.begin(), stored.end(),
                     [&](const std::string& array) { return loaded.count(array) > 0; });
}

bool KernelPrinter::OverlapsInMemory(const ParallelNest& nest) const {
  const Block code = CodeOf(nest);
  const std::set<std::string> stored = StoredArrays(code);
  std::set<std::string> all = LoadedArrays(code);
  all.insert(stored.begin(), stored.end());
  std::vector<const ProgramArray*> scratch;
  for (const std::string& name : all) {
    const auto array = scratch_by_name_.find(name);
    if (array != scratch_by_name_.end()) scratch.push_back(array->second);
  }
  for (const ProgramArray* a : scratch) {
    if (stored.count(a->name) == 0) continue;
    for (const ProgramArray* b : scratch) {
      if (a != b && a->spec.type == b->spec.type && a->offset < b->offset + b->spec.numel() &&
          b->offset < a->offset + a->spec.numel()) {
        return true;
      }
    }
  }
  return false;
}

std::string KernelPrinter::Nested(const ParallelNest& nest) {
  return printer_.Print(CodeOf(nest), 1);
}

KernelPrinter::Given KernelPrinter::Interface(const ParallelNest& nest) const {
  Given given;
  const Block code = CodeOf(nest);
  const std::set<std::string> stored = StoredArrays(code), loaded = LoadedArrays(code);
  const bool apart = !OverlapsInMemory(nest);
  if (!variable_.empty()) given.Add("int ", variable_);
  for (const ProgramArray& a : program_.arrays) {
    const bool is_stored = stored.count(a.name) > 0;
    if (a.role == ProgramArray::kConstant || (!is_stored && loaded.count(a.name) == 0)) continue;
    // What one array's elements are is not changed by stores to another.
    given.Add(absl::StrCat(is_stored ? "" : "const ", CType(a.spec.type, Language::kCuda), " *",
                           apart ? "__restrict__ " : ""),
              a.name);
  }
  return given;
}

std::string KernelPrinter::ExtentText(const Statement& loop) {
  return loop.extent == Statement::kVariableExtent
             ? absl::StrCat("(unsigned)(", printer_.Print(loop.variable_extent), ")",
                            loop.name == quartered_ ? " / 4u" : "")
             : absl::StrCat(loop.extent / (loop.name == quartered_ ? kAtOnce : 1), "u");
}

std::string KernelPrinter::Count(const std::vector<Statement>& loops) {
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

std::string KernelPrinter::Blocks(const std::vector<Statement>& loops, int64_t items_in_block,
                                  int64_t blocks_of_item) {
  const bool varies = std::any_of(loops.begin(), loops.end(), [](const Statement& s) {
    return s.extent == Statement::kVariableExtent;
  });
  if (!varies) {
    const int64_t blocks = (NumItems(loops) + items_in_block - 1) / items_in_block * blocks_of_item;
    return absl::StrCat(std::min(kMostBlocks, std::max<int64_t>(1, blocks)));
  }
  const std::string blocks = items_in_block == 1
                                 ? Count(loops)
                                 : absl::StrCat("(", Count(loops), " + ", items_in_block - 1,
                                                "u) / ", items_in_block, "u");
  return absl::StrCat(blocks, " < ", kMostBlocks, "u ? ", blocks, " : ", kMostBlocks, "u");
}

std::string KernelPrinter::Indices(const std::vector<Statement>& loops, const std::string& item,
                                   int indent) {
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

}  // namespace lamina
