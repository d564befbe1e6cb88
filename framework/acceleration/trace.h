// One recording of a function of arrays, made ready to run: what dl_accelerate.h keeps in its
// cache.
//
// A trace holds the function as a graph. Where inputs are watched by a tape it holds two: the
// function, which also returns what its derivative reads, and the derivative for given derivatives
// of the outputs. Both come from one recording of the function and its vector-Jacobian product.
// Which derivatives are wanted is known only when they are asked for, so a trace may hold several
// such pairs ("variants"); it starts with the one for all of them.
//
// Threads: may be run from any number of threads at once.
#ifndef FRAMEWORK_ACCELERATION_TRACE_H_
#define FRAMEWORK_ACCELERATION_TRACE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "framework/acceleration/trace_part.h"
#include "framework/autodiff/tape.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"

namespace lamina::internal {

using TracedFunction = std::function<DlArrays(Arrays)>;

/// What a trace is made for: never values.
struct TraceKey {
  TraceKey(Arrays inputs, const Tape* tape);
  bool Matches(Arrays inputs, const Tape* tape) const;

  std::vector<ArraySpec> specs;
  std::vector<bool> watched;  ///< By the tape that listens.
  bool has_tape;
  const void* device;          ///< On which an input lies; null where all lie with the processor.
  ProductPrecision precision;  ///< Of the thread that called.
};

struct TraceRunOptions {
  bool wait_for_compiler = false;  ///< The second run waits.
  double check_tolerance = -1;     ///< Below 0: no check. See AccelerateOptions.
  /// So many runs are checked, the first ones.
  int64_t max_checks = std::numeric_limits<int64_t>::max();
};

/// Which derivatives are wanted: of which outputs they are given, for which inputs they are asked.
struct WantedGradients {
  std::vector<bool> outputs, inputs;
  bool operator==(const WantedGradients&) const = default;
};

/// The function and its derivative, for some wanted gradients.
struct TraceVariant {
  WantedGradients wanted;
  std::unique_ptr<TracePart> forward;  ///< Returns the outputs, then the saved values.
  std::vector<int> saved;              ///< Their numbers in the recording, increasing.
  std::vector<bool> depends;           ///< For each output: on a watched input?
  /// Null where no derivative was recorded. Takes inputs of the function, saved values, derivatives
  /// of the outputs that are wanted; returns derivatives of inputs.
  std::unique_ptr<TracePart> backward;
  std::vector<int> read_inputs;  ///< Of the function, by the backward.
  std::vector<int> gradient_of;  ///< For each output of the backward the input that it is for.
};

/// Why a function is not traced.
struct NotTraced {
  std::string reason;
  /// The function as it is written, whatever the sizes of its inputs.
  bool whole_function = false;
};

class Trace : public std::enable_shared_from_this<Trace> {
 public:
  /// Records `function` for inputs like these under the tape that listens in this thread. Null
  /// where that is not possible, with the reason in `why`. Nothing is computed.
  static std::shared_ptr<Trace> Record(TracedFunction function, Arrays inputs, NotTraced* why);

  /// The outputs; they stand on the tape that listens. Errors: those of the function,
  /// "accelerate:CheckFailed".
  DlArrays Run(Arrays inputs, const TraceRunOptions& options);

  /// The derivatives of the inputs by running the function itself under the tape that listens (so
  /// that they can be differentiated again), or under one of its own; with the random numbers that
  /// `source` gives.
  DlArrays GradientByOps(const GradientCall& call, RandomSource source) const;

  int64_t bytes() const;
  /// Lines for a reader: what the parts are, how often they ran, why one does not use kernels.
  std::string Describe(const std::string& indent) const;
  void AddCompilation(CompilationCount* count) const;

 private:
  friend class TraceRule;
  Trace() = default;
  // Compares `came`, which the variant gave for `inputs`, with what the function gives.
  void Check(const TraceVariant& variant, Arrays inputs, const DlArrays& came,
             const RandomSource& source, const TraceRunOptions& options) const;
  TraceVariant* Preferred() const { return preferred_.load(std::memory_order_acquire); }
  // The variant for these gradients, recorded if need be; null where it cannot be had.
  TraceVariant* VariantFor(const WantedGradients& wanted);
  // What was wanted of a run that saved for `had`.
  void Learn(const TraceVariant* had, TraceVariant* wanted);

  TracedFunction function_;
  std::vector<ArraySpec> specs_;
  std::vector<bool> watched_;
  std::shared_ptr<GraphDevice> device_;  // Where it runs; null for the processor.
  // In which the function is recorded, and run again for derivatives and checks.
  ProductPrecision precision_ = ProductPrecision::kSingle;
  std::vector<std::string> forward_steps_;  // As text, to compare recordings.
  mutable std::mutex mutex_;                // Of the variants.
  std::vector<std::unique_ptr<TraceVariant>> variants_;
  std::atomic<TraceVariant*> preferred_{nullptr};
  std::atomic<int64_t> checks_{0};
  bool changes_ = false;  // The wanted gradients differ from run to run.
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_TRACE_H_
