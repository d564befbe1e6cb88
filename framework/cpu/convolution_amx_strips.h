#ifndef FRAMEWORK_CPU_CONVOLUTION_AMX_STRIPS_H_
#define FRAMEWORK_CPU_CONVOLUTION_AMX_STRIPS_H_

// Inside of convolution_amx.h: how images are divided, and where their pixels lie.
//
// Threads: Strips are immutable; a Prefetcher belongs to one thread.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "framework/cpu/convolution_amx_kernels.h"
#include "framework/cpu/convolution_sliding.h"

namespace lamina::cpu::amx {

// How many times 16 pixels there are in a strip of `rows` rows, if `unit` pixels are computed
// together.
struct StripBlocks {
  int64_t input, output;
};
StripBlocks BlocksOf(const SlidingFilters& s, int64_t rows, int64_t unit);

// Images in strips of some rows of the output, with the rows of the input that they read. Both have
// so many pixels in a row that the input's have their padding between them. So the pixel that a tap
// reads is equally far from the output everywhere, and outputs are computed without regard to rows;
// what lies between two rows of the output is not kept.
class Strips {
 public:
  // `rows`: of the output, in a strip.
  Strips(const SlidingFilters& s, int64_t rows, int64_t unit);

  int64_t count() const { return count_; }  // in an image
  int64_t input_blocks() const { return blocks_.input; }
  int64_t output_blocks() const { return blocks_.output; }
  const Lanes* input(int64_t strip) const { return &input_[At(strip * blocks_.input)]; }
  const Lanes* output(int64_t strip) const { return &output_[At(strip * blocks_.output)]; }
  // How many pixels behind the output each tap reads.
  const std::vector<int64_t>& taps() const { return taps_; }
  bool any_odd_tap() const {
    return std::any_of(taps_.begin(), taps_.end(), [](int64_t tap) { return tap % 2 != 0; });
  }

 private:
  static size_t At(int64_t i) { return static_cast<size_t>(i); }

  int64_t count_;
  StripBlocks blocks_;
  std::vector<int64_t> taps_;
  std::vector<Lanes> input_, output_;
};

// So many rows of the output in a strip that bytes_of(rows) is at most `limit`.
template <class F>
int64_t RowsWithin(const SlidingFilters& s, int64_t limit, F bytes_of) {
  int64_t rows = s.output[1];
  while (rows > 1 && bytes_of(rows) > limit) rows = (rows + 1) / 2;
  return rows;
}

// What a thread splits at once has at most so many bytes, that they stay in the second cache.
inline constexpr int64_t kSplitBytes = 768 * 1024;

// Asks the second cache for images, step by step while the unit multiplies.
class Prefetcher {
 public:
  // `images`, `image` numbers apart, with each `numbers` numbers from `x` on, in `steps` steps.
  Prefetcher(const float* x, int64_t images, int64_t image, int64_t numbers, int64_t steps)
      : row_(x), at_(x), images_(images), image_(image), numbers_(numbers) {
    if (images > 0) lines_ = Ceiling(Ceiling(numbers, kLine) * images, steps);
  }
  void Step() {
    for (int64_t i = 0; i < lines_ && images_ > 0; ++i) {
      __builtin_prefetch(at_, 0, 2);
      at_ += kLine;
      if (at_ >= row_ + numbers_) {
        at_ = row_ += image_;
        --images_;
      }
    }
  }

 private:
  static constexpr int64_t kLine = 16;  // numbers
  const float *row_, *at_;
  int64_t images_, image_, numbers_, lines_ = 0;
};

}  // namespace lamina::cpu::amx

#endif  // FRAMEWORK_CPU_CONVOLUTION_AMX_STRIPS_H_
