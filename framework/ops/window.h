// How a window moves over the dims it is laid on: what convolution and pooling share.
//
//   PoolOptions{.window = {2, 2}, .stride = {2, 2}, .padding = "same"}
//   Padding(1)                          // one element on each side of each dim
//   Padding({1, 2})                     // one on each side of the first dim, two of the second
//   Padding::BeginEnd({0, 0}, {1, 1})   // at the end only
//
// Threads: plain values, usable in any thread.
#ifndef FRAMEWORK_OPS_WINDOW_H_
#define FRAMEWORK_OPS_WINDOW_H_

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/data_format.h"

namespace lamina {

/// What is added around the data before the window moves: elements that count as zero in a
/// convolution and an average, and as minus infinity in a maximum.
class Padding {
 public:
  /// None.
  Padding() : Padding(0) {}
  /// `all` elements on each side of each dim.
  template <std::integral Count>
  Padding(Count all) : begin_{static_cast<int64_t>(all)}, end_(begin_) {}  // NOLINT
  /// each[d] elements on both sides of dim d.
  Padding(std::initializer_list<int64_t> each) : begin_(each), end_(each) {}  // NOLINT
  /// begin[d] elements before and end[d] after dim d; one entry stands for all dims.
  static Padding BeginEnd(Sizes begin, Sizes end);
  /// "same": with stride s, n elements give ceil(n / s); the padding is split evenly, an odd
  /// element goes to the end. "causal": all of it before the data, so that an output sees nothing
  /// later than itself; for one dim only. Errors: "ops:InvalidPadding" for another word.
  Padding(std::string_view mode);                                 // NOLINT
  Padding(const char* mode) : Padding(std::string_view(mode)) {}  // NOLINT

  bool operator==(const Padding&) const = default;
  /// The numbers before and after each of `rank` dims, of a padding given in numbers. Errors:
  /// "ops:InvalidPadding".
  std::pair<Sizes, Sizes> Explicit(std::string_view function, int rank) const;

 private:
  friend struct WindowGeometry;
  enum Mode { kExplicit, kSame, kCausal };

  Mode mode_ = kExplicit;
  Sizes begin_, end_;
};

/// A window with every number known; one entry for each dim it moves along.
struct WindowGeometry {
  Sizes stride, dilation, pad_begin, pad_end;

  /// `window` moving over data of sizes `input`. `stride` and `dilation` have one entry for all
  /// dims or one for each. `function` names the caller in errors: "ops:InvalidStride",
  /// "ops:InvalidDilation", "ops:InvalidPadding" for numbers that make no sense or entries that are
  /// not one for all or one for each dim; "ops:WindowTooLarge" when the (dilated) window is larger
  /// than the padded data or has no elements.
  static WindowGeometry Resolve(std::string_view function, const Sizes& input, const Sizes& window,
                                const Sizes& stride, const Sizes& dilation, const Padding& padding);

  /// "stride=2x2 dilation=1x1 padding=1x1,1x1"
  std::string ToString() const;
};

namespace internal {

/// Data with the dims that a window moves along labelled S: the S dims of x; its T dim if it has no
/// S dims; both with `over_time`. Without B, C or T the others are taken as size 1. A T dim along
/// which nothing moves counts as batch.
class WindowedInput {
 public:
  /// Errors: those of FormattedInput; "dlarray:FormatMismatch" for data without S and T dims, with
  /// more than three to move along, or with U dims.
  WindowedInput(std::string_view function, const DlArray& x, std::string_view format,
                bool over_time);

  /// Labelled; the window moves along all S dims and no other.
  const DlArray& x() const { return x_; }
  /// The number of dims that the window moves along, and their sizes.
  int rank() const { return x_.format().Count('S'); }
  Sizes moved() const { return Sizes(x_.sizes().begin(), x_.sizes().begin() + rank()); }
  /// The result `y`, labelled as x() (and C), as the caller gets it.
  DlArray Finish(const DlArray& y) const;

 private:
  FormattedInput input_;
  DlArray x_;
  bool moves_time_ = false;
};

/// `options` has one entry for all `rank` dims or one for each: an entry for each.
Sizes ExpandOption(std::string_view function, std::string_view identifier, std::string_view what,
                   const Sizes& option, int rank, int64_t least);

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_OPS_WINDOW_H_
