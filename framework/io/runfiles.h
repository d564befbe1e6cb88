// runfiles.h: where is this file of the repository now? Data files lie in other places under `bazel
// run`, under `bazel test`, beside a built program, and when Lamina is a dependency of another
// workspace.
//
// Threads: any thread; it reads the environment, which nobody may change at that time.
//
//   auto digits = LoadDigits(RunfilePath("lessons/data/digits"));
#ifndef FRAMEWORK_IO_RUNFILES_H_
#define FRAMEWORK_IO_RUNFILES_H_

#include <string>

namespace lamina {

/// The path of a file or folder that is named from the top of Lamina's repository and stands in the
/// `data` of the target that runs. Looks, in this order, in $RUNFILES_DIR, in $TEST_SRCDIR, in the
/// folder PROGRAM.runfiles beside the program, and in the current folder. What is nowhere comes
/// back as it was given, so that the error of whoever opens it names it. An absolute path comes
/// back as it was given.
std::string RunfilePath(const std::string& path);

}  // namespace lamina

#endif  // FRAMEWORK_IO_RUNFILES_H_
