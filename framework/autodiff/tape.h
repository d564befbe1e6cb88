// The tape: what was done to watched arrays, in order, so that derivatives can be taken backwards.
//
// A tape is a listener at the door of ops. It numbers the arrays that it watches and every array
// computed from them, and keeps for each such op the arrays whose values the op's gradient reads.
// Since ops stand on the tape in the order of their execution, walking it backwards meets every use
// of an array before its making: this is all there is to reverse-mode differentiation. Gradients
// are written in array functions; while the tape still listens, they are recorded too, and can be
// differentiated again.
//
// Used through DlFeval and DlGradient (dlgradient.h). A tape belongs to one thread.
//
//   Tape tape;
//   DlArray x = tape.Watch(3.0);
//   DlArray y = x * x;                      // heard by the tape
//   tape.Gradient(y, {x}, {})[0];           // 6
#ifndef FRAMEWORK_AUTODIFF_TAPE_H_
#define FRAMEWORK_AUTODIFF_TAPE_H_

#include <memory>
#include <span>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "framework/io/call_site.h"
#include "framework/ops/op.h"

namespace lamina {

class GradientSum;

struct GradientOptions {
  /// Keep what was recorded, so that another gradient can be taken through the same computation.
  bool retain_data = false;
  /// Record the gradient's own computation, so that it can be differentiated; keeps the data too.
  bool enable_higher_derivatives = false;
  /// Allow complex variables. With false a complex variable is an Error.
  bool allow_complex = true;
};

class Tape : public Listener {
 public:
  Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// The innermost tape that listens in this thread, or null.
  static Tape* Current();

  /// The same array under a number of this tape. An array that has one is returned as it is.
  DlArray Watch(const DlArray& x);
  bool IsWatched(const DlArray& x) const { return x.data()->tape_mark.owner == id_; }

  /// Notes that `outputs` were computed from `inputs` by something other than an op, with this rule
  /// for its gradient. Returns the outputs under numbers of the tape (as they are when no input is
  /// watched).
  DlArrays Record(std::shared_ptr<const GradientRule> rule, Arrays inputs, DlArrays outputs);

  /// The derivatives of the real scalar `y` with respect to `variables`, with their specs; zeros
  /// where y does not depend on one. Errors: those of DlGradient.
  DlArrays Gradient(const DlArray& y, Arrays variables, const GradientOptions& options);
  /// The derivatives of Sum(y * weights), without computing the sum: `weights` has the spec of y.
  DlArrays VectorJacobian(const DlArray& y, const DlArray& weights, Arrays variables,
                          const GradientOptions& options);

  void Applied(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) override;

  /// Ops on the tape: for tests and reports.
  size_t num_entries() const { return entries_.size(); }

 private:
  using Indices = absl::InlinedVector<int32_t, 3>;
  struct Entry {
    std::shared_ptr<const GradientRule> rule;  // Null once a gradient has used up the entry.
    Indices inputs;                            // Their numbers, -1 for arrays that are not watched.
    Indices outputs;                           // Their numbers.
    absl::InlinedVector<DlArray, 3> saved_inputs;
    absl::InlinedVector<DlArray, 1> saved_outputs;
    std::shared_ptr<const CallSite> called;  // Under a FiniteCheck (ops/finite_check.h).
  };

  int32_t IndexOf(const DlArray& x) const { return IsWatched(x) ? x.data()->tape_mark.index : -1; }
  void AddEntry(std::shared_ptr<const GradientRule> rule, Arrays inputs,
                std::span<DlArray> outputs);
  void Propagate(Entry& entry, const std::vector<bool>& leads, std::vector<GradientSum>& gradients,
                 bool release);

  const uint64_t id_;
  int32_t num_arrays_ = 0;
  std::vector<Entry> entries_;
};

/// Makes `tape` listen in this thread while the object lives.
class ScopedTape {
 public:
  explicit ScopedTape(Tape* tape);
  ~ScopedTape();

 private:
  Tape* outer_;
  ScopedListener listener_;
};

/// While the object lives, this thread's tape hears nothing: what is computed are constants to it.
class NoGradient {
 public:
  NoGradient();
  ~NoGradient();
  NoGradient(const NoGradient&) = delete;
  NoGradient& operator=(const NoGradient&) = delete;

 private:
  Tape* tape_;
  ListenerPause pause_;
};

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_TAPE_H_
