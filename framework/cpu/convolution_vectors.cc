#include "framework/cpu/convolution_vectors.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "framework/cpu/convolution_sliding.h"
#include "framework/cpu/convolution_vectors_kernels.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

const ConvolutionVectorKernels& Kernels() {
  static const ConvolutionVectorKernels& kernels = []() -> const ConvolutionVectorKernels& {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindConvolutionVectorKernels();
      case InstructionSet::kV3:
        return v3::FindConvolutionVectorKernels();
      default:
        return v2::FindConvolutionVectorKernels();
    }
  }();
  return kernels;
}

// About so many pixels are worked on at once: those of four channels stay in the first cache.
constexpr int64_t kPixels = 1024;
// Numbers of all channels of these pixels, at most: they stay in the second cache.
constexpr int64_t kNumbers = int64_t{1} << 17;

// Some rows of the output of one image, or all rows of some images.
struct Item {
  int64_t image, images, row, rows;
};

// How images are divided into items, and where the pixels of an item lie.
class Division {
 public:
  // `least_parts`: items of one image, if it has as many rows. `stacks`: whether all small images
  // are taken together, or only tiny ones, which alone leave much of their last vector unused.
  Division(const SlidingFilters& s, int64_t least_parts, bool stacks)
      : s_(s), pitch_(Pitch(s)), stride_(pitch_ * (s.input[1] + std::max(s.pad[1], s.pad_end(1)))) {
    const int64_t most =
        std::clamp(kNumbers / (s.channels_in + s.channels_out), kPixels / 8, kPixels);
    const int64_t strips = std::clamp(Ceiling(s.output[1] * pitch_, most + most / 4), least_parts,
                                      std::max(s.output[1], least_parts));
    rows_ = Ceiling(s.output[1], strips);
    strips_ = Ceiling(s.output[1], rows_);
    if (strips_ == 1 && (stacks || Vectors(1, rows_) * kVectorRoom > stride_)) {
      images_ = std::clamp<int64_t>(most / stride_, 1, s.batch);
    }
    vectors_ = Vectors(images_, rows_);
    input_plane_ = Room(vectors_ * kVectorRoom + s.reach(1) * pitch_ + s.reach(0));
    output_plane_ = Room(vectors_ * kVectorRoom);
  }

  int64_t count() const { return Ceiling(s_.batch, images_) * strips_; }
  Item item(int64_t i) const {
    const int64_t image = i / strips_ * images_, row = i % strips_ * rows_;
    return {image, std::min(images_, s_.batch - image), row, std::min(rows_, s_.output[1] - row)};
  }
  // Of an item, how many times kVectorRoom pixels.
  int64_t vectors(const Item& item) const { return Vectors(item.images, item.rows); }
  // From a channel to the next: of the largest item.
  int64_t input_plane() const { return input_plane_; }
  int64_t output_plane() const { return output_plane_; }

  // How many pixels behind the output each term reads.
  std::vector<int32_t> Offsets() const {
    std::vector<int32_t> offsets;
    for (int64_t c = 0; c < s_.channels_in; ++c) {
      for (int64_t y = 0; y < s_.kernel[1]; ++y) {
        for (int64_t x = 0; x < s_.kernel[0]; ++x) {
          offsets.push_back(static_cast<int32_t>(c * input_plane_ + y * s_.dilation[1] * pitch_ +
                                                 x * s_.dilation[0]));
        }
      }
    }
    return offsets;
  }

  // What the outputs of the item read, of all channels, with zeros around it.
  void SpreadInput(const Item& item, const float* x, float* to) const {
    const int64_t first = item.row - s_.pad[1];
    const int64_t begin = std::max<int64_t>(first, 0);
    const int64_t end = std::min(item.row + item.rows + s_.reach(1) - s_.pad[1], s_.input[1]);
    const PlaneRows rows = {std::max<int64_t>(end - begin, 0), s_.input[0]};
    Spread(item, x + item.image * s_.channels_in * s_.input_plane() + begin * rows.width, rows,
           (begin - first) * pitch_ + s_.pad[0], s_.channels_in, s_.input_plane(), input_plane_,
           to);
  }
  // The item of dy, an array like the output, with zeros between the rows.
  void SpreadOutput(const Item& item, const float* dy, float* to) const {
    const PlaneRows rows = {item.rows, s_.output[0]};
    Spread(item, dy + item.image * s_.channels_out * s_.output_plane() + item.row * rows.width,
           rows, 0, s_.channels_out, s_.output_plane(), output_plane_, to);
  }
  void JoinOutput(const Item& item, const float* from, float* y) const {
    const PlaneRows rows = {item.rows, s_.output[0]};
    y += item.image * s_.channels_out * s_.output_plane() + item.row * rows.width;
    for (int64_t i = 0; i < item.images; ++i) {
      for (int64_t c = 0; c < s_.channels_out; ++c) {
        Kernels().join_rows(from + c * output_plane_ + i * stride_, pitch_, rows, y);
        y += s_.output_plane();
      }
    }
  }

 private:
  int64_t Vectors(int64_t images, int64_t rows) const {
    return Ceiling((images - 1) * stride_ + (rows - 1) * pitch_ + s_.output[0], kVectorRoom);
  }
  // An odd number of cache lines, so that the pixels of many channels find room in the first cache.
  static int64_t Room(int64_t numbers) { return (Ceiling(numbers, kVectorRoom) | 1) * kVectorRoom; }

  // Rows of images, `plane` numbers apart for neighbouring channels, of which the first goes to
  // `begin` in the plane of its channel.
  void Spread(const Item& item, const float* x, PlaneRows rows, int64_t begin, int64_t channels,
              int64_t plane, int64_t plane_to, float* to) const {
    for (int64_t c = 0; c < channels; ++c, to += plane_to) {
      std::fill_n(to, begin, 0.0F);
      for (int64_t i = 0; i < item.images; ++i) {
        const int64_t at = i * stride_ + begin;
        const int64_t end = i + 1 < item.images ? at + stride_ : plane_to;
        Kernels().spread_rows(x + (i * channels + c) * plane, rows, pitch_, end - at, to + at);
      }
    }
  }

  const SlidingFilters& s_;
  const int64_t pitch_, stride_;  // from row to row, from image to image
  int64_t rows_, strips_, images_ = 1, vectors_, input_plane_, output_plane_;
};

bool AllFinite(const float* x, int64_t n) {
  bool finite = true;
  for (int64_t i = 0; i < n; ++i) {
    finite &= std::abs(x[i]) <= std::numeric_limits<float>::max();
  }
  return finite;
}

// In the order of SlideTask::filters.
void PackFilters(const SlidingFilters& s, const FilterMatrix& filters, float* packed) {
  const int64_t taps = s.taps();
  for (int64_t first = 0; first < s.channels_out; first += kFilterGroup) {
    const int64_t end = std::min(first + kFilterGroup, s.channels_out);
    for (int64_t c = 0; c < s.channels_in; ++c) {
      for (int64_t t = 0; t < taps; ++t) {
        const float* const from =
            filters.at + c * filters.row + (filters.turned ? taps - 1 - t : t);
        for (int64_t f = first; f < end; ++f) *packed++ = from[f * filters.column];
      }
    }
  }
}

bool IsSmall(const SlidingFilters& s) {
  return s.operations() * static_cast<double>(s.batch) < kParallelOperations;
}

// y = the sums over channels and taps, and `bias`.
void Slide(const SlidingFilters& s, const FilterMatrix& filters, const float* x, const float* bias,
           float* y) {
  // A few images are divided among the threads.
  const Division division(s, IsSmall(s) ? 1 : Ceiling(NumThreads(), s.batch), /*stacks=*/false);
  const std::vector<int32_t> offsets = division.Offsets();
  const auto terms = static_cast<int64_t>(offsets.size());
  ScratchArray<float> packed(terms * s.channels_out);
  PackFilters(s, filters, packed.data());
  const int64_t count = division.count();
  ParallelFor(count, IsSmall(s) ? count : 1, [&](int64_t begin, int64_t end) {
    ScratchArray<float> pixels(s.channels_in * division.input_plane() + kVectorRoom);
    ScratchArray<float> sums(s.channels_out * division.output_plane() + kVectorRoom);
    for (int64_t i = begin; i < end; ++i) {
      const Item item = division.item(i);
      division.SpreadInput(item, x, pixels.data());
      Kernels().slide({.pixels = pixels.data(),
                       .offsets = offsets.data(),
                       .terms = terms,
                       .filters = packed.data(),
                       .channels = s.channels_out,
                       .bias = bias,
                       .vectors = division.vectors(item),
                       .sums = sums.data(),
                       .plane = division.output_plane()});
      division.JoinOutput(item, sums.data(), y);
    }
  });
}

// dw = the sums over pixels and images, dbias (or nullptr) those of dy. False if one is not finite.
bool SumPixels(const SlidingFilters& s, const float* x, const float* dy, float* dw, float* dbias) {
  constexpr int64_t kMostParts = 32, kPartialNumbers = int64_t{1} << 18;
  const Division division(s, 1, /*stacks=*/true);
  const std::vector<int32_t> offsets = division.Offsets();
  const auto terms = static_cast<int64_t>(offsets.size());
  const int64_t products = terms * s.channels_out, numbers = products + s.channels_out;
  const int64_t count = division.count();
  const int64_t parts =
      std::min(count, std::clamp<int64_t>(kPartialNumbers / numbers, 4, kMostParts));
  ScratchArray<float> partial(parts * numbers);
  ParallelFor(parts, IsSmall(s) ? parts : 1, [&](int64_t begin, int64_t end) {
    ScratchArray<float> pixels(s.channels_in * division.input_plane() + kVectorRoom);
    ScratchArray<float> gradient(s.channels_out * division.output_plane() + kVectorRoom);
    for (int64_t p = begin; p < end; ++p) {
      float* const sums = partial.data() + p * numbers;
      std::fill_n(sums, numbers, 0.0F);
      for (int64_t i = p * count / parts; i < (p + 1) * count / parts; ++i) {
        const Item item = division.item(i);
        division.SpreadInput(item, x, pixels.data());
        division.SpreadOutput(item, dy, gradient.data());
        Kernels().sum_pixels({.pixels = pixels.data(),
                              .offsets = offsets.data(),
                              .terms = terms,
                              .dy = gradient.data(),
                              .plane = division.output_plane(),
                              .channels = s.channels_out,
                              .vectors = division.vectors(item),
                              .sums = sums,
                              .dy_sums = dbias == nullptr ? nullptr : sums + products});
      }
    }
  });
  // The first part gets all sums.
  float* const sums = partial.data();
  for (int64_t p = 1; p < parts; ++p) {
    for (int64_t i = 0; i < numbers; ++i) sums[i] += sums[p * numbers + i];
  }
  std::copy_n(sums, products, dw);
  if (dbias != nullptr) std::copy_n(sums + products, s.channels_out, dbias);
  return AllFinite(sums, dbias == nullptr ? products : numbers);
}

// What an image costs, in additions of products of whole vectors. Measured on AVX-512 (Zen 4) with
// tools/bench:convolutions, which tells how right the two are: docs/performance.md.
//
// Ours computes what lies between rows, and the rest of the last vector, and copies
// rows.
double OurSteps(ConvolutionKind kind, const SlidingFilters& s) {
  constexpr double kOfRow = 10, kOfRowOfWeights = 12;
  const bool weights = kind == ConvolutionKind::kBackwardWeights;
  const double rows = static_cast<double>(s.channels_in * s.input[1]) +
                      static_cast<double>(s.channels_out * s.output[1]);
  const double pixels =
      static_cast<double>(Pitch(s) * s.output[1] + (weights ? 0 : kVectorRoom / 2));
  // Tiles of few filters wait for loads.
  const int64_t filters = weights || s.channels_out > 3 ? s.channels_out
                          : s.channels_out == 3         ? 4
                                                        : 2;
  return pixels / kVectorRoom * static_cast<double>(filters * s.channels_in * s.taps()) +
         (weights ? kOfRowOfWeights : kOfRow) * rows;
}

// oneDNN computes whole blocks of channels, but no products with zeros of the padding, and reorders
// images to blocks and back.
double OneDnnSteps(ConvolutionKind kind, const SlidingFilters& s) {
  const double of_reordering = kind == ConvolutionKind::kBackwardWeights ? 4 : 6;  // of a vector
  const int64_t block = CurrentInstructionSet() == InstructionSet::kV4 ? 16 : 8;
  const auto blocks = [block](int64_t channels) { return Ceiling(channels, block) * block; };
  double pixels = static_cast<double>(s.taps() * s.output_plane());
  for (size_t d = 0; d < 2; ++d) {
    // Of each two opposite borders a triangle of taps is outside.
    const auto outside = [&](int64_t pad) {
      return static_cast<double>(pad * (pad + s.dilation[d])) /
             static_cast<double>(2 * s.dilation[d]);
    };
    pixels *= 1 - (outside(s.pad[d]) + outside(s.pad_end(d))) /
                      static_cast<double>(s.kernel[d] * s.output[d]);
  }
  int64_t in = s.channels_in;
  auto vectors = static_cast<double>(blocks(s.channels_out)) / static_cast<double>(kVectorRoom);
  if (kind == ConvolutionKind::kBackwardData) {
    // Plain images: slow.
    if (s.channels_out < 4) return pixels * static_cast<double>(in) / 2.5;
    in = blocks(in);
  } else if (in > 8) {
    in = blocks(in);
  } else if (kind == ConvolutionKind::kBackwardWeights && in > 3) {
    in = 8;
  }
  if (kind == ConvolutionKind::kBackwardWeights && s.channels_out <= 8) vectors = 0.5;
  // Images of whole blocks can stay in them between convolutions (convolution_blocks.h).
  if (s.channels_in % kChannelBlock == 0 && s.channels_out % kChannelBlock == 0) {
    return pixels * vectors * static_cast<double>(in);
  }
  const double reordered = static_cast<double>(blocks(s.channels_in) * s.input_plane() +
                                               blocks(s.channels_out) * s.output_plane());
  return pixels * vectors * static_cast<double>(in) +
         of_reordering * reordered / static_cast<double>(kVectorRoom);
}

}  // namespace

bool VectorConvolutionIsPossible(const ConvolutionShape& shape) {
  // Distances between pixels of channels are 32 bits, with much to spare.
  constexpr int64_t kMostFilters = int64_t{1} << 20, kMostReach = int64_t{1} << 12;
  if (!Slides(shape)) return false;
  const SlidingFilters s = ForwardOf(shape);
  return s.taps() * s.channels_in * s.channels_out <= kMostFilters && s.input[0] <= kMostReach &&
         s.output[0] <= kMostReach && s.reach(1) <= 64 && s.channels_in <= 256 &&
         s.channels_out <= 256;
}

bool VectorConvolutionPays(ConvolutionKind kind, const ConvolutionShape& shape) {
  if (!VectorConvolutionIsPossible(shape)) return false;
  const SlidingFilters s =
      kind == ConvolutionKind::kBackwardData ? BackwardOf(shape) : ForwardOf(shape);
  // Fewer pixels than that are not worth a thought.
  return s.output_plane() >= kVectorRoom && OurSteps(kind, s) < 0.95 * OneDnnSteps(kind, s);
}

bool VectorConvolution(ConvolutionKind kind, const ConvolutionShape& shape, float* x,
                       float* weights, float* bias, float* y) {
  const SlidingFilters forward = ForwardOf(shape);
  if (kind == ConvolutionKind::kBackwardWeights) return SumPixels(forward, x, y, weights, bias);
  if (!AllFinite(weights, forward.taps() * forward.channels_in * forward.channels_out)) {
    return false;
  }
  const FilterMatrix filters = FiltersOf(kind, shape, weights);
  if (kind == ConvolutionKind::kForward) {
    Slide(forward, filters, x, bias, y);
  } else {
    Slide(BackwardOf(shape), filters, y, nullptr, x);
  }
  return true;
}

}  // namespace lamina::cpu
