// How cuda_kernels.h prints a nest of parallel loops: one or two kernels, and their launches.
//
//   KernelPrinter kernels(program, &printer, variable, most);
//   kernels.Print(nest, "Kernel0", comment, &code);
//
// Threads: a printer is used by one thread.
#ifndef FRAMEWORK_EMIT_CUDA_KERNEL_PRINTER_H_
#define FRAMEWORK_EMIT_CUDA_KERNEL_PRINTER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/emit/c_printer.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/emit/parallel_loops.h"
#include "framework/emit/program.h"
#include "framework/emit/vector_loops.h"

namespace lamina {

class KernelPrinter {
 public:
  /// `variable` and `most` as in CudaOptions.
  KernelPrinter(const Program& program, CPrinter* printer, const std::string& variable,
                int64_t most);

  /// Appends to `code` and the launches of its last step; `comment` tells what the kernel computes,
  /// unless it is "".
  void Print(const ParallelNest& nest, const std::string& name, const std::string& comment,
             CudaCode* code);

  /// Does a kernel so far read or write four elements at once?
  bool has_fours() const { return has_fours_; }
  /// Arrays with names of their own in the same memory: indices alone do not tell them apart.
  bool OverlapsInMemory(const ParallelNest& nest) const;

 private:
  static constexpr int kThreads = 256;  // Of a block, but for those of few items with long loops.

  enum class Worker : uint8_t { kThread, kBlock, kBlocks, kOneThread };

  // What a kernel is given, in the function's declaration and in a launch.
  struct Given {
    std::vector<std::string> parameters;
    std::vector<CudaArgument> arguments;
    void Add(const std::string& type, const std::string& name);
  };

  // A kernel and its launch. Where four elements are read at once there are two of it: one needs
  // the arrays to begin at multiples of 16 bytes.
  void Write(const std::string& comment, const std::string& name, const std::string& kernel,
             const Given& given, const std::string& blocks, int threads, CudaCode* code);
  std::optional<VectorLoops> Four(const std::vector<loops::Statement>& loops,
                                  const loops::Block& body);
  std::string FourText(const VectorLoops& four, int indent);
  Worker WorkerOf(const ParallelNest& nest,
                  const std::optional<std::vector<SharedLoop>>& shared) const;
  // How many items a block computes side by side: 32, each in a lane of its warps, or one.
  int LanesOf(const ParallelNest& nest, const std::vector<SharedLoop>& shared) const;
  // Of a block that computes an item, or as many as it has lanes.
  int ThreadsOf(const ParallelNest& nest, const std::vector<SharedLoop>& shared) const;
  // How many blocks share the loop of an item, or of as many as they have lanes.
  int64_t Groups(const ParallelNest& nest, const std::vector<SharedLoop>& shared) const;
  // Does the nest load what it stores? What one thread stores another may load.
  static bool Meets(const ParallelNest& nest);
  std::string Nested(const ParallelNest& nest);
  Given Interface(const ParallelNest& nest) const;
  std::string ExtentText(const loops::Statement& loop);
  // The number of items, as the code's text.
  std::string Count(const std::vector<loops::Statement>& loops);
  std::string Blocks(const std::vector<loops::Statement>& loops, int64_t items_in_block,
                     int64_t blocks_of_item = 1);
  // The loops' variables from the number of an item; the innermost is the fastest.
  std::string Indices(const std::vector<loops::Statement>& loops, const std::string& item,
                      int indent);

  // Of loops that threads share, in cuda_shared_loops.cc.

  // Variables of indices and logicals are plain ints, as the printer has them.
  static std::string PartType(DataType type);
  static std::string PartsName(DataType type);
  // How many doubles a block leaves of an item, where several blocks share it.
  static int64_t JoinsOf(const SharedLoop& loop);
  std::string Shared(const ParallelNest& nest, const std::vector<SharedLoop>& shared);
  // The loop over the items of blocks, with what each does in `body`.
  std::string ItemsOfBlocks(const ParallelNest& nest, const std::string& body, int64_t groups = 1);
  // Whether a thread is the one that stores or leaves what was joined of its item.
  std::string IsFirst() const;
  // What stands outside of loops: all threads know the variables, one stores.
  std::string Once(const loops::Statement& s, const std::string& sync);
  // The memory in which a block joins parts, and the numbers of items.
  std::string Begin(const ParallelNest& nest, const std::vector<SharedLoop>& shared);
  // The blocks of a group share the items' loop; each leaves what its threads have.
  std::string PartsOfGroups(const ParallelNest& nest, const std::vector<SharedLoop>& shared);
  std::string JoinOfGroups(const ParallelNest& nest, const std::vector<SharedLoop>& shared);
  // A loop that the threads of a block share, or those of several blocks, and the trees that join
  // the parts of a block's threads.
  std::string SharedText(const ParallelNest& nest, const SharedLoop& loop, int64_t groups = 1);
  // So many numbers are joined at a time, a complex one as two: what fits the memory that threads
  // of a block share.
  int NumTrees() const;
  // Joins what the threads of a block have, several variables at a time.
  std::string TreesText(const std::vector<SharedLoop::Joined>& joined);
  std::string TreesTogether(const std::vector<SharedLoop::Joined>& together);

  const Program& program_;
  CPrinter& printer_;
  const std::string variable_;
  const int64_t most_;
  std::map<std::string, const ProgramArray*> scratch_by_name_;
  // Of the kernel that is being printed: arrays that are read or written by fours, and the loop
  // that goes on by four.
  std::set<std::string> aligned_;
  std::string quartered_;
  int threads_ = kThreads, lanes_ = 1;
  bool has_fours_ = false;
};

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_CUDA_KERNEL_PRINTER_H_
