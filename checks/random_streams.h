// Subsequences of the random numbers of CheckLayer, apart from one another.
#ifndef CHECKS_RANDOM_STREAMS_H_
#define CHECKS_RANDOM_STREAMS_H_

#include <cstdint>

namespace lamina::checks {

inline constexpr uint64_t kInitializeStream = 1, kCallStream = 2, kJitterStream = 3;
inline constexpr uint64_t kFirstFreeStream = 16;
inline constexpr uint64_t kStateStream = 1000, kRedrawnStream = 2000;

}  // namespace lamina::checks

#endif  // CHECKS_RANDOM_STREAMS_H_
