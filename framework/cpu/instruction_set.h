#ifndef FRAMEWORK_CPU_INSTRUCTION_SET_H_
#define FRAMEWORK_CPU_INSTRUCTION_SET_H_

// Which of the compiled forms of the kernels this process runs.
//
// Kernels that gain from wide vectors are compiled three times, for the levels x86-64-v2 (SSE4.2),
// -v3 (AVX2, FMA) and -v4 (AVX-512); see multi_isa.bzl. The best level that the machine has is
// chosen at the first use and stays.
//
// Threads: may be called from any thread.

#include <cstdint>

namespace lamina::cpu {

enum class InstructionSet : uint8_t { kV2, kV3, kV4 };

/// The level in use. The environment variable LAMINA_CPU (v2, v3 or v4) lowers it; a level that the
/// machine does not have, or another text, is ignored with a line on stderr. Aborts with a message
/// on a machine below x86-64-v2 (made before 2009).
InstructionSet CurrentInstructionSet();

/// Whether LAMINA_CPU chose the level. Then nothing beyond the level is used either (amx.h).
bool InstructionSetIsWished();

/// "x86-64-v3"
const char* Name(InstructionSet set);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_INSTRUCTION_SET_H_
