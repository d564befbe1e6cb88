// A function of arrays that is called for one batch after another, accelerated once that is worth
// it (acceleration.h).
//
// Recording and compiling take about a second, and the compiler takes a processor from the work. So
// calls with inputs of some sizes run the function itself until the time that such calls will still
// take, as far as is known, is a second. No more different sizes are recorded than the cache of
// traces holds, so that sequences of ever new lengths do not drive each other out.
//
// Threads: an object belongs to one thread.
#ifndef FRAMEWORK_TRAINNET_REPEATED_CALL_H_
#define FRAMEWORK_TRAINNET_REPEATED_CALL_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <unordered_map>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/network/network.h"
#include "framework/trainnet/acceleration.h"

namespace lamina {

class RepeatedCall {
 public:
  using Function = std::function<DlArrays(Arrays)>;

  /// `why_not` tells why the function must run as it is; empty when it may be recorded.
  RepeatedCall(Function function, std::string why_not);

  /// The function of `inputs`. About `calls_left` calls come after this one. Errors: those of the
  /// function.
  DlArrays operator()(Arrays inputs, int64_t calls_left);

  /// For a reader: how many calls ran as they are and why, and the report of the traces.
  std::string Report() const;

 private:
  // Calls with inputs of one kind.
  struct Kind {
    int64_t calls = 0;
    double seconds = std::numeric_limits<double>::infinity();  // Of an undisturbed one.
    bool is_recorded = false;
  };
  bool Accelerates(Kind& kind, int64_t calls_left);

  Function function_;
  std::string why_not_;
  AcceleratedFunction<Function> accelerated_;
  std::unordered_map<uint64_t, Kind> kinds_;  // By a hash of the specs.
  int64_t calls_ = 0, plain_calls_ = 0;
  int num_recorded_ = 0;
};

/// What stands against recording what the network computes: the option, or a layer, of a nested
/// network too, that is not Acceleratable. Empty when nothing does.
std::string WhyNotAccelerated(Acceleration option, DlNetwork network);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_REPEATED_CALL_H_
