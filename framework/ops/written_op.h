// How an op is written out: as loops over elements, so that its computation can be printed.
//
// An op that can be written derives from WrittenOp beside Op and says in Write what it computes, in
// one of four ways:
//
//   w.Define(0, [&w](const Indices& i) { return Exp(w.Load(0, i)); });   // each from others
//   w.View(0, 0);                                                        // the same elements
//   w.Sum(0, 0b10, [&w](const Indices& i) { return w.Load(0, i); });     // sums of others
//   w.code().For(...); w.Store(0, i, value);                             // any loops
//
// What is Defined has no memory of its own unless it needs it: it is computed where it is read, so
// that a chain of elementwise functions becomes one loop. Who prints (framework/emit) implements
// OpWriter; ops know nothing of languages.
//
// Threads: a writer is used by one thread.
#ifndef FRAMEWORK_OPS_WRITTEN_OP_H_
#define FRAMEWORK_OPS_WRITTEN_OP_H_

#include <functional>
#include <vector>

#include "framework/cpu/scalar_function.h"
#include "framework/dlarray/format.h"
#include "framework/loops/statement.h"

namespace lamina {

/// One index for each dim of an array.
using Indices = std::vector<loops::Expression>;

class OpWriter {
 public:
  using Element = std::function<loops::Expression(const Indices&)>;

  virtual ~OpWriter() = default;
  virtual int num_inputs() const = 0;
  virtual const ArraySpec& input(int i) const = 0;
  virtual const ArraySpec& output(int i) const = 0;
  /// False when nobody reads the output: Store then does nothing.
  virtual bool IsUsed(int output) const = 0;

  /// An element of an input. Indices of dims of size 1 are taken as 0.
  virtual loops::Expression Load(int input, const Indices& at) = 0;
  /// Each element of an output, from its indices. `element` is called while the writer lives.
  virtual void Define(int output, Element element) = 0;
  /// The output has the elements of the input, in the same order in memory.
  virtual void View(int output, int input) = 0;
  /// The output is the sum of `element` over the dims of input 0 whose bits are set in `dims`; its
  /// other dims are those of input 0, and `element` gets indices of input 0. Single is added in
  /// double. `element` is called while the writer lives.
  virtual void Sum(int output, uint32_t dims, Element element) = 0;
  /// Writes one element of an output.
  virtual void Store(int output, const Indices& at, const loops::Expression& value) = 0;
  /// An element of an output that this op stored.
  virtual loops::Expression LoadOutput(int output, const Indices& at) = 0;
  /// For loops and variables.
  virtual loops::LoopBuilder& code() = 0;

  /// Calls `body` in loops over all of these sizes, the first dim innermost.
  void ForEach(const Sizes& sizes, const Format& format,
               const std::function<void(const Indices&)>& body);
};

class WrittenOp {
 public:
  virtual ~WrittenOp() = default;
  virtual void Write(OpWriter& w) const = 0;
  /// Of loops: each element of each input is read once at most, so that an input may be computed
  /// where it is read.
  virtual bool ReadsElementsOnce() const { return false; }
  /// The framework's own kernel is faster than loops that are written out, on arrays of any size
  /// but the smallest: where there is the choice, it is called.
  virtual bool HasFastKernel() const { return false; }
};

namespace internal {

/// What an array of `spec` is at the indices of a result that it was broadcast to.
Indices IndicesOf(const ArraySpec& spec, const ArraySpec& result, const Indices& at);
/// Whether a permutation moves elements: dims of size 1 may move without.
bool MovesElements(const Sizes& sizes, const std::vector<int>& order);
/// Output 0 is input 0 with its dims in this order: dim d of the output is dim order[d].
void WritePermuted(OpWriter& w, const std::vector<int>& order);
/// The names of loop variables: h, w, d for S, c, n for B, t, u; i, j, k, ... without labels.
std::string IndexName(const Format& format, int dim);
/// The value of a scalar function (framework/cpu/scalar_functions.h) as an expression. An argument
/// that the function uses more than once gets a name in `code`, so that it is computed once.
/// Errors: "emit:CannotPrint" for complex functions that have no printed form.
loops::Expression EvaluateOnExpressions(cpu::ScalarFunction function,
                                        std::vector<loops::Expression> x, loops::LoopBuilder& code);

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_OPS_WRITTEN_OP_H_
