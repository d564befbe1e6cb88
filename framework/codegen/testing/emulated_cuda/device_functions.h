// What kernels use of CUDA, for a C++ compiler. What concerns other threads is left to the machine
// that plays the device; the rest is computed here.
//
// Shared memory is what a block's threads have in common and no other block has. All threads of a
// block are played by one thread of the processor, one block after another: so it is that thread's.
#ifndef EMULATED_DEVICE_FUNCTIONS_H_
#define EMULATED_DEVICE_FUNCTIONS_H_

#include <math.h>
#include <string.h>

#include "machine.h"

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ thread_local
#define __constant__ static
#define __launch_bounds__(...)

namespace emulator {

inline Place place;
inline Machine* machine = nullptr;

// For functions whose accesses are told by themselves, or are none of a kernel's.
#define EMULATOR_UNWATCHED __attribute__((no_sanitize("thread", "alignment", "bounds"), noinline))

template <class T>
EMULATOR_UNWATCHED uint64_t ToBits(T x) {
  static_assert(sizeof x <= sizeof(uint64_t), "a value of up to eight bytes");
  uint64_t bits = 0;
  memcpy(&bits, &x, sizeof x);
  return bits;
}
template <class T>
EMULATOR_UNWATCHED T FromBits(uint64_t bits) {
  T x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

// What this lane of the group of `width` lanes handed out.
template <class T>
EMULATOR_UNWATCHED T Shuffle(unsigned lanes, T x, int lane_of_group, int width) {
  machine->Exchange(lanes, ToBits(x));
  const int lane = static_cast<int>(place.thread.x % 32), first = lane / width * width;
  if (lane_of_group < 0 || lane_of_group >= width) return x;
  return FromBits<T>(machine->Received(static_cast<unsigned>(first + lane_of_group)));
}
EMULATOR_UNWATCHED inline int LaneOfGroup(int width) {
  return static_cast<int>(place.thread.x) % width;
}

// The value that was there.
template <class T, class Change>
EMULATOR_UNWATCHED T Atomically(T* memory, const void* code, const Change& change) {
  machine->Access(memory, sizeof *memory, AccessKind::kAtomic, code);
  const T before = *memory;
  *memory = change(before);
  return before;
}

}  // namespace emulator

#define threadIdx (::emulator::place.thread)
#define blockIdx (::emulator::place.block)
#define blockDim (::emulator::place.block_size)
#define gridDim (::emulator::place.grid_size)
constexpr int warpSize = 32;

EMULATOR_UNWATCHED inline void __syncthreads() { emulator::machine->MeetBlock(); }
EMULATOR_UNWATCHED inline void __syncwarp(unsigned lanes = 0xffffffffu) {
  emulator::machine->MeetWarp(lanes);
}

template <class T>
T __shfl_sync(unsigned lanes, T x, int lane, int width = 32) {
  return emulator::Shuffle(lanes, x, (lane % width + width) % width, width);
}
template <class T>
T __shfl_down_sync(unsigned lanes, T x, unsigned by, int width = 32) {
  return emulator::Shuffle(lanes, x, emulator::LaneOfGroup(width) + static_cast<int>(by), width);
}
template <class T>
T __shfl_up_sync(unsigned lanes, T x, unsigned by, int width = 32) {
  return emulator::Shuffle(lanes, x, emulator::LaneOfGroup(width) - static_cast<int>(by), width);
}
template <class T>
T __shfl_xor_sync(unsigned lanes, T x, int mask, int width = 32) {
  return emulator::Shuffle(lanes, x, emulator::LaneOfGroup(width) ^ mask, width);
}
EMULATOR_UNWATCHED inline unsigned __ballot_sync(unsigned lanes, int is_true) {
  emulator::machine->Exchange(lanes, is_true != 0);
  unsigned votes = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (lanes >> lane & 1u && emulator::machine->Received(lane) == 1) votes |= 1u << lane;
  }
  return votes;
}
inline int __any_sync(unsigned lanes, int is_true) { return __ballot_sync(lanes, is_true) != 0; }
inline int __all_sync(unsigned lanes, int is_true) { return __ballot_sync(lanes, !is_true) == 0; }

template <class T>
EMULATOR_UNWATCHED T atomicAdd(T* memory, T x) {
  return emulator::Atomically(memory, __builtin_return_address(0), [=](T y) { return y + x; });
}
template <class T>
EMULATOR_UNWATCHED T atomicMax(T* memory, T x) {
  return emulator::Atomically(memory, __builtin_return_address(0),
                              [=](T y) { return y < x ? x : y; });
}
template <class T>
EMULATOR_UNWATCHED T atomicMin(T* memory, T x) {
  return emulator::Atomically(memory, __builtin_return_address(0),
                              [=](T y) { return x < y ? x : y; });
}
template <class T>
EMULATOR_UNWATCHED T atomicExch(T* memory, T x) {
  return emulator::Atomically(memory, __builtin_return_address(0), [=](T) { return x; });
}
template <class T>
EMULATOR_UNWATCHED T atomicCAS(T* memory, T expected, T x) {
  return emulator::Atomically(memory, __builtin_return_address(0),
                              [=](T y) { return y == expected ? x : y; });
}

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(16) double2 {
  double x, y;
};
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline double2 make_double2(double x, double y) { return {x, y}; }

template <class T>
T __ldg(const T* x) {
  return *x;
}
inline unsigned __float_as_uint(float x) { return static_cast<unsigned>(emulator::ToBits(x)); }
inline float __uint_as_float(unsigned bits) { return emulator::FromBits<float>(bits); }

inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline float rsqrt(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float x, float y) { return x / y; }

inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }
inline int min(int a, int b) { return a < b ? a : b; }
inline int max(int a, int b) { return a < b ? b : a; }
inline long long min(long long a, long long b) { return a < b ? a : b; }
inline long long max(long long a, long long b) { return a < b ? b : a; }

#endif  // EMULATED_DEVICE_FUNCTIONS_H_
