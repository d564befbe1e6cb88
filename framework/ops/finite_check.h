// Finds the op that first makes a NaN, and the line that called it.
//
//   struct Decay : Layer, Formattable {
//     DlArray Predict(const DlArray& x) const { return Sqrt(x); }       // decay.h:3
//   };
//   const FiniteCheck check;                                            // While it lives:
//   auto [loss, gradient] = DlFeval(f, network, x);                     // "ops:NotFinite"
//
//   In the gradient of sqrt, divide gave Inf at 2(C), 0(B) and at 3 more of 60 elements of a 10(C)
//   x 6(B) single DlArray. It got 0.5 and 0. sqrt was called at decay.h:3, from train.cc:12.
//
// It sees each op of its thread, in gradients and on a device too; accelerated functions run op by
// op meanwhile. So it is slow, and for searching: TrainNet does so when a loss is not finite, and
// with TrainingOptions::check_finite in each step.
//
// The lines are those of what was compiled with -g1 or -g (copts = ["-g1"] of your target); without
// them there are names of functions. Both need addr2line of binutils, which a compiler comes with.
//
// Threads: hears the thread that made it.
#ifndef FRAMEWORK_OPS_FINITE_CHECK_H_
#define FRAMEWORK_OPS_FINITE_CHECK_H_

#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "framework/io/call_site.h"
#include "framework/ops/op.h"

namespace lamina {

/// The first element, in memory, that is NaN or infinite; -1 when none is. An array on a device is
/// brought over for it. Errors: "dlarray:NoValues".
int64_t FirstNotFinite(const DlArray& x);

struct FiniteCheckOptions {
  /// Infinity counts as NaN does. In gradients it does in any case; elsewhere masks and extremes
  /// may begin with it.
  bool infinities = false;
  /// Where no lines are known, names of functions tell who called.
  bool functions = true;
};

/// While it lives, an op that gives NaN is an error that tells the op, the element, and what it got
/// there. So is one that gets a NaN which no op made: it came with data, a learnable, a constant.
/// Errors of each op: "ops:NotFinite".
class FiniteCheck : private Listener {
 public:
  explicit FiniteCheck(const FiniteCheckOptions& options = {});
  ~FiniteCheck() override;
  FiniteCheck(const FiniteCheck&) = delete;
  FiniteCheck& operator=(const FiniteCheck&) = delete;

  /// The message of the last error; "" before.
  const std::string& found() const { return found_; }
  /// Whether its op got infinity, of which NaN may have come.
  bool got_infinity() const { return got_infinity_; }

  /// In this thread. Who does not apply ops one by one asks this and does so.
  static bool IsOn();

  /// Ops of this thread belong to a gradient while the object lives: of `name`, which was called at
  /// `called`. Both live as long.
  class OfGradient {
   public:
    OfGradient(std::string_view name, const CallSite& called);
    ~OfGradient();
    OfGradient(const OfGradient&) = delete;
    OfGradient& operator=(const OfGradient&) = delete;

   private:
    friend class FiniteCheck;
    const std::string_view name_;
    const CallSite& called_;
    const OfGradient* const outer_;
  };

 private:
  void Applied(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) override;
  void Check(const Op& op, Arrays inputs, const DlArray& output);

  const FiniteCheckOptions options_;
  std::string found_;
  bool got_infinity_ = false;
  const ScopedListener listening_;
};

/// What an op gets or gives first that is not finite when `compute` runs: the text of the error,
/// with its places, and for a NaN that comes of an infinity also that of the op that gave this; ""
/// where there is nothing. `compute` runs up to twice, and does the same each time. Errors: those
/// of `compute`.
std::string WhatIsNotFinite(absl::FunctionRef<void()> compute, FiniteCheckOptions options = {});

}  // namespace lamina

#endif  // FRAMEWORK_OPS_FINITE_CHECK_H_
