#include "framework/cpu/cast.h"

#include <algorithm>
#include <complex>
#include <cstring>
#include <limits>
#include <type_traits>

#include "framework/cpu/math_basic.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

// Logical as a type of its own, so that it can be told from uint8_t.
struct Logical {
  uint8_t value;
};

template <class T>
inline constexpr bool kIsComplex = false;
template <class R>
inline constexpr bool kIsComplex<std::complex<R>> = true;

template <class To, class From>
To ToInteger(From x) {
  // The greatest floating number below the limit; both limits are powers of two.
  constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
  constexpr From kHigh = static_cast<From>(std::numeric_limits<To>::max());
  const From rounded = math::Round(x);
  if (rounded != rounded) return 0;
  if (rounded <= kLow) return std::numeric_limits<To>::min();
  if (rounded >= kHigh) return std::numeric_limits<To>::max();
  return static_cast<To>(rounded);
}

template <class To, class From>
To Convert(From x) {
  if constexpr (std::is_same_v<From, Logical>) {
    return Convert<To>(x.value);
  } else if constexpr (std::is_same_v<To, Logical>) {
    return {static_cast<uint8_t>(x != From(0))};
  } else if constexpr (kIsComplex<To>) {
    using R = typename To::value_type;
    if constexpr (kIsComplex<From>) {
      return {static_cast<R>(x.real()), static_cast<R>(x.imag())};
    } else {
      return {static_cast<R>(x), R(0)};
    }
  } else if constexpr (kIsComplex<From>) {
    return Convert<To>(x.real());
  } else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    return ToInteger<To>(x);
  } else if constexpr (std::is_integral_v<To>) {
    const auto wide = static_cast<int64_t>(x);
    return static_cast<To>(
        std::clamp<int64_t>(wide, std::numeric_limits<To>::min(), std::numeric_limits<To>::max()));
  } else {
    return static_cast<To>(x);
  }
}

// Calls f with a value of the C++ type of `type`.
template <class F>
void Dispatch(DataType type, F f) {
  switch (type) {
    case DataType::kSingle:
      return f(float());
    case DataType::kDouble:
      return f(double());
    case DataType::kLogical:
      return f(Logical());
    case DataType::kComplexSingle:
      return f(std::complex<float>());
    case DataType::kComplexDouble:
      return f(std::complex<double>());
    case DataType::kInt32:
      return f(int32_t());
    case DataType::kInt64:
      return f(int64_t());
    case DataType::kUint8:
      return f(uint8_t());
  }
}

}  // namespace

void Cast(DataType from, DataType to, int64_t n, const void* in, void* out) {
  if (from == to) {
    if (in == out) return;
    const auto size = static_cast<int64_t>(SizeOf(from));
    ParallelFor(n * size, 4 * kElementwiseGrain, [&](int64_t begin, int64_t end) {
      std::memcpy(static_cast<char*>(out) + begin, static_cast<const char*>(in) + begin,
                  static_cast<size_t>(end - begin));
    });
    return;
  }
  Dispatch(from, [&]<class From>(From) {
    Dispatch(to, [&]<class To>(To) {
      const auto* x = static_cast<const From*>(in);
      auto* y = static_cast<To*>(out);
      ParallelFor(n, kElementwiseGrain, [&](int64_t begin, int64_t end) {
#pragma GCC ivdep
        for (int64_t i = begin; i < end; ++i) y[i] = Convert<To>(x[i]);
      });
    });
  });
}

void RoundToBfloat16(int64_t n, const float* in, float* out) {
  ParallelFor(n, kElementwiseGrain, [&](int64_t begin, int64_t end) {
#pragma GCC ivdep
    for (int64_t i = begin; i < end; ++i) {
      const float x = in[i];
      const uint32_t bits = __builtin_bit_cast(uint32_t, x);
      // Just below half of the last digit that stays, and half where that digit is odd. A carry out
      // of the fraction is right: the next exponent follows, and infinity the largest number.
      const uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
      out[i] = x != x ? x : __builtin_bit_cast(float, rounded);
    }
  });
}

void Fill(DataType type, int64_t n, const void* value, void* out) {
  Dispatch(type, [&]<class T>(T) {
    const T v = *static_cast<const T*>(value);
    T* y = static_cast<T*>(out);
    ParallelFor(n, kElementwiseGrain,
                [&](int64_t begin, int64_t end) { std::fill(y + begin, y + end, v); });
  });
}

}  // namespace lamina::cpu
