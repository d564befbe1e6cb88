#include "framework/io/digits.h"

#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/npy.h"

namespace lamina {
namespace {

constexpr int64_t kSide = 8;
constexpr int64_t kPixels = kSide * kSide;
constexpr int64_t kColumns = kPixels + 1;
constexpr int kBlack = 16;

}  // namespace

absl::StatusOr<Digits> LoadDigits(const std::string& path) {
  const absl::StatusOr<NpyArray> table = ReadNpy(path);
  if (!table.ok()) return table.status();
  if (table->type != DataType::kUint8 || table->size.size() != 2 || table->size[1] != kColumns) {
    return InFile(path, absl::InvalidArgumentError(
                            absl::StrCat("not a table of uint8 with ", kColumns, " columns")));
  }
  Digits digits;
  digits.count = table->size[0];
  digits.images.resize(digits.count * kPixels);
  digits.labels.resize(digits.count);
  for (int64_t n = 0; n < digits.count; ++n) {
    const auto column = [&](int64_t c) {
      return static_cast<uint8_t>(table->bytes[n + digits.count * c]);
    };
    for (int64_t row = 0; row < kSide; ++row) {
      for (int64_t col = 0; col < kSide; ++col) {
        const uint8_t pixel = column(kSide * row + col);
        if (pixel > kBlack) {
          return InFile(path,
                        absl::InvalidArgumentError(absl::StrCat("picture ", n, " has a pixel of ",
                                                                pixel, "; the most is ", kBlack)));
        }
        digits.images[row + kSide * (col + kSide * n)] = pixel;
      }
    }
    digits.labels[n] = column(kPixels);
    if (digits.labels[n] > 9) {
      return InFile(
          path, absl::InvalidArgumentError(absl::StrCat("picture ", n, " has the label ",
                                                        digits.labels[n], "; labels are 0 to 9")));
    }
  }
  return digits;
}

}  // namespace lamina
