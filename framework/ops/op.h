// The one door through which everything passes that is done to arrays.
//
// An Op says what a function of arrays does to sizes, types and labels (Infer), how its values are
// computed (Run) and what its gradient is, written in array functions (Gradient). Apply is the
// door: it infers, runs, and tells the listeners. A tape listens to take gradients; a trace listens
// and defers the run, so that the same code yields a graph; a profiler may listen too. Ops know
// none of them.
//
//   class Square : public Op {
//    public:
//     std::string_view Name() const override { return "square"; }
//     void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
//     void Run(Arrays in, Results out) const override { ... }
//     DlArrays Gradient(const GradientCall& call) const override {
//       return {2 * call.inputs[0] * call.output_gradients[0]};
//     }
//   };
//   DlArray y = Apply(std::make_shared<Square>(), {x});
//
// Threads: ops are immutable and may be applied from any thread; listeners belong to the thread
// that installed them.
#ifndef FRAMEWORK_OPS_OP_H_
#define FRAMEWORK_OPS_OP_H_

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "framework/dlarray/dlarray.h"

namespace lamina {

using Arrays = std::span<const DlArray>;

/// The specs of some arrays: all that a shape rule may look at.
class Specs {
 public:
  explicit Specs(Arrays arrays) : arrays_(arrays) {}
  const ArraySpec& operator[](size_t i) const { return arrays_[i].spec(); }
  size_t size() const { return arrays_.size(); }

 private:
  Arrays arrays_;
};
using SpecList = absl::InlinedVector<ArraySpec, 1>;

/// The outputs of a run: arrays with room for their elements, or whole arrays to put in their place
/// (a reshaped input shares its elements).
class Results {
 public:
  explicit Results(std::span<DlArray> arrays) : arrays_(arrays) {}
  size_t size() const { return arrays_.size(); }
  const ArraySpec& spec(size_t i) const { return arrays_[i].spec(); }
  /// The elements of output `i`, to be written. Allocated by the first call.
  void* bytes(size_t i);
  template <class T>
  T* Data(size_t i) {
    return static_cast<T*>(bytes(i));
  }
  /// Output `i` has the elements of `from`, which has as many.
  void Share(size_t i, const DlArray& from);

 private:
  std::span<DlArray> arrays_;
};

/// What a gradient is asked: derivatives of a real number L with respect to the inputs, from those
/// with respect to the outputs. For complex arrays the derivative is dL/dRe + i dL/dIm.
struct GradientCall {
  Arrays inputs;            ///< Those not saved have no values, only their spec.
  Arrays outputs;           ///< Likewise.
  Arrays output_gradients;  ///< As the outputs; unset (`empty()`) where L does not depend on one.
  std::span<const bool> needed;  ///< For each input: is its derivative asked for?
};

/// Which inputs or outputs a gradient reads values of: bit i for number i.
using SaveMask = uint32_t;
inline constexpr SaveMask kSaveAll = ~SaveMask{0};
inline constexpr SaveMask kSaveNone = 0;

/// How to take the gradient of something that was computed, by an op or in any other way.
class GradientRule {
 public:
  virtual ~GradientRule() = default;
  /// "plus", "conv": what a reader of a graph or an error sees.
  virtual std::string_view Name() const = 0;
  /// One derivative for each input, with the spec of that input; unset where not needed or where it
  /// is zero everywhere. Errors: "autodiff:NoGradient" for what cannot be differentiated.
  virtual DlArrays Gradient(const GradientCall& call) const;
  /// The inputs and outputs whose values Gradient reads: the others are not kept alive.
  virtual SaveMask SavedInputs() const { return kSaveAll; }
  virtual SaveMask SavedOutputs() const { return kSaveAll; }
  /// False when the outputs do not depend smoothly on any input (comparisons, indices, random
  /// numbers): nothing is recorded then, and derivatives are zero.
  virtual bool IsDifferentiable() const { return true; }
};

class Op : public GradientRule {
 public:
  /// What was said besides the arrays, as a reader sees it: "stride=[2 2]". Two ops with the same
  /// name and attributes do the same.
  virtual std::string Attributes() const { return ""; }
  /// The specs of the outputs. Errors: what the function's docstring says.
  virtual void Infer(const Specs& inputs, SpecList* outputs) const = 0;
  /// The values. The inputs have values, and Infer accepted them.
  virtual void Run(Arrays inputs, Results outputs) const = 0;
  /// True when two runs with the same inputs may differ: such an op is never folded or shared.
  virtual bool IsRandom() const { return false; }
};
using OpPtr = std::shared_ptr<const Op>;

/// A pointer to an op that lives forever, without counting owners.
inline OpPtr StaticOp(const Op& op) { return OpPtr(std::shared_ptr<const void>(), &op); }

/// Hears of every op applied in its thread.
class Listener {
 public:
  virtual ~Listener() = default;
  /// May take the run upon itself: then it fills `outputs` with arrays of these specs and returns
  /// true. A trace does. Otherwise the door runs the op.
  virtual bool Defer(const OpPtr& op, Arrays inputs, const SpecList& specs, DlArrays* outputs) {
    (void)op, (void)inputs, (void)specs, (void)outputs;
    return false;
  }
  /// The op was applied (or deferred by another listener). The outputs are not yet seen by anyone
  /// else: marks may be set on their data.
  virtual void Applied(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) {
    (void)op, (void)inputs, (void)outputs;
  }
};

/// Makes `listener` hear the ops of this thread while the object lives. Innermost hears first.
class ScopedListener {
 public:
  explicit ScopedListener(Listener* listener);
  ~ScopedListener();
  ScopedListener(const ScopedListener&) = delete;
  ScopedListener& operator=(const ScopedListener&) = delete;

 private:
  friend class ListenerPause;
  friend struct Door;
  Listener* listener_;
  bool paused_ = false;
  ScopedListener* outer_;
};

/// While the object lives, `listener` does not hear this thread's ops.
class ListenerPause {
 public:
  explicit ListenerPause(const Listener* listener);
  ~ListenerPause();
  ListenerPause(const ListenerPause&) = delete;
  ListenerPause& operator=(const ListenerPause&) = delete;

 private:
  ScopedListener* paused_ = nullptr;
};

/// Applies an op of one output. Errors: those of the op.
DlArray Apply(const OpPtr& op, Arrays inputs);
inline DlArray Apply(const OpPtr& op, std::initializer_list<DlArray> inputs) {
  return Apply(op, Arrays(inputs.begin(), inputs.size()));
}
/// Applies an op of any number of outputs.
DlArrays ApplyAll(const OpPtr& op, Arrays inputs);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_OP_H_
