#ifndef FRAMEWORK_CPU_AMX_H_
#define FRAMEWORK_CPU_AMX_H_

// The matrix unit AMX of x86 processors, as kernels here use it: whether this process may, and its
// registers, which a thread has for a time.
//
// The unit has eight registers, called tiles. All of ours are 16 rows of 64 bytes: 32 numbers of
// bfloat16, or 16 of single.
//
//   if (HasAmx()) {
//     const AmxTiles tiles;  // until the end of the block
//     kernels.multiply(...);
//   }
//
// Kernels are units of their own, compiled with AMX_COPTS (multi_isa.bzl) and called only where
// HasAmx(); amx_vectors.h has what they share. They keep to the rules of isa_namespace.h.
//
// Other users of the unit: what a library does with it, as oneDNN may, ends our tiles; Load() makes
// them anew. Registers are saved for signals and for other threads by the system, which needs 8 KB
// more of a stack for signals (sigaltstack) once it gave the permission, and does not give it while
// there is a smaller one: then HasAmx() is false. A child of fork has the permission too.
//
// Threads: HasAmx may be called from any thread; an AmxTiles belongs to one thread.

#include <cstdint>

namespace lamina::cpu {

/// Whether the processor has AMX with bfloat16, the system permits it to this process (Linux gives
/// the registers to a process that asks, as the first call does), and LAMINA_CPU is not set to a
/// level, all of which are without it.
bool HasAmx();

/// This thread's tiles, zeros at first. Where !HasAmx() the program ends (SIGILL).
class AmxTiles {
 public:
  AmxTiles() { Load(); }
  ~AmxTiles();
  /// Zeros once more, after a call of what may use the unit too.
  void Load();
  AmxTiles(const AmxTiles&) = delete;
  AmxTiles& operator=(const AmxTiles&) = delete;
};

namespace amx {

inline constexpr int64_t kTile = 16;  // rows of a tile; its columns in single
inline constexpr int64_t kStep = 32;  // its columns in bfloat16

}  // namespace amx
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_AMX_H_
