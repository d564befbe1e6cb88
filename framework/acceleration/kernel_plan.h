// A program of kernels with everything found out that does not change from run to run.
//
// Used by executable.h. The pointers of scratch and constants are written once into an arena; a run
// writes those of its inputs and outputs, and calls.
//
// Threads: a plan may be run from any number of threads at once, each with an arena of its own.
#ifndef FRAMEWORK_ACCELERATION_KERNEL_PLAN_H_
#define FRAMEWORK_ACCELERATION_KERNEL_PLAN_H_

#include <memory>
#include <span>
#include <vector>

#include "framework/acceleration/kernel_library.h"
#include "framework/acceleration/thread_choice.h"
#include "framework/emit/kernels.h"
#include "framework/graph/graph.h"

namespace lamina::internal {

class KernelPlan;

/// What one run at a time works in: scratch memory, pointers, arrays over the scratch memory.
class Arena {
 public:
  /// Errors: std::bad_alloc.
  explicit Arena(const KernelPlan& plan);
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

 private:
  friend class KernelPlan;
  // An array over memory that is not its own.
  DlArray Borrow(const ArraySpec& spec, char* memory);

  char* memory_ = nullptr;
  size_t bytes_ = 0;
  std::vector<char*> starts_;            // Of each array of the program.
  std::vector<char*> arguments_;         // Of all kernels, one after the other.
  std::vector<DlArray> operands_;        // Of all op calls: inputs, then outputs.
  std::vector<DlArray> fixed_operands_;  // The same; without data where a run puts them.
  std::vector<RefPtr<Storage>> borrowed_;
};

class KernelPlan {
 public:
  KernelPlan(std::shared_ptr<const Graph> graph, KernelProgram program,
             std::shared_ptr<const KernelLibrary> library);

  /// Computes the outputs of the graph. The inputs have values and the graph's specs; `outputs` has
  /// one unset array for each output. After an exception the arena must not be used again. Kernels
  /// give the same bits whichever way they run; ops share their work as they do elsewhere.
  void Run(Arrays inputs, std::span<DlArray> outputs, Arena& arena, ThreadChoice::Way way) const;
  /// Whether a kernel has work for two threads.
  bool CanShare() const { return can_share_; }

  int64_t scratch_bytes() const { return program_.scratch_bytes; }
  int num_kernels() const { return program_.num_kernels; }
  int num_op_calls() const { return num_op_calls_; }
  const KernelLibrary& library() const { return *library_; }

 private:
  friend class Arena;
  struct Operand {
    enum Kind : uint8_t {
      kFixed,    // In the arena's memory, or a constant: made with the arena.
      kOfInput,  // The input with this number, or a view of it.
      kOfOutput,
      kUnused,  // An output of an op that nobody reads.
    };
    Kind kind;
    int number;  // Of the input or output.
    int array;
    const ArraySpec* spec;
    size_t bytes;
  };
  struct Call {
    Kernel kernel;  // Null for an op call.
    const Op* op;
    int first;  // In arguments_ or operands_ of the arena.
    int num_inputs = 0, num_outputs = 0;
    int64_t count, grain;
  };
  struct Argument {
    int place, array;
    int64_t offset;
  };

  Operand OperandFor(int value) const;
  void RunOp(const Call& call, Arrays inputs, std::span<DlArray> outputs, Arena& arena) const;

  std::shared_ptr<const Graph> graph_;
  KernelProgram program_;
  std::shared_ptr<const KernelLibrary> library_;
  std::vector<Call> calls_;
  std::vector<Argument> fixed_, changing_;  // Arguments of kernels.
  std::vector<Operand> operands_;
  std::vector<int> input_of_, output_of_;  // For each array the first input and output, or -1.
  int num_op_calls_ = 0;
  bool can_share_ = false;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_KERNEL_PLAN_H_
