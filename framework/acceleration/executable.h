// A graph that runs: op by op at first, by compiled kernels when they are ready.
//
//   Executable executable(RecordGraph(f, specs), WriteKernels);
//   executable.Run({x});          // op by op
//   executable.Compile();         // in the background
//   ...
//   executable.Run({x});          // kernels, with the same results to rounding
//
// A run with kernels takes no memory but for the arrays that it returns: scratch memory and all
// pointers into it are kept in an arena, one for each run at a time. Arenas that no run uses are
// given back when memory is short. Tapes hear nothing of a run with kernels; what is recorded or
// differentiated around it is the caller's matter (dl_accelerate.h).
//
// Threads: any number may run at once.
#ifndef FRAMEWORK_ACCELERATION_EXECUTABLE_H_
#define FRAMEWORK_ACCELERATION_EXECUTABLE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "framework/acceleration/kernel_library.h"
#include "framework/acceleration/kernel_plan.h"
#include "framework/emit/kernels.h"
#include "framework/graph/graph.h"

namespace lamina {

class Executable {
 public:
  using Writer = std::function<KernelProgram(const Graph&)>;

  /// `writer` turns the graph into kernels; it is called by the thread that compiles.
  Executable(Graph graph, Writer writer);
  ~Executable();
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;

  /// The outputs of the graph. Errors: those of Graph::Evaluate; "dlarray:OutOfMemory".
  DlArrays Run(Arrays inputs) const;
  /// The same; `outputs` has one array for each output, which is replaced.
  void Run(Arrays inputs, std::span<DlArray> outputs) const;

  /// Begins to compile, in the background; does nothing the second time.
  void Compile(const CompilerSettings& settings = CompilerSettings::FromEnvironment());
  bool IsCompiling() const { return loading_.load(std::memory_order_acquire) != nullptr; }
  /// Waits for the compiler, if Compile was called. OK when runs use kernels from now on; otherwise
  /// why not.
  absl::Status Wait() const;
  /// Whether the compiler has come to an end, good or bad.
  bool IsSettled() const;
  /// Null while runs go op by op: what the kernels are.
  const internal::KernelPlan* plan() const;

  const Graph& graph() const { return *graph_; }
  /// Memory that the object holds: constants and arenas.
  int64_t bytes() const;

  /// Gives back the arenas of all executables of the process that no run uses at this moment.
  static void ReleaseIdleArenas();

 private:
  struct Background;

  std::unique_ptr<internal::Arena> TakeArena(const internal::KernelPlan& plan) const;
  void PutBack(std::unique_ptr<internal::Arena> arena) const;
  void RunPlan(const internal::KernelPlan& plan, Arrays inputs, std::span<DlArray> outputs,
               internal::Arena& arena) const;
  void ReleaseArenas() const;

  const std::shared_ptr<const Graph> graph_;
  const Writer writer_;
  std::shared_ptr<Background> background_;
  std::atomic<const KernelLoading*> loading_{nullptr};
  mutable std::atomic<const internal::KernelPlan*> plan_{nullptr};
  mutable std::mutex mutex_;  // Of what follows.
  mutable std::unique_ptr<const internal::KernelPlan> owned_plan_;
  mutable std::vector<std::unique_ptr<internal::Arena>> idle_;
  // The arena that the next run takes without a lock.
  mutable std::atomic<internal::Arena*> next_{nullptr};
  mutable std::atomic<int> num_arenas_{0};
  mutable internal::ThreadChoice choice_;
};

}  // namespace lamina

#endif  // FRAMEWORK_ACCELERATION_EXECUTABLE_H_
