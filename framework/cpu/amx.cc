#include "framework/cpu/amx.h"

#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "framework/cpu/instruction_set.h"

namespace lamina::cpu {
namespace {

bool Permitted() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // of Linux' asm/prctl.h
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

struct alignas(64) TileConfig {
  uint8_t palette = 1, start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileConfig kTileConfig;
static_assert(sizeof(TileConfig) == 64);

__attribute__((target("amx-tile"))) void LoadConfig() { _tile_loadconfig(&kTileConfig); }
__attribute__((target("amx-tile"))) void Release() { _tile_release(); }

}  // namespace

bool HasAmx() {
  static const bool has = CurrentInstructionSet() == InstructionSet::kV4 &&
                          !InstructionSetIsWished() && __builtin_cpu_supports("amx-tile") != 0 &&
                          __builtin_cpu_supports("amx-bf16") != 0 &&
                          // All processors with the one have the other, and kernels use both.
                          __builtin_cpu_supports("avx512bf16") != 0 && Permitted();
  return has;
}

void AmxTiles::Load() { LoadConfig(); }

AmxTiles::~AmxTiles() { Release(); }

}  // namespace lamina::cpu
