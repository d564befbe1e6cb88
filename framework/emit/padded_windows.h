// A convolution as a product of matrices whose first factor is not stored.
//
// Data is copied, with zeros around it, so that along a row of outputs each element of the window
// reads neighbours:
//
//   y[i + filter * columns] = sum over p of padded[i + offsets[p]] * weights[p, filter]
//
// where p runs through the window and the channels, and i through all rows of outputs, one after
// another, in the distance of padded rows: what lies between two rows of outputs is computed too,
// and not used. With strides the copy has the elements of each remainder together.
//
// Without strides the zeros behind a row are also those in front of the next: of 7 x 7 elements
// with one zero on each side, rows are 8 apart and channels 64. No window takes data for padding:
// along a dim of n elements, from the first of them on, padding is at -pad_begin to -1 and n to
// n + pad_end - 1. The distance D is at least n + max(pad_begin, pad_end), so modulo D both lie in
// n to D - 1, and no data does.
//
// Used by program_products.cc. Threads: a plain value.
#ifndef FRAMEWORK_EMIT_PADDED_WINDOWS_H_
#define FRAMEWORK_EMIT_PADDED_WINDOWS_H_

#include <cstdint>
#include <vector>

#include "framework/cpu/convolution.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {

/// Each output is computed from the element at its place, of all channels: a plain product.
bool IsPointwise(const cpu::ConvolutionShape& shape);

/// The memory of one group of channels of one observation.
struct PaddedWindows {
  PaddedWindows(const cpu::ConvolutionShape& shape, DataType type);

  /// Of the element that lies so many elements behind the first of the padding along each dim.
  loops::Expression Place(const Indices& from_padding, const loops::Expression& channel) const;

  Sizes copied;                      ///< Of the data: how many elements along each dim are used.
  std::vector<int32_t> offsets;      ///< One for each weight of a filter.
  std::vector<int64_t> row_strides;  ///< Between neighbouring outputs along each dim.
  int64_t columns;  ///< From the outputs of one filter to those of the next: multiples of 32 bytes.
  int64_t elements;  ///< Of the copy, with what the last vector of 64 bytes reads beyond.
  bool is_padded;    ///< The copy has elements that are not of the data.

 private:
  Sizes strides_;                           // Those of the convolution.
  std::vector<int64_t> remainder_strides_;  // In the copy.
  int64_t channel_stride_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_PADDED_WINDOWS_H_
