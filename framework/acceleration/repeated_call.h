// A function of arrays that is called again and again, accelerated once that is worth it
// (acceleration.h).
//
// Recording and compiling take about a second, and the compiler takes a processor from the work. So
// calls with inputs of some sizes run the function itself until the time that such calls will still
// take, as far as is known, is a second. Where nobody knows how many calls are left, as many are
// expected as have come, so that a recording costs no more than was spent already.
// On a device the first call is recorded: op by op, each op would be compiled by itself.
// No more different sizes are recorded than the cache of traces holds, so that sequences of ever
// new lengths do not drive each other out.
//
// Threads: may be called from any number of threads at once, if the function may.
#ifndef FRAMEWORK_ACCELERATION_REPEATED_CALL_H_
#define FRAMEWORK_ACCELERATION_REPEATED_CALL_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "framework/acceleration/acceleration.h"
#include "framework/acceleration/dl_accelerate.h"

namespace lamina {

class RepeatedCall : private internal::AcceleratedBase {
 public:
  using Function = std::function<DlArrays(Arrays)>;

  RepeatedCall();
  /// `why_not` tells why the function must run as it is; empty when it may be recorded.
  RepeatedCall(Function function, std::string why_not);

  /// The function of `inputs`. About `calls_left` calls come after this one. Errors: those of the
  /// function.
  DlArrays operator()(Arrays inputs, int64_t calls_left);
  /// The same without a function of its own, and without knowing what is left: `plain` and what
  /// `owned` gives are as in AcceleratedBase::Call.
  DlArrays operator()(Arrays inputs, absl::FunctionRef<DlArrays(Arrays)> plain,
                      absl::FunctionRef<Function()> owned);

  /// For a reader: how many calls ran as they are and why, and the report of the traces.
  std::string Report() const;

 private:
  // Calls with inputs of one kind.
  struct Kind {
    int64_t calls = 0;
    double seconds = std::numeric_limits<double>::infinity();  // Of an undisturbed one.
    bool is_recorded = false;
  };
  DlArrays Run(Arrays inputs, std::optional<int64_t> calls_left,
               absl::FunctionRef<DlArrays(Arrays)> plain, absl::FunctionRef<Function()> owned);
  // Counts the call; whether it goes by a trace, as calls from this one on may.
  bool Accelerates(uint64_t hash, int first_call, std::optional<int64_t> calls_left);
  bool IsWorthIt(const Kind& kind, std::optional<int64_t> calls_left) const;
  void Note(uint64_t hash, double seconds);

  const Function function_;
  const std::string why_not_;
  mutable std::mutex mutex_;                  // Of what follows.
  std::unordered_map<uint64_t, Kind> kinds_;  // By a hash of the specs.
  int64_t calls_ = 0, plain_calls_ = 0;
  int num_recorded_ = 0;
};

}  // namespace lamina

#endif  // FRAMEWORK_ACCELERATION_REPEATED_CALL_H_
