// Compiles C or C++ sources with the machine's compiler and runs the program: how printed code is
// tried, in tests and by CheckLayer.
//
//   absl::StatusOr<std::string> output = CompileAndRun(files, kStrictC, input_bytes);
//
// Threads: may be called from several threads; each call works in a temporary folder of its own.
#ifndef FRAMEWORK_EMIT_C_COMPILER_H_
#define FRAMEWORK_EMIT_C_COMPILER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lamina {

struct SourceFile {
  std::string name;  ///< "digits.c"
  std::string text;
};

/// The flags with which printed code compiles without a warning.
inline constexpr char kStrictC[] = "-std=c99 -Wall -Wextra -Werror -pedantic -O1";

/// The same for C++.
inline constexpr char kStrictCpp[] = "-std=c++17 -Wall -Wextra -Werror -pedantic -O1";

/// The environment's CC, or cc.
std::string CompilerCommand();

/// That command; empty where there is no such program.
std::string FindCompiler();

/// What the program wrote to its standard output. With a source file of C++ (".cc") all are
/// compiled by the C++ compiler: the environment's CXX, or c++. Errors: kUnavailable without a
/// compiler; kInvalidArgument with the compiler's messages; kInternal, with what the program wrote
/// to its standard error, when it does not end with status 0.
absl::StatusOr<std::string> CompileAndRun(const std::vector<SourceFile>& files,
                                          const std::string& flags, const std::string& input);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_C_COMPILER_H_
