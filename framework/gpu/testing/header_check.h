// Compares declarations and values of ours with a header of CUDA, by the compiler, in tests. These
// headers are not here when the room is built; where there is a toolkit they are found when the
// test runs.
//
//   const std::string checks = std::string() LAMINA_CUDNN(LAMINA_HEADER_DECLARATION)
//       LAMINA_CUDNN_VALUES(LAMINA_HEADER_VALUE);
//   EXPECT_TRUE(CheckHeader("cudnn.h", checks).ok());
//
// Threads: pure functions.
#ifndef FRAMEWORK_GPU_TESTING_HEADER_CHECK_H_
#define FRAMEWORK_GPU_TESTING_HEADER_CHECK_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace lamina::gpu::testing {

/// A check that `theirs`, a name of the header, has this value.
std::string HeaderValue(const char* name, const char* theirs, int64_t value);

/// A check that a function has these arguments: handles may be opaque pointers and enumerations
/// int; what is const, the sizes and the kinds of numbers are the same.
std::string HeaderDeclaration(const char* symbol, const char* arguments);

// For the lists of cuda_values.h and cuda_library.h.
#define LAMINA_HEADER_VALUE(name, theirs, value) \
  +::lamina::gpu::testing::HeaderValue(#name, #theirs, value)
#define LAMINA_HEADER_DECLARATION(member, symbol, arguments) \
  +::lamina::gpu::testing::HeaderDeclaration(symbol, #arguments)

/// Errors: kInvalidArgument, with what the compiler says, when a check does not hold or there is no
/// such header; kUnavailable without a compiler.
absl::Status CheckHeader(const std::string& header, const std::string& checks);

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_HEADER_CHECK_H_
