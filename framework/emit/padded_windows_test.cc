// The copy of a convolution's data, without code around it: the sums of all windows against those
// of the definition, which asks for each element whether it lies in the padding.
#include "framework/emit/padded_windows.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace lamina::internal {
namespace {

using cpu::ConvolutionShape;
using loops::Expression;
using loops::Operation;

constexpr double kUnknown = -1e9;  // Of what nothing was stored in; one is seen in any sum.

// All indices below these sizes, the first one fastest.
std::vector<Sizes> AllBelow(const Sizes& sizes) {
  std::vector<Sizes> all;
  for (int64_t i = 0; i < NumElements(sizes); ++i) {
    Sizes at;
    int64_t rest = i;
    for (int64_t size : sizes) {
      at.push_back(rest % size);
      rest /= size;
    }
    all.push_back(at);
  }
  return all;
}

// Of an index that has no variables.
int64_t ValueOf(const Expression& x) {
  const auto operand = [&](int i) { return ValueOf(x.node().operands[i]); };
  switch (x.operation()) {
    case Operation::kNumber:
      return static_cast<int64_t>(x.node().value);
    case Operation::kAdd:
      return operand(0) + operand(1);
    case Operation::kMultiply:
      return operand(0) * operand(1);
    case Operation::kDivide:
      return operand(0) / operand(1);
    case Operation::kModulo:
      return operand(0) % operand(1);
    default:
      ADD_FAILURE() << "an operation that indices do not have";
      return 0;
  }
}

Sizes First(const std::array<int64_t, 3>& each, int rank) {
  return Sizes(each.begin(), each.begin() + rank);
}

// One filter of ones and further small numbers, over data of small numbers: sums are exact.
void ExpectSumsOfWindows(const ConvolutionShape& s, DataType type) {
  const int rank = s.spatial_rank;
  const PaddedWindows padded(s, type);
  const Sizes kernel = First(s.kernel, rank);
  const auto data = [&](const Sizes& at, int64_t c) {
    int64_t value = 3 + c;
    for (int d = 0; d < rank; ++d) value = value * 7 + at[d];
    return static_cast<double>(value % 101 + 1);
  };

  std::vector<double> copy(padded.elements, padded.is_padded ? 0 : kUnknown);
  const int64_t channels = s.channels_in / s.groups;
  for (int64_t c = 0; c < channels; ++c) {
    for (const Sizes& at : AllBelow(padded.copied)) {
      Indices from_padding;
      for (int d = 0; d < rank; ++d) from_padding.push_back(Expression(at[d] + s.pad_begin[d]));
      copy.at(ValueOf(padded.Place(from_padding, Expression(c)))) = data(at, c);
    }
  }

  // Vectors of any width up to 64 bytes may be read from any column on.
  const int64_t lanes = 64 / static_cast<int64_t>(SizeOf(type));
  const int64_t read = (padded.columns + lanes - 1) / lanes * lanes;
  const std::vector<Sizes> taps = AllBelow(kernel);
  ASSERT_EQ(padded.offsets.size(), taps.size() * channels);
  for (int32_t offset : padded.offsets) ASSERT_LE(offset + read, padded.elements);

  std::vector<bool> is_taken(padded.columns, false);
  for (const Sizes& o : AllBelow(First(s.output, rank))) {
    int64_t column = 0;
    for (int d = 0; d < rank; ++d) column += o[d] * padded.row_strides[d];
    ASSERT_LT(column, padded.columns);
    ASSERT_FALSE(is_taken[column]);
    is_taken[column] = true;
    double expected = 0, sum = 0;
    for (int64_t c = 0; c < channels; ++c) {
      for (size_t tap = 0; tap < taps.size(); ++tap) {
        const auto weight = static_cast<double>(1 + (c * taps.size() + tap) % 13);
        sum += weight * copy[column + padded.offsets[c * taps.size() + tap]];
        Sizes at;
        bool is_inside = true;
        for (int d = 0; d < rank; ++d) {
          at.push_back(o[d] * s.stride[d] - s.pad_begin[d] + taps[tap][d] * s.dilation[d]);
          is_inside = is_inside && at[d] >= 0 && at[d] < s.input[d];
        }
        if (is_inside) expected += weight * data(at, c);
      }
    }
    ASSERT_EQ(sum, expected);
  }
}

TEST(PaddedWindowsTest, OneDim) {
  int shapes = 0;
  for (const Sizes& i : AllBelow({7, 5, 5, 4, 3, 3})) {
    ConvolutionShape s{.spatial_rank = 1, .channels_in = 2};
    s.input[0] = i[0] + 1, s.pad_begin[0] = i[1], s.pad_end[0] = i[2];
    s.kernel[0] = i[3] + 1, s.stride[0] = i[4] + 1, s.dilation[0] = i[5] + 1;
    if (!cpu::ComputeOutputSize(&s)) continue;
    SCOPED_TRACE(testing::PrintToString(std::vector<int64_t>(i.begin(), i.end())));
    ASSERT_NO_FATAL_FAILURE(ExpectSumsOfWindows(s, DataType::kSingle));
    ASSERT_NO_FATAL_FAILURE(ExpectSumsOfWindows(s, DataType::kDouble));
    ++shapes;
  }
  EXPECT_GT(shapes, 4000);
}

TEST(PaddedWindowsTest, TwoAndThreeDims) {
  std::mt19937 random(1);
  const auto draw = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  for (int i = 0; i < 4000; ++i) {
    ConvolutionShape s{.spatial_rank = static_cast<int>(draw(2, 3)), .channels_in = draw(1, 3)};
    for (int d = 0; d < s.spatial_rank; ++d) {
      s.input[d] = draw(1, 9), s.pad_begin[d] = draw(0, 3), s.pad_end[d] = draw(0, 3);
      s.kernel[d] = draw(1, 4), s.stride[d] = draw(0, 3) == 0 ? draw(2, 3) : 1;
      s.dilation[d] = draw(0, 3) == 0 ? 2 : 1;
    }
    if (!cpu::ComputeOutputSize(&s)) continue;
    SCOPED_TRACE(i);
    ASSERT_NO_FATAL_FAILURE(ExpectSumsOfWindows(s, DataType::kSingle));
    ASSERT_NO_FATAL_FAILURE(ExpectSumsOfWindows(s, DataType::kDouble));
  }
}

// What is between rows is there once: seven rows of seven with zeros around them are eight apart.
TEST(PaddedWindowsTest, PaddingIsSharedByNeighbours) {
  ConvolutionShape s{
      .channels_in = 16, .input = {7, 7}, .kernel = {3, 3}, .pad_begin = {1, 1}, .pad_end = {1, 1}};
  ASSERT_TRUE(cpu::ComputeOutputSize(&s));
  const PaddedWindows padded(s, DataType::kSingle);
  EXPECT_EQ(padded.row_strides[1], 8);
  EXPECT_EQ(padded.offsets[9], 64);  // Of the next channel.
  EXPECT_EQ(padded.columns, 56);     // Six rows of eight and one of seven, in halves of vectors.
}

}  // namespace
}  // namespace lamina::internal
