#include "framework/acceleration/repeated_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"
#include "framework/autodiff/tape.h"
#include "framework/graph/graph.h"
#include "framework/ops/finite_check.h"
#include "framework/ops/product_precision.h"

namespace lamina {
namespace {

using Clock = std::chrono::steady_clock;

// Less than this is not worth a compilation.
constexpr double kSecondsWorth = 1;
constexpr double kSlowerPerCall = 1.1;
// Where a tape listens, derivatives follow: they take about twice the time of the function.
constexpr double kWithDerivative = 3;
// Sizes beyond so many are not even counted.
constexpr size_t kMaxKinds = 10000;

// There each op would be compiled by itself: the whole function is compiled in less time.
bool IsOnDevice(Arrays inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const DlArray& x) { return x.on_device(); });
}

uint64_t HashOf(Arrays inputs) {
  uint64_t hash = absl::HashOf(inputs.size(), Tape::Current() != nullptr, IsOnDevice(inputs),
                               ScopedProductPrecision::Current());
  for (const DlArray& x : inputs) {
    hash = absl::HashOf(hash, x.type(), x.sizes(), x.format().str());
  }
  return hash;
}

// Within another recording, and without values, there is nothing to replay. A check of ops sees
// them one by one.
bool IsPlain(Arrays inputs) {
  return IsRecording() || FiniteCheck::IsOn() ||
         std::any_of(inputs.begin(), inputs.end(),
                     [](const DlArray& x) { return !x.has_values() && !x.on_device(); });
}

}  // namespace

RepeatedCall::RepeatedCall() : RepeatedCall(nullptr, "") {}
RepeatedCall::RepeatedCall(Function function, std::string why_not)
    : AcceleratedBase(AccelerateOptions()),
      function_(std::move(function)),
      why_not_(std::move(why_not)) {}

DlArrays RepeatedCall::operator()(Arrays inputs, int64_t calls_left) {
  return Run(inputs, calls_left, function_, [this] { return function_; });
}
DlArrays RepeatedCall::operator()(Arrays inputs, absl::FunctionRef<DlArrays(Arrays)> plain,
                                  absl::FunctionRef<Function()> owned) {
  return Run(inputs, std::nullopt, plain, owned);
}

DlArrays RepeatedCall::Run(Arrays inputs, std::optional<int64_t> calls_left,
                           absl::FunctionRef<DlArrays(Arrays)> plain,
                           absl::FunctionRef<Function()> owned) {
  if (IsPlain(inputs)) return plain(inputs);
  const uint64_t hash = HashOf(inputs);
  const int first_call = IsOnDevice(inputs) ? 1 : 2;
  if (Accelerates(hash, first_call, calls_left)) return Call(inputs, plain, owned);
  const auto start = Clock::now();
  DlArrays outputs = plain(inputs);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  Note(hash, Tape::Current() == nullptr ? seconds : kWithDerivative * seconds);
  return outputs;
}

bool RepeatedCall::Accelerates(uint64_t hash, int first_call, std::optional<int64_t> calls_left) {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++calls_;
  ++plain_calls_;
  if (!why_not_.empty()) return false;
  if (kinds_.size() >= kMaxKinds && kinds_.count(hash) == 0) return false;
  Kind& kind = kinds_[hash];
  ++kind.calls;
  if (!kind.is_recorded) {
    if (kind.calls < first_call || num_recorded_ >= CacheSize() ||
        (first_call > 1 && !IsWorthIt(kind, calls_left))) {
      return false;
    }
    kind.is_recorded = true;
    ++num_recorded_;
  }
  --plain_calls_;
  return true;
}

bool RepeatedCall::IsWorthIt(const Kind& kind, std::optional<int64_t> calls_left) const {
  if (Options().wait_for_compiler) return true;
  const double of_this_kind = static_cast<double>(kind.calls) / static_cast<double>(calls_);
  const double left = calls_left.has_value() ? of_this_kind * static_cast<double>(*calls_left)
                                             : static_cast<double>(kind.calls - 1);
  return kind.seconds * left >= kSecondsWorth;
}

void RepeatedCall::Note(uint64_t hash, double seconds) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto kind = kinds_.find(hash);
  if (kind == kinds_.end()) return;
  // A call that was disturbed counts little; calls that become slower are followed.
  kind->second.seconds = std::min(seconds, kSlowerPerCall * kind->second.seconds);
}

std::string RepeatedCall::Report() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!why_not_.empty()) return absl::StrCat("all calls ran op by op: ", why_not_, "\n");
  if (calls_ == 0 && function_ == nullptr) return "no call yet\n";
  std::string text =
      absl::StrCat(plain_calls_, " of ", calls_, " calls ran op by op, since ",
                   function_ != nullptr ? "what was left" : "what there was of their size",
                   " was not worth a recording\n");
  if (num_recorded_ >= CacheSize()) {
    absl::StrAppend(&text, "no more than ", num_recorded_, " of ", kinds_.size(),
                    " different sizes are recorded\n");
  }
  if (num_recorded_ > 0) absl::StrAppend(&text, AcceleratedBase::Report());
  return text;
}

}  // namespace lamina
