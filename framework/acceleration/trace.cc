#include "framework/acceleration/trace.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/trace_check.h"
#include "framework/acceleration/trace_recording.h"

namespace lamina::internal {
namespace {

// Beyond so many pairs of wanted gradients a trace computes others op by op.
constexpr size_t kMaxVariants = 8;

// The device of the first input that lies on one.
const void* DeviceOf(Arrays inputs) {
  for (const DlArray& x : inputs) {
    if (x.on_device()) return x.data()->remote->Device();
  }
  return nullptr;
}

}  // namespace

TraceKey::TraceKey(Arrays inputs, const Tape* tape)
    : has_tape(tape != nullptr),
      device(DeviceOf(inputs)),
      precision(ScopedProductPrecision::Current()) {
  for (const DlArray& x : inputs) {
    specs.push_back(x.spec());
    watched.push_back(tape != nullptr && tape->IsWatched(x));
  }
}

bool TraceKey::Matches(Arrays inputs, const Tape* tape) const {
  if (inputs.size() != specs.size() || (tape != nullptr) != has_tape) return false;
  if (DeviceOf(inputs) != device || ScopedProductPrecision::Current() != precision) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!(inputs[i].spec() == specs[i])) return false;
    if ((tape != nullptr && tape->IsWatched(inputs[i])) != watched[i]) return false;
  }
  return true;
}

// The derivative of one run of a trace.
class TraceRule : public GradientRule {
 public:
  TraceRule(std::shared_ptr<Trace> trace, TraceVariant* variant, DlArrays kept,
            const RandomSource& source, const TraceRunOptions& options)
      : trace_(std::move(trace)),
        variant_(variant),
        kept_(std::move(kept)),
        source_(source),
        options_(options) {}

  std::string_view Name() const override { return "accelerated function"; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

  DlArrays Gradient(const GradientCall& call) const override {
    // With a tape that listens, the gradient is to be differentiated again.
    if (Tape::Current() != nullptr) return trace_->GradientByOps(call, source_);
    WantedGradients wanted;
    size_t next = 0;
    for (const bool depends : variant_->depends) {
      wanted.outputs.push_back(depends && !call.output_gradients[next++].empty());
    }
    wanted.inputs.assign(call.needed.begin(), call.needed.end());
    TraceVariant* const variant = trace_->VariantFor(wanted);
    trace_->Learn(variant_, variant);
    std::optional<DlArrays> result;
    if (variant != nullptr && variant->backward != nullptr) {
      result = ByTrace(*variant, call.inputs, call.output_gradients, variant_->saved, kept_);
    }
    if (!result.has_value()) return trace_->GradientByOps(call, source_);
    if (options_.check_tolerance >= 0) Check(*variant, call, *result);
    return *std::move(result);
  }

 private:
  // The derivatives of the inputs by the variant's backward. `kept` are the values `saved` of a
  // run; nullopt where it reads others.
  std::optional<DlArrays> ByTrace(const TraceVariant& variant, Arrays inputs,
                                  Arrays output_gradients, const std::vector<int>& saved,
                                  Arrays kept) const {
    DlArrays arguments;
    for (const int i : variant.read_inputs) arguments.push_back(inputs[i]);
    for (const int v : variant.saved) {
      const auto at = std::lower_bound(saved.begin(), saved.end(), v);
      if (at == saved.end() || *at != v) return std::nullopt;
      arguments.push_back(kept[at - saved.begin()]);
    }
    for (const DlArray& g : output_gradients) {
      if (!g.empty()) arguments.push_back(g);
    }
    DlArrays found = variant.backward->Run(arguments, options_.wait_for_compiler);
    DlArrays result(inputs.size());
    for (size_t k = 0; k < found.size(); ++k) result[variant.gradient_of[k]] = std::move(found[k]);
    return result;
  }

  void Check(const TraceVariant& variant, const GradientCall& call, const DlArrays& came) const {
    const size_t n = call.inputs.size();
    DlArrays arguments(call.inputs.begin(), call.inputs.end());
    arguments.insert(arguments.end(), call.output_gradients.begin(), call.output_gradients.end());
    const auto accelerated = [&](Arrays a) {
      RandomSource again = source_;
      const ScopedRandomSource scope(again);
      const DlArrays run = variant.forward->Run(a.first(n), options_.wait_for_compiler);
      return *ByTrace(variant, a.first(n), a.subspan(n), variant.saved,
                      Arrays(run).subspan(variant.depends.size()));
    };
    const auto plain = [&](Arrays a) {
      return trace_->GradientByOps({.inputs = a.first(n),
                                    .outputs = {},
                                    .output_gradients = a.subspan(n),
                                    .needed = call.needed},
                                   source_);
    };
    CheckAgreement({.what = "Derivative",
                    .arguments = arguments,
                    .came = came,
                    .accelerated = accelerated,
                    .plain = plain,
                    .by_kernels = variant.backward->UsesKernels()},
                   options_.check_tolerance);
  }

  const std::shared_ptr<Trace> trace_;
  const TraceVariant* const variant_;
  const DlArrays kept_;
  const RandomSource source_;  // As it was when the run began.
  const TraceRunOptions options_;
};

std::shared_ptr<Trace> Trace::Record(TracedFunction function, Arrays inputs, NotTraced* why) {
  const TraceKey key(inputs, Tape::Current());
  const auto joint = RecordJoint(function, key.specs, key.watched, nullptr, why);
  if (joint == nullptr) return nullptr;
  const std::shared_ptr<Trace> trace(new Trace);
  trace->function_ = std::move(function);
  trace->specs_ = key.specs;
  trace->watched_ = key.watched;
  trace->device_ = GraphDeviceOf(inputs);
  trace->precision_ = key.precision;
  trace->forward_steps_ = ForwardSteps(*joint);
  std::unique_ptr<TraceVariant> all = Split(*joint, trace->device_);
  all->wanted.outputs = joint->depends;
  for (size_t i = 0; i < key.specs.size(); ++i) {
    all->wanted.inputs.push_back(key.watched[i] && IsFloating(key.specs[i].type));
  }
  trace->preferred_ = all.get();
  trace->variants_.push_back(std::move(all));
  return trace;
}

DlArrays Trace::Run(Arrays inputs, const TraceRunOptions& asked) {
  TraceRunOptions options = asked;
  if (options.check_tolerance >= 0 && checks_++ >= options.max_checks) options.check_tolerance = -1;
  Tape* const tape = Tape::Current();
  TraceVariant* const variant = Preferred();
  const bool check = options.check_tolerance >= 0;
  if (tape == nullptr && !check) return variant->forward->Run(inputs, options.wait_for_compiler);
  const RandomSource source = CurrentRandomSource();
  const size_t n = variant->depends.size();
  DlArrays outputs, kept;
  {
    const NoGradient pause;
    outputs = variant->forward->Run(inputs, options.wait_for_compiler);
    kept.assign(outputs.begin() + static_cast<int64_t>(n), outputs.end());
    outputs.resize(n);
    if (check) Check(*variant, inputs, outputs, source, options);
  }
  if (tape == nullptr) return outputs;
  DlArrays dependent;
  for (size_t k = 0; k < n; ++k) {
    if (variant->depends[k]) dependent.push_back(outputs[k]);
  }
  if (dependent.empty()) return outputs;
  dependent = tape->Record(
      std::make_shared<TraceRule>(shared_from_this(), variant, std::move(kept), source, options),
      inputs, std::move(dependent));
  size_t next = 0;
  for (size_t k = 0; k < n; ++k) {
    if (variant->depends[k]) outputs[k] = std::move(dependent[next++]);
  }
  return outputs;
}

void Trace::Check(const TraceVariant& variant, Arrays inputs, const DlArrays& came,
                  const RandomSource& source, const TraceRunOptions& options) const {
  const auto accelerated = [&](Arrays a) {
    RandomSource again = source;
    const ScopedRandomSource scope(again);
    DlArrays outputs = variant.forward->Run(a, options.wait_for_compiler);
    outputs.resize(variant.depends.size());
    return outputs;
  };
  const auto plain = [&](Arrays a) {
    RandomSource again = source;
    const ScopedRandomSource scope(again);
    return function_(a);
  };
  CheckAgreement({.what = "Output",
                  .arguments = inputs,
                  .came = came,
                  .accelerated = accelerated,
                  .plain = plain,
                  .by_kernels = variant.forward->UsesKernels()},
                 options.check_tolerance);
}

DlArrays Trace::GradientByOps(const GradientCall& call, RandomSource source) const {
  const ScopedRandomSource scope(source);
  const ScopedProductPrecision precision(precision_);
  const bool again = Tape::Current() != nullptr;
  std::optional<Tape> own;
  std::optional<ScopedTape> listening;
  if (!again) listening.emplace(&own.emplace());
  Tape& tape = *Tape::Current();
  DlArrays x(call.inputs.begin(), call.inputs.end()), variables;
  std::vector<size_t> variable_of;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!call.needed[i] || !IsFloating(x[i].type())) continue;
    x[i] = tape.Watch(x[i]);
    variables.push_back(x[i]);
    variable_of.push_back(i);
  }
  const DlArrays y = function_(x);
  const std::vector<bool>& depends = Preferred()->depends;
  DlArrays outputs, weights, result(x.size());
  size_t next = 0;
  for (size_t k = 0; k < y.size(); ++k) {
    if (!depends[k]) continue;
    const DlArray& g = call.output_gradients[next++];
    if (g.empty() || !tape.IsWatched(y[k])) continue;
    outputs.push_back(y[k]);
    weights.push_back(g);
  }
  if (outputs.empty()) return result;
  DlArrays found =
      VectorJacobianOfAll(tape, outputs, weights, variables, {.enable_higher_derivatives = again});
  for (size_t v = 0; v < found.size(); ++v) result[variable_of[v]] = std::move(found[v]);
  return result;
}

TraceVariant* Trace::VariantFor(const WantedGradients& wanted) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& variant : variants_) {
    if (variant->wanted == wanted) return variant.get();
  }
  if (variants_.size() >= kMaxVariants) return nullptr;
  NotTraced why;
  const ScopedProductPrecision precision(precision_);
  const auto joint = RecordJoint(function_, specs_, watched_, &wanted, &why);
  // A function that does not do the same each time cannot be taken apart in this way.
  if (joint == nullptr || ForwardSteps(*joint) != forward_steps_) return nullptr;
  variants_.push_back(Split(*joint, device_));
  variants_.back()->wanted = wanted;
  return variants_.back().get();
}

void Trace::Learn(const TraceVariant* had, TraceVariant* wanted) {
  if (had == wanted || wanted == nullptr) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  TraceVariant* const all = variants_.front().get();
  // The first run tells what is wanted; if that differs later, everything is saved from then on.
  if (had != all) changes_ = true;
  preferred_.store(changes_ ? all : wanted, std::memory_order_release);
}

int64_t Trace::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  int64_t bytes = 0;
  for (const auto& v : variants_) {
    bytes += v->forward->bytes();
    if (v->backward != nullptr) bytes += v->backward->bytes();
  }
  return bytes;
}

std::string Trace::Describe(const std::string& indent) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string text;
  for (const auto& v : variants_) {
    absl::StrAppend(&text, indent, v->forward->Describe("forward"), "\n");
    if (v->backward == nullptr) continue;
    absl::StrAppend(&text, indent, v->backward->Describe("backward"), "\n");
  }
  return text;
}

void Trace::AddCompilation(CompilationCount* count) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& v : variants_) {
    v->forward->AddCompilation(count);
    if (v->backward != nullptr) v->backward->AddCompilation(count);
  }
}

}  // namespace lamina::internal
