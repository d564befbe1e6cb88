#include "framework/acceleration/trace_cache.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "framework/acceleration/trace_check.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/finite_check.h"

namespace lamina::internal {
namespace {

using Clock = std::chrono::steady_clock;

// So many keys of traces that left are remembered, to say why a function is traced again.
constexpr size_t kRemembered = 64;
// Arenas and backward graphs come after an entry was made, so its memory is asked for now and then.
constexpr int64_t kCallsBetweenLooks = 64;

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
  return hash ^ (hash >> 29);
}

uint64_t HashOf(Arrays inputs, const Tape* tape) {
  uint64_t hash = Mix(inputs.size(), tape != nullptr);
  hash = Mix(hash, static_cast<uint64_t>(ScopedProductPrecision::Current()));
  for (const DlArray& x : inputs) {
    hash =
        Mix(hash, static_cast<uint64_t>(x.type()) << 8 | (tape != nullptr && tape->IsWatched(x)));
    for (const int64_t s : x.sizes()) hash = Mix(hash, static_cast<uint64_t>(s));
    for (const char label : x.format().str()) hash = Mix(hash, static_cast<uint64_t>(label));
  }
  return hash;
}

bool EnvironmentSaysWait() {
  const char* const value = std::getenv("LAMINA_WAIT_FOR_COMPILER");
  return value != nullptr && *value != '\0' && std::string_view(value) != "0";
}

std::string DimName(const ArraySpec& spec, int dim) {
  if (spec.format.empty()) return absl::StrCat("dim ", dim);
  const std::string label(1, spec.format[dim]);
  if (spec.format.Count(spec.format[dim]) == 1) return absl::StrCat("dim ", label);
  return absl::StrCat("dim ", dim, " (", label, ")");
}

void Add(KeyDifference& difference, std::string part, int distance) {
  difference.parts.push_back(std::move(part));
  difference.distance += distance;
}

void AddSpecDifferences(size_t i, const ArraySpec& now, const ArraySpec& before,
                        KeyDifference& difference) {
  const std::string input = absl::StrCat("input ", i);
  if (now.type != before.type) {
    Add(difference,
        absl::StrCat("type of ", input, ": ", std::string(Name(now.type)), " instead of ",
                     std::string(Name(before.type))),
        3);
  }
  if (!(now.format == before.format)) {
    const auto labels = [](const ArraySpec& s) {
      return s.format.empty() ? std::string("none") : s.format.str();
    };
    Add(difference,
        absl::StrCat("labels of ", input, ": ", labels(now), " instead of ", labels(before)), 8);
  } else if (now.rank() != before.rank()) {
    Add(difference,
        absl::StrCat("dims of ", input, ": ", now.rank(), " instead of ", before.rank()), 8);
  } else {
    for (int d = 0; d < now.rank(); ++d) {
      if (now.sizes[d] == before.sizes[d]) continue;
      Add(difference,
          absl::StrCat("size of ", input, ", ", DimName(now, d), ": ", now.sizes[d], " instead of ",
                       before.sizes[d]),
          1);
    }
  }
}

std::string KeyText(const TraceKey& key) {
  std::string text;
  for (size_t i = 0; i < key.specs.size(); ++i) {
    absl::StrAppend(&text, i == 0 ? "" : "; ", ToString(key.specs[i]),
                    key.watched[i] ? " (watched)" : "");
  }
  if (key.specs.empty()) text = "no inputs";
  if (key.precision == ProductPrecision::kBfloat16) text += "; products of bfloat16";
  return text;
}

std::string Mebibytes(int64_t bytes) {
  return absl::StrFormat("%.1f MiB", static_cast<double>(bytes) / (1 << 20));
}

}  // namespace

KeyDifference DifferenceOf(const TraceKey& now, const TraceKey& before) {
  KeyDifference difference;
  if (now.specs.size() != before.specs.size()) {
    Add(difference,
        absl::StrCat("number of inputs: ", now.specs.size(), " instead of ", before.specs.size()),
        1000);
    return difference;
  }
  for (size_t i = 0; i < now.specs.size(); ++i) {
    AddSpecDifferences(i, now.specs[i], before.specs[i], difference);
  }
  for (size_t i = 0; i < now.specs.size(); ++i) {
    if (now.watched[i] == before.watched[i]) continue;
    Add(difference,
        absl::StrCat("input ", i,
                     now.watched[i] ? " is watched, it was not" : " is not watched, it was"),
        1);
  }
  if (now.device != before.device) {
    Add(difference,
        before.device == nullptr ? "on a device instead of the processor"
        : now.device == nullptr  ? "on the processor instead of a device"
                                 : "on another device",
        1);
  }
  if (now.precision != before.precision) {
    Add(difference,
        now.precision == ProductPrecision::kBfloat16 ? "products of bfloat16 instead of single"
                                                     : "products of single instead of bfloat16",
        1);
  }
  if (difference.parts.empty() && now.has_tape != before.has_tape) {
    Add(difference, now.has_tape ? "a tape that listens" : "no tape that listens", 1);
  }
  return difference;
}

TraceCache::TraceCache(const AccelerateOptions& options) { SetOptions(options); }

void TraceCache::SetOptions(const AccelerateOptions& options) {
  if (options.cache_size < 1) {
    throw Error("accelerate:CacheSize", "An accelerated function keeps one trace or more.",
                absl::StrCat("A cache_size of ", options.cache_size, " came."),
                "Set enabled = false to run unaccelerated.");
  }
  if (options.cache_bytes < 0) {
    throw Error("accelerate:CacheSize", "An accelerated function keeps traces of 0 bytes or more.",
                absl::StrCat("A cache_bytes of ", options.cache_bytes, " came."),
                "The last trace is kept in any case; set enabled = false to run unaccelerated.");
  }
  if (!(options.check_tolerance >= 0) || !std::isfinite(options.check_tolerance)) {
    throw Error("accelerate:CheckTolerance", "A check allows a finite difference, 0 or more.",
                absl::StrCat("A check_tolerance of ", options.check_tolerance, " came."),
                "Set check_mode = AccelerateCheck::kNone for no check.");
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  options_ = options;
  run_options_ = {};
  if (options.check_mode == AccelerateCheck::kTolerance) {
    run_options_.check_tolerance = options.check_tolerance;
  } else if (const int64_t checks = ChecksByEnvironment(); checks > 0) {
    run_options_.check_tolerance = options.check_tolerance;
    run_options_.max_checks = checks;
    options_.wait_for_compiler = true;  // Kernels are what is to be compared.
  }
  options_.wait_for_compiler |= EnvironmentSaysWait();
  run_options_.wait_for_compiler = options_.wait_for_compiler;
  Shrink();
}

AccelerateOptions TraceCache::options() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return options_;
}

void TraceCache::Clear() {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  left_.clear();
  unaccelerated_.clear();
  hits_ = misses_ = unaccelerated_calls_ = 0;
  recording_seconds_ = 0;
}

double TraceCache::HitRate() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const int64_t all = hits_ + misses_;
  return all == 0 ? 0 : 100.0 * static_cast<double>(hits_) / static_cast<double>(all);
}

int TraceCache::NumTraces() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<int>(entries_.size());
}

DlArrays TraceCache::Call(Arrays inputs, absl::FunctionRef<DlArrays(Arrays)> plain,
                          absl::FunctionRef<TracedFunction()> owned) {
  // Within another recording the function becomes a part of that.
  if (IsRecording() || FiniteCheck::IsOn()) return plain(inputs);
  for (const DlArray& x : inputs) {
    if (!x.has_values() && !x.on_device()) return plain(inputs);
  }
  TraceRunOptions run_options;
  const EntryPtr entry = Find(inputs, Tape::Current(), &run_options);
  if (entry == nullptr) return plain(inputs);
  if (!entry->is_recorded.load(std::memory_order_acquire)) {
    const std::lock_guard<std::mutex> lock(entry->recording);
    if (!entry->is_recorded.load(std::memory_order_relaxed)) Record(*entry, inputs, owned());
  }
  if (entry->trace == nullptr) {
    try {
      return plain(inputs);
    } catch (...) {
      Forget(entry);  // The function does not take such inputs at all.
      throw;
    }
  }
  return entry->trace->Run(inputs, run_options);
}

TraceCache::EntryPtr TraceCache::Find(Arrays inputs, const Tape* tape,
                                      TraceRunOptions* run_options) {
  const uint64_t hash = HashOf(inputs, tape);
  const std::lock_guard<std::mutex> lock(mutex_);
  *run_options = run_options_;
  if (!options_.enabled || !unaccelerated_.empty()) {
    ++unaccelerated_calls_;
    return nullptr;
  }
  for (auto i = entries_.begin(); i != entries_.end(); ++i) {
    if ((*i)->hash != hash || !(*i)->key.Matches(inputs, tape)) continue;
    entries_.splice(entries_.begin(), entries_, i);
    const EntryPtr& entry = entries_.front();
    ++hits_;
    entry->calls.fetch_add(1, std::memory_order_relaxed);
    if (hits_ % kCallsBetweenLooks == 0) Shrink();
    return entries_.front();
  }
  ++misses_;
  const auto entry = std::make_shared<Entry>(TraceKey(inputs, tape), hash);
  entry->why = WhyNew(entry->key);
  entry->calls = 1;
  entries_.push_front(entry);
  Shrink();
  return entry;
}

std::string TraceCache::WhyNew(const TraceKey& key) const {
  KeyDifference nearest;
  bool any = false, was_here = false;
  const auto compare = [&](const TraceKey& other) {
    KeyDifference difference = DifferenceOf(key, other);
    was_here = was_here || difference.parts.empty();
    if (any && difference.distance >= nearest.distance) return;
    any = true;
    nearest = std::move(difference);
  };
  for (const EntryPtr& entry : entries_) compare(entry->key);
  for (const TraceKey& other : left_) compare(other);
  if (was_here) return "it was here before, and left the full cache";
  if (!any) return "the first call";
  const auto others = static_cast<int64_t>(nearest.parts.size()) - 1;
  if (others == 0) return nearest.parts[0];
  return absl::StrCat(nearest.parts[0], ", and ", Counted(others, "more difference"));
}

void TraceCache::Record(Entry& entry, Arrays inputs, TracedFunction function) {
  const auto start = Clock::now();
  entry.trace = Trace::Record(std::move(function), inputs, &entry.not_traced);
  entry.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  entry.is_recorded.store(true, std::memory_order_release);
  const std::lock_guard<std::mutex> lock(mutex_);
  recording_seconds_ += entry.seconds;
  Shrink();
  if (entry.trace != nullptr || !entry.not_traced.whole_function) return;
  unaccelerated_ = entry.not_traced.reason;
  ++unaccelerated_calls_;
  entries_.clear();
}

void TraceCache::Forget(const EntryPtr& entry) {
  const std::lock_guard<std::mutex> lock(mutex_);
  entries_.remove(entry);
}

void TraceCache::Shrink() {
  int64_t bytes = 0;
  int kept = 0;
  for (auto i = entries_.begin(); i != entries_.end();) {
    const Entry& entry = **i;
    if (entry.is_recorded.load(std::memory_order_acquire) && entry.trace != nullptr) {
      bytes += entry.trace->bytes();
    }
    if (kept == 0 || (kept < options_.cache_size && bytes <= options_.cache_bytes)) {
      ++kept;
      ++i;
      continue;
    }
    left_.push_front(entry.key);
    if (left_.size() > kRemembered) left_.pop_back();
    i = entries_.erase(i);
  }
}

std::string TraceCache::Report() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  int64_t bytes = 0;
  CompilationCount compiled;
  for (const EntryPtr& e : entries_) {
    if (!e->is_recorded.load(std::memory_order_acquire) || e->trace == nullptr) continue;
    bytes += e->trace->bytes();
    e->trace->AddCompilation(&compiled);
  }
  std::string text = absl::StrCat(
      Counted(entries_.size(), "trace"), " of at most ", options_.cache_size, ", ",
      Mebibytes(bytes), " of at most ", Mebibytes(options_.cache_bytes), "\n",
      Counted(hits_, "hit"), ", ", Counted(misses_, "miss", "misses"), ", ",
      Counted(unaccelerated_calls_, "call"), " unaccelerated\n",
      absl::StrFormat("recording %.3f s, compiling %.3f s: %d compiled, %d loaded from the disk\n",
                      recording_seconds_, compiled.seconds, compiled.compiled, compiled.loaded));
  if (!options_.enabled) absl::StrAppend(&text, "not enabled\n");
  if (!unaccelerated_.empty()) {
    absl::StrAppend(
        &text, "runs unaccelerated: ", absl::StrReplaceAll(unaccelerated_, {{"\n", "\n  "}}), "\n");
  }
  int number = 0;
  for (const EntryPtr& e : entries_) {
    absl::StrAppend(&text, ++number, ". ", KeyText(e->key), "\n   traced because of ", e->why, "; ",
                    Counted(e->calls.load(std::memory_order_relaxed), "call"), "\n");
    if (!e->is_recorded.load(std::memory_order_acquire)) {
      absl::StrAppend(&text, "   it is being recorded\n");
    } else if (e->trace != nullptr) {
      absl::StrAppend(&text, e->trace->Describe("   "));
    } else {
      absl::StrAppend(&text, "   runs unaccelerated: ",
                      absl::StrReplaceAll(e->not_traced.reason, {{"\n", "\n     "}}), "\n");
    }
  }
  return text;
}

}  // namespace lamina::internal
