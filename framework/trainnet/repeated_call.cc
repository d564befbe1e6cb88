#include "framework/trainnet/repeated_call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

using Clock = std::chrono::steady_clock;

// Less than this is not worth a compilation.
constexpr double kSecondsWorth = 1;
constexpr double kSlowerPerCall = 1.1;

uint64_t HashOf(Arrays inputs) {
  uint64_t hash = inputs.size();
  for (const DlArray& x : inputs) {
    hash = absl::HashOf(hash, x.type(), x.sizes(), x.format().str());
  }
  return hash;
}

std::string WhyNotAccelerated(const std::string& path, DlNetwork& network) {
  for (int i = 0; i < network.NumLayers(); ++i) {
    Layer& layer = network.mutable_layer(i).layer();
    const std::string name = path + layer.Name();
    if (!network.layer(i).traits().is_acceleratable) {
      return absl::StrCat("Layer \"", name, "\" (", layer.Type(), ") is not Acceleratable.");
    }
    for (const PropertyDescriptor& p : layer.Properties()) {
      auto* const nested = dynamic_cast<DlNetwork*>(layer.TreeOf(p));
      if (nested == nullptr) continue;
      std::string why = WhyNotAccelerated(absl::StrCat(name, "/", p.name, "/"), *nested);
      if (!why.empty()) return why;
    }
  }
  return "";
}

}  // namespace

RepeatedCall::RepeatedCall(Function function, std::string why_not)
    : function_(std::move(function)),
      why_not_(std::move(why_not)),
      accelerated_(function_, AccelerateOptions()) {}

DlArrays RepeatedCall::operator()(Arrays inputs, int64_t calls_left) {
  ++calls_;
  if (!why_not_.empty()) return function_(inputs);
  Kind& kind = kinds_[HashOf(inputs)];
  ++kind.calls;
  if (Accelerates(kind, calls_left)) return accelerated_(inputs);
  ++plain_calls_;
  const auto start = Clock::now();
  DlArrays outputs = function_(inputs);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  // A call that was disturbed counts little; calls that become slower are followed.
  kind.seconds = std::min(seconds, kSlowerPerCall * kind.seconds);
  return outputs;
}

bool RepeatedCall::Accelerates(Kind& kind, int64_t calls_left) {
  if (kind.is_recorded) return true;
  if (kind.calls < 2 || num_recorded_ >= accelerated_.CacheSize()) return false;
  const double of_this_kind = static_cast<double>(kind.calls) / static_cast<double>(calls_);
  if (!accelerated_.Options().wait_for_compiler &&
      kind.seconds * of_this_kind * static_cast<double>(calls_left) < kSecondsWorth) {
    return false;
  }
  ++num_recorded_;
  return kind.is_recorded = true;
}

std::string RepeatedCall::Report() const {
  if (!why_not_.empty()) return absl::StrCat("all calls ran op by op: ", why_not_, "\n");
  std::string text =
      absl::StrCat(plain_calls_, " of ", calls_,
                   " calls ran op by op, since what was left was not worth a recording\n");
  if (num_recorded_ >= accelerated_.CacheSize()) {
    absl::StrAppend(&text, "no more than ", num_recorded_, " of ", kinds_.size(),
                    " different sizes are recorded\n");
  }
  if (num_recorded_ > 0) absl::StrAppend(&text, accelerated_.Report());
  return text;
}

std::string WhyNotAccelerated(Acceleration option, DlNetwork network) {
  if (option == Acceleration::kNone) return "The option acceleration is kNone.";
  return WhyNotAccelerated("", network);
}

}  // namespace lamina
