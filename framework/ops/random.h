// Random numbers, the same on every machine.
//
// Numbers come from a counter (Philox, framework/cpu/random.h): a RandomSource is a seed, the
// number of a subsequence, and how far the counter has come. What is drawn depends on these three
// alone, not on threads or machines, so a trace that runs again draws what the unaccelerated
// function would have drawn in its place.
//
//   Rng(42);                                   // this thread's numbers begin anew
//   DlArray noise = Randn({3, 4});
//   RandomSource source{.seed = 7};            // numbers of one's own
//   {
//     const ScopedRandomSource scope(source);
//     DlArray mask = Rand({3, 4}) < 0.5;
//   }
//
// Threads: each thread has a source of its own; a source is used by one thread at a time.
#ifndef FRAMEWORK_OPS_RANDOM_H_
#define FRAMEWORK_OPS_RANDOM_H_

#include <cstdint>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

struct RandomSource {
  uint64_t seed = 0;
  uint64_t subsequence = 0;
  /// Blocks of 128 bits that were used. A block gives four uniform single values, or two of the
  /// others (double, or normal in any type).
  uint64_t offset = 0;

  /// Takes `blocks` blocks and returns the number of the first.
  uint64_t Reserve(uint64_t blocks) {
    const uint64_t first = offset;
    offset += blocks;
    return first;
  }
};

/// The source that Rand and Randn draw from in this thread: that of the innermost
/// ScopedRandomSource, or else the thread's own. A thread's own source starts with seed 0; the
/// threads take the subsequences 0, 1, ... in the order in which they first ask.
RandomSource& CurrentRandomSource();

/// Begins the current source anew: this seed, offset 0. Its subsequence stays.
void Rng(uint64_t seed);

/// Makes `source` the current one of this thread while the object lives.
class ScopedRandomSource {
 public:
  explicit ScopedRandomSource(RandomSource& source);
  ~ScopedRandomSource();
  ScopedRandomSource(const ScopedRandomSource&) = delete;
  ScopedRandomSource& operator=(const ScopedRandomSource&) = delete;

 private:
  RandomSource* outer_;
};

/// Values spread evenly over [0, 1): multiples of 2^-24 (single) or 2^-53 (double), never 1.
/// `format` as in Full (creation.h). The numbers have no derivative.
/// Errors: "ops:UnsupportedType" unless single or double; "dlarray:InvalidSize", those of formats.
DlArray Rand(const Sizes& sizes, DataType type = DataType::kSingle, std::string_view format = "");
/// Normally distributed values, mean 0 and variance 1. Errors as Rand.
DlArray Randn(const Sizes& sizes, DataType type = DataType::kSingle, std::string_view format = "");

/// With the sizes, labels and type of `x`, which needs no values. Errors as Rand.
DlArray RandLike(const DlArray& x);
DlArray RandnLike(const DlArray& x);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_RANDOM_H_
