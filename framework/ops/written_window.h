// Windows that move over data, written as loops: shared by convolution and pooling.
#ifndef FRAMEWORK_OPS_WRITTEN_WINDOW_H_
#define FRAMEWORK_OPS_WRITTEN_WINDOW_H_

#include <array>
#include <functional>
#include <vector>

#include "framework/ops/written_op.h"

namespace lamina::internal {

/// As in cpu::ConvolutionShape and cpu::PoolingShape: entries from `rank` on are not read.
struct WrittenWindow {
  int rank;
  std::array<int64_t, 3> input, window, output, stride, dilation, pad_begin;

  Sizes OutputSizes() const { return Sizes(output.begin(), output.begin() + rank); }
  /// Loops over the places in a window.
  void ForEachTap(OpWriter& w, const std::function<void(const Indices& tap)>& body) const;
  /// Calls `body` with the input position of place `tap` of the window at output position `o`,
  /// inside a condition where it may lie beyond the input.
  void AtTap(OpWriter& w, const Indices& o, const Indices& tap,
             const std::function<void(const Indices& at)>& body) const;
  /// Both: for all elements of the window at `o`.
  void ForEachElement(OpWriter& w, const Indices& o,
                      const std::function<void(const Indices& at, const Indices& tap)>& body) const;
  /// The input positions of all elements of the window at `o`, in the order of ForEachElement; none
  /// unless they are few, and all are elements of the input, wherever the window stands. What is
  /// written out so without a loop can be computed for neighbouring windows at once.
  std::vector<Indices> FewElements(const Indices& o) const;
  /// The other way: loops over the windows that hold the input position `at`; calls `body` with
  /// the position of the output and in the window.
  void ForEachOutput(OpWriter& w, const Indices& at,
                     const std::function<void(const Indices& o, const Indices& tap)>& body) const;
};

/// "SS" for a rank of 2.
inline Format SpatialLabels(int rank) { return Format(std::string(rank, 'S')); }
/// The sizes of the dims from `rank` on that are not labelled C; 1 in place of the others.
Sizes SizesOfOthers(const ArraySpec& x, int rank);
/// Indices of x from those along its first `rank` dims, of the channel, and of the others, as they
/// stand in an array of `others_format`.
Indices Joined(const ArraySpec& x, const Indices& spatial, const loops::Expression& channel,
               const Indices& others, const Format& others_format);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_WRITTEN_WINDOW_H_
