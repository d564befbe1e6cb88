// Generated CUDA on a machine without a device: the sources as C++ that runs on the CPU
// (emulated_cuda/cuda_runtime_api.h).
#ifndef FRAMEWORK_CODEGEN_TESTING_EMULATED_H_
#define FRAMEWORK_CODEGEN_TESTING_EMULATED_H_

#include "framework/codegen/generate_code.h"

namespace lamina::testing {

/// With which the code below is compiled: the emulator is found before a toolkit's header.
inline constexpr char kEmulatedFlags[] = "-std=c++17 -Wall -Wextra -Werror -pedantic -O1 -I.";

/// The same code with launches that call the emulator.
GeneratedCode Emulated(const GeneratedCode& code);

}  // namespace lamina::testing

#endif  // FRAMEWORK_CODEGEN_TESTING_EMULATED_H_
