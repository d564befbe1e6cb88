// Who called: functions, and the lines of those that were compiled with them.
//
//   const CallSite here = CallSite::Here();
//   ...
//   here.Frames();      // {"Decay::Predict(lamina::DlArray const&) const", "layers/decay.h:12"},
//   ..
//
// To keep one costs some microseconds. The names come from addr2line of binutils, which is where a
// compiler is; lines are known of what was compiled with -g1 or -g.
//
// Threads: a plain value.
#ifndef FRAMEWORK_IO_CALL_SITE_H_
#define FRAMEWORK_IO_CALL_SITE_H_

#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/status/statusor.h"

namespace lamina {

class CallSite {
 public:
  struct Frame {
    std::string function;  ///< "Decay::Predict(lamina::DlArray const&) const".
    std::string line;      ///< "layers/decay.h:12"; "" where it is not known.
  };

  /// Of this thread, without this function itself; the innermost 62 calls.
  static CallSite Here();
  /// Innermost first, functions that were inlined too. Errors: kNotFound without addr2line; those
  /// of ChildProcess.
  absl::StatusOr<std::vector<Frame>> Frames() const;

 private:
  absl::InlinedVector<void*, 1> addresses_;
};

}  // namespace lamina

#endif  // FRAMEWORK_IO_CALL_SITE_H_
