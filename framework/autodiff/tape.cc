#include "framework/autodiff/tape.h"

#include <atomic>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/gradient_sum.h"
#include "framework/ops/creation.h"
#include "framework/ops/finite_check.h"
#include "framework/ops/parts_op.h"

namespace lamina {
namespace {

using internal::ArrayData;

thread_local Tape* current = nullptr;

uint64_t NextId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// The array without its values, under the same number.
DlArray WithoutValues(const DlArray& x) {
  internal::ArrayDataPtr d = ArrayData::MakeAbstract(x.spec());
  d->tape_mark = x.data()->tape_mark;
  return DlArray(std::move(d));
}

}  // namespace

Tape::Tape() : id_(NextId()) {}

Tape* Tape::Current() { return current; }

DlArray Tape::Watch(const DlArray& x) {
  if (IsWatched(x)) return x;
  internal::ArrayDataPtr d = ArrayData::Alias(*x.data(), x.spec());
  d->trace_mark = x.data()->trace_mark;
  d->tape_mark = {id_, num_arrays_++};
  return DlArray(std::move(d));
}

void Tape::Applied(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) {
  bool any = false;
  for (const DlArray& x : inputs) any = any || IsWatched(x);
  if (!any) return;
  if (op->IsDifferentiable()) return AddEntry(op, inputs, outputs);
  // Watched, with no entry that leads back: derivatives through these are zero, not an Error.
  for (DlArray& y : outputs) {
    if (IsFloating(y.type())) y.data()->tape_mark = {id_, num_arrays_++};
  }
}

DlArrays Tape::Record(std::shared_ptr<const GradientRule> rule, Arrays inputs, DlArrays outputs) {
  bool any = false;
  for (const DlArray& x : inputs) any = any || IsWatched(x);
  if (!any) return outputs;
  // Handles of their own: an output may be an input handed through, or a constant.
  for (DlArray& y : outputs) {
    internal::ArrayDataPtr d = ArrayData::Alias(*y.data(), y.spec());
    d->trace_mark = y.data()->trace_mark;
    y = DlArray(std::move(d));
  }
  AddEntry(std::move(rule), inputs, outputs);
  return outputs;
}

void Tape::AddEntry(std::shared_ptr<const GradientRule> rule, Arrays inputs,
                    std::span<DlArray> outputs) {
  Entry entry;
  const SaveMask saved_inputs = rule->SavedInputs(), saved_outputs = rule->SavedOutputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    // Integers and logicals (indices, masks) carry no derivative.
    const bool carries = IsFloating(outputs[i].type());
    if (carries) outputs[i].data()->tape_mark = {id_, num_arrays_++};
    entry.outputs.push_back(carries ? outputs[i].data()->tape_mark.index : -1);
    const bool saved = saved_outputs >> std::min<size_t>(i, 31) & 1;
    entry.saved_outputs.push_back(saved ? outputs[i] : WithoutValues(outputs[i]));
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    entry.inputs.push_back(IndexOf(inputs[i]));
    const bool saved = saved_inputs >> std::min<size_t>(i, 31) & 1;
    entry.saved_inputs.push_back(saved ? inputs[i] : WithoutValues(inputs[i]));
  }
  if (FiniteCheck::IsOn()) entry.called = std::make_shared<CallSite>(CallSite::Here());
  entry.rule = std::move(rule);
  entries_.push_back(std::move(entry));
}

void Tape::Propagate(Entry& entry, const std::vector<bool>& leads,
                     std::vector<GradientSum>& gradients, bool release) {
  const size_t n = entry.inputs.size();
  if (entry.rule == nullptr) {
    throw Error("autodiff:DataReleased",
                "A second gradient was taken through a computation whose data were released.",
                "The first gradient used them up.",
                "Pass {.retain_data = true} to the first DlGradient.");
  }
  // Copies: with higher derivatives the gradient itself makes entries, and entries_ may move.
  const std::shared_ptr<const GradientRule> rule = entry.rule;
  const auto saved_inputs = entry.saved_inputs;
  const auto saved_outputs = entry.saved_outputs;
  const Indices inputs = entry.inputs, outputs = entry.outputs;
  const std::shared_ptr<const CallSite> called = entry.called;
  std::optional<FiniteCheck::OfGradient> told;
  if (called != nullptr) told.emplace(rule->Name(), *called);
  if (release) {
    // The rule goes too: that of a layer's own Backward holds its memory.
    entry.rule.reset();
    entry.saved_inputs.clear();
    entry.saved_outputs.clear();
  }
  DlArrays output_gradients(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i] < 0) continue;
    output_gradients[i] = std::exchange(gradients[outputs[i]], GradientSum()).Total();
  }
  std::unique_ptr<bool[]> needed(new bool[n]);
  for (size_t i = 0; i < n; ++i) needed[i] = inputs[i] >= 0 && leads[inputs[i]];
  if (const auto* slice = dynamic_cast<const SliceOp*>(rule.get())) {
    // As its Gradient, but added up with those of other slices.
    gradients[inputs[0]].AddSlice(saved_inputs[0].spec(), slice->range(), output_gradients[0]);
    return;
  }
  DlArrays found = rule->Gradient({Arrays(saved_inputs.data(), n),
                                   Arrays(saved_outputs.data(), saved_outputs.size()),
                                   output_gradients, std::span<const bool>(needed.get(), n)});
  LAMINA_CHECK(found.size() == n);
  for (size_t i = 0; i < n; ++i) {
    if (!needed[i] || found[i].empty()) continue;
    if (!(found[i].spec() == saved_inputs[i].spec())) {
      throw Error("autodiff:WrongGradient",
                  absl::StrCat("The gradient of ", std::string(rule->Name()), " for its input ", i,
                               " has the sizes, labels and type of that input, ",
                               ToString(saved_inputs[i].spec()), "."),
                  absl::StrCat("A ", ToString(found[i].spec()), " came."),
                  "Mend the gradient rule.");
    }
    gradients[inputs[i]].Add(found[i]);
  }
}

DlArrays Tape::Gradient(const DlArray& y, Arrays variables, const GradientOptions& options) {
  return VectorJacobian(y, OnesLike(y), variables, options);
}

DlArrays Tape::VectorJacobian(const DlArray& y, const DlArray& weights, Arrays variables,
                              const GradientOptions& options) {
  const bool keep = options.retain_data || options.enable_higher_derivatives;
  const size_t last = entries_.size();
  // Which arrays lead from the variables to y: only through them gradients are taken.
  std::vector<bool> leads(num_arrays_, false);
  for (const DlArray& x : variables) {
    if (IsWatched(x)) leads[IndexOf(x)] = true;
  }
  for (size_t e = 0; e < last; ++e) {
    bool any = false;
    for (int32_t i : entries_[e].inputs) any = any || (i >= 0 && leads[i]);
    if (!any) continue;
    for (int32_t o : entries_[e].outputs) {
      if (o >= 0) leads[o] = true;
    }
  }
  std::vector<GradientSum> gradients(num_arrays_);
  DlArrays result(variables.size());
  // By value: a total makes entries, too.
  const auto keep_variables = [&](const Indices outputs) {
    for (size_t v = 0; v < variables.size(); ++v) {
      for (int32_t o : outputs) {
        if (o >= 0 && o == IndexOf(variables[v])) result[v] = gradients[o].Total();
      }
    }
  };
  const auto walk = [&] {
    if (IsWatched(y)) gradients[IndexOf(y)].Add(weights);
    for (size_t e = last; e-- > 0;) {
      bool any = false;
      for (int32_t o : entries_[e].outputs) {
        any = any || (o >= 0 && leads[o] && !gradients[o].empty());
      }
      if (!any) continue;
      keep_variables(entries_[e].outputs);
      Propagate(entries_[e], leads, gradients, !keep);
    }
    for (size_t v = 0; v < variables.size(); ++v) {
      if (result[v].empty() && IsWatched(variables[v])) {
        result[v] = gradients[IndexOf(variables[v])].Total();
      }
      if (result[v].empty()) result[v] = ZerosLike(variables[v]);
    }
  };
  if (options.enable_higher_derivatives) {
    walk();
  } else {
    const NoGradient pause;
    walk();
  }
  return result;
}

ScopedTape::ScopedTape(Tape* tape) : outer_(current), listener_(tape) { current = tape; }
ScopedTape::~ScopedTape() { current = outer_; }

NoGradient::NoGradient() : tape_(std::exchange(current, nullptr)), pause_(tape_) {}
NoGradient::~NoGradient() { current = tape_; }

}  // namespace lamina
