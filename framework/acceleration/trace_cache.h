// The traces of one accelerated function: found by the specs of its inputs, least recently used
// out.
//
// Used by dl_accelerate.cc. Threads: everything may be called from any number of threads at once.
#ifndef FRAMEWORK_ACCELERATION_TRACE_CACHE_H_
#define FRAMEWORK_ACCELERATION_TRACE_CACHE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "framework/acceleration/dl_accelerate.h"
#include "framework/acceleration/trace.h"

namespace lamina::internal {

/// How one call differs from another.
struct KeyDifference {
  std::vector<std::string> parts;  ///< "size of input 0, dim T: 31 instead of 30"; none when equal.
  int distance = 0;                ///< Another size is nearer than another type or other labels.
};
KeyDifference DifferenceOf(const TraceKey& now, const TraceKey& before);

class TraceCache {
 public:
  explicit TraceCache(const AccelerateOptions& options);

  DlArrays Call(Arrays inputs, absl::FunctionRef<DlArrays(Arrays)> plain,
                absl::FunctionRef<TracedFunction()> owned);

  AccelerateOptions options() const;
  void SetOptions(const AccelerateOptions& options);
  void Clear();
  double HitRate() const;
  int NumTraces() const;
  std::string Report() const;

 private:
  struct Entry {
    Entry(TraceKey k, uint64_t h) : key(std::move(k)), hash(h) {}
    const TraceKey key;
    const uint64_t hash;
    std::string why;  // It was made.
    std::atomic<int64_t> calls{0};
    std::mutex recording;
    std::atomic<bool> is_recorded{false};
    // What follows does not change once is_recorded is set.
    std::shared_ptr<Trace> trace;
    NotTraced not_traced;
    double seconds = 0;
  };
  using EntryPtr = std::shared_ptr<Entry>;

  // The entry of these inputs, made if need be; null when the function is not to be traced.
  EntryPtr Find(Arrays inputs, const Tape* tape, TraceRunOptions* run_options);
  std::string WhyNew(const TraceKey& key) const;
  void Record(Entry& entry, Arrays inputs, TracedFunction function);
  void Forget(const EntryPtr& entry);
  void Shrink();

  mutable std::mutex mutex_;  // Of all that follows.
  AccelerateOptions options_;
  TraceRunOptions run_options_;
  std::list<EntryPtr> entries_;  // Most recently used first.
  std::deque<TraceKey> left_;    // Keys of entries that left, the last first.
  std::string unaccelerated_;    // Why the function is not traced any more; empty if it is.
  int64_t hits_ = 0, misses_ = 0, unaccelerated_calls_ = 0;
  double recording_seconds_ = 0;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_TRACE_CACHE_H_
