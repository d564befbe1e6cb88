#include "framework/cpu/instruction_set.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

bool HasV2() {
  return __builtin_cpu_supports("sse4.2") != 0 && __builtin_cpu_supports("popcnt") != 0;
}
// The psABI's lists, but for what only operating systems use.
bool HasV3() {
  return HasV2() && __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 &&
         __builtin_cpu_supports("bmi") != 0 && __builtin_cpu_supports("bmi2") != 0 &&
         __builtin_cpu_supports("f16c") != 0 && __builtin_cpu_supports("lzcnt") != 0 &&
         __builtin_cpu_supports("movbe") != 0;
}
bool HasV4() {
  return HasV3() && __builtin_cpu_supports("avx512f") != 0 &&
         __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512cd") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
}

struct Choice {
  InstructionSet set;
  bool wished;
};

Choice Choose() {
  __builtin_cpu_init();
  LAMINA_CHECK(HasV2() && "Lamina needs a processor with SSE4.2 (x86-64-v2)");
  const InstructionSet best = HasV4()   ? InstructionSet::kV4
                              : HasV3() ? InstructionSet::kV3
                                        : InstructionSet::kV2;
  const char* wish = std::getenv("LAMINA_CPU");
  if (wish == nullptr || *wish == '\0') return {best, false};
  for (const InstructionSet set : {InstructionSet::kV2, InstructionSet::kV3, InstructionSet::kV4}) {
    if (std::strcmp(wish, Name(set) + std::strlen("x86-64-")) == 0 && set <= best)
      return {set, true};
  }
  std::fprintf(stderr, "LAMINA_CPU=%s is not one of v2, v3, v4 or more than %s: ignored\n", wish,
               Name(best));
  return {best, false};
}

const Choice& TheChoice() {
  static const Choice choice = Choose();
  return choice;
}

}  // namespace

InstructionSet CurrentInstructionSet() { return TheChoice().set; }

bool InstructionSetIsWished() { return TheChoice().wished; }

const char* Name(InstructionSet set) {
  switch (set) {
    case InstructionSet::kV2:
      return "x86-64-v2";
    case InstructionSet::kV3:
      return "x86-64-v3";
    case InstructionSet::kV4:
      return "x86-64-v4";
  }
  __builtin_unreachable();
}

}  // namespace lamina::cpu
