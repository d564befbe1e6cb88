// digits.h: the UCI digits, 1,797 pictures of handwritten digits of 8 by 8 pixels, as plain
// numbers. What they are and where they come from is told in lessons/data/digits/README.md.
//
// Threads: pure functions and plain values.
//
//   absl::StatusOr<Digits> digits = LoadDigits(RunfilePath(kDigitsPath));   // data =
//   ["//lessons/data/digits"] digits->images[3 + 8 * (5 + 8 * 0)]   // first picture, row 3, column
//   5
#ifndef FRAMEWORK_IO_DIGITS_H_
#define FRAMEWORK_IO_DIGITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lamina {

/// Where the repository keeps them.
inline constexpr char kDigitsPath[] = "lessons/data/digits/digits.npy";

struct Digits {
  int64_t count = 0;            // N, the number of pictures
  std::vector<float> images;    // [8 8 1 N] "SSCB", column-major: 0 is white, 16 is black
  std::vector<int32_t> labels;  // [N]: 0 to 9
};

/// Reads the pictures in the order of the file.
///
/// Errors: those of ReadNpy; kInvalidArgument when the file is not a table of bytes with 65
/// columns, or holds a pixel above 16 or a label above 9. Each names the path.
absl::StatusOr<Digits> LoadDigits(const std::string& path);

}  // namespace lamina

#endif  // FRAMEWORK_IO_DIGITS_H_
