// Runs another program, without a shell.
//
//   ChildProcess child;
//   absl::StatusOr<int> status = child.Run({"cc", "--version"}, CurrentEnvironment(), "messages");
//
// Threads: one thread runs programs through an object; Kill may be called from any other.
#ifndef FRAMEWORK_IO_PROCESS_H_
#define FRAMEWORK_IO_PROCESS_H_

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lamina::internal {

/// The variables that this process has, "NAME=value". Not while another thread changes them: so a
/// thread in the background takes those of whoever gave it its work.
std::vector<std::string> CurrentEnvironment();

class ChildProcess {
 public:
  /// Starts `arguments[0]`, searched in the PATH of `environment`, with all of `arguments`, and
  /// waits for its end. It reads nothing; what it writes to both of its outputs goes to the file at
  /// `output`. Returns its exit status, or 128 and more when a signal ended it.
  /// Errors: kNotFound when there is no such program; kUnavailable when it cannot be started;
  /// kCancelled after Kill.
  absl::StatusOr<int> Run(const std::vector<std::string>& arguments,
                          const std::vector<std::string>& environment, const std::string& output);

  /// Ends the program that runs, with those that it started, and refuses to start another.
  void Kill();

 private:
  std::mutex mutex_;
  pid_t running_ = 0;
  bool killed_ = false;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_IO_PROCESS_H_
