// Program: a graph as loops over memory, ready to be printed.
//
// Elementwise functions are computed where their values are read, and what is computed or summed
// over the same indices is computed in the same loops (placement.h); what other loops read gets
// memory. That memory is planned once: arrays whose lives do not overlap share it. Nothing of this
// knows a language.
//
//   const Program program = WriteProgram(graph, {.inputs = {"x"}, .outputs = {"y"}});
//   std::cout << PrintC(program.steps[0].code, 1);        // c_printer.h
//
// Threads: pure functions; a program is a plain value.
#ifndef FRAMEWORK_EMIT_PROGRAM_H_
#define FRAMEWORK_EMIT_PROGRAM_H_

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/loops/statement.h"

namespace lamina {

/// Elements: where arrays of a program that calls ops begin in its scratch memory. Libraries have
/// their fastest kernels for memory that begins at multiples of 256 bytes.
inline constexpr int64_t kCallAlignment = 64;

/// An array that the program's code names.
struct ProgramArray {
  enum Role : uint8_t { kInput, kOutput, kConstant, kScratch };
  std::string name;
  ArraySpec spec;
  Role role;
  int index = 0;       ///< Which input or output of the graph.
  DlArray constant{};  ///< Of a constant: its values.
  int64_t offset = 0;  ///< Of scratch: elements from the start of the scratch memory of its type.
                       ///< With CallOps a multiple of kCallAlignment; for kernels not planned yet.
  int first_step = -1, last_step = -1;  ///< Of scratch: when its values are needed.
};

/// Some loops, or the call of an op, and what they compute.
struct ProgramStep {
  std::string comment;  ///< "bn: minus, times; relu: relu -> 8(S) x 8(S) x 16(C) x 1(B)"
  loops::Block code = {};
  int called = -1;  ///< The step of the graph whose op is called; then there is no code.
};

struct Program {
  std::vector<ProgramArray> arrays;
  std::vector<ProgramStep> steps;
  /// Elements of scratch memory, by type.
  int64_t scratch[kNumDataTypes] = {};
  /// For each value of the graph its array; that of what it shows for a view; -1 without memory.
  std::vector<int> array_of;
  /// And the element of that array at which it begins.
  std::vector<int64_t> first_of;
};

struct ProgramNames {
  std::vector<std::string> inputs, outputs;  ///< C identifiers, one for each.
  /// For each step of the graph the layer that it belongs to; empty where it is unknown.
  std::vector<std::string> layers = {};
  std::set<std::string> reserved = {};  ///< Names that arrays and variables must not have.
};

/// For programs that the framework itself runs.
struct CallOps {
  /// Is the op of this step called, and not written out? Its inputs then have memory; so none may
  /// be a constant of one element, but for kernels.
  std::function<bool(const Graph&, const GraphStep&)> is_called;
  /// For kernels of the processor (kernels.h). What cannot be written out is called, and results
  /// that are an input, a constant or another result are no arrays of their own. Scratch memory is
  /// not planned. Each element is loaded once, before it is used, so that a compiler need not prove
  /// that a choice may load both.
  bool for_kernels = false;
};

/// What a program is written for. How products of matrices, convolutions and sums are written
/// depends on it.
enum class ProgramFor : uint8_t {
  kProcessor,    ///< Products are loops as any other.
  kProducts,     ///< Products are calls of those of kernel_prelude.h, which keep sums in registers,
                 ///< but for small ones.
  kAllProducts,  ///< Small ones are calls as well: so the code does not depend on sizes.
  /// A device, where threads share loops and each nest of loops costs a launch: products are loops;
  /// a sum over slow dims is a variable in the loop over these, not one element of a row of totals
  /// in the loop over fast ones; copies are saved (program_copies.h) and steps fused
  /// (fused_steps.h).
  kDevice,
  kDeviceOfAnySizes,  ///< The same, but nothing is saved or fused: that depends on sizes.
};
/// A call is a store of many elements, those from its index on. Its value is a call of "gemm"
/// (operands: m, n, k, A, a_row_step, a_col_step, B, b_row_step, b_col_step, beta, ldc) or of
/// "windows" (m, n, k, A, a_step, a_at, B, b_row_step, b_col_step, start, ldc); an array is given
/// as the load of its first element that is used, none as 0.
bool IsProductCall(const loops::Statement& statement);

/// Errors: "emit:CannotPrint" for an op that has no printed form (names the op and the layer);
/// "emit:TooLarge" for an array of 2^31 elements or more. For kernels neither occurs, but for
/// arrays that are too large.
Program WriteProgram(const Graph& graph, const ProgramNames& names, const CallOps* calls = nullptr,
                     ProgramFor target = ProgramFor::kProcessor);

/// "8(S) x 8(S) x 16(C)" for a single array; others name their type.
std::string Described(const ArraySpec& spec);

/// `text` as a C identifier in small letters: "LeftSlope" gives "left_slope".
std::string Identifier(std::string_view text);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_PROGRAM_H_
