#include "lessons/data/fashion_mnist/fashion_mnist.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/file.h"
#include "framework/io/idx.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

constexpr int64_t kSide = 28;
constexpr int64_t kClasses = 10;

absl::StatusOr<IdxArray> Read(const std::string& path, const std::vector<int64_t>& size) {
  absl::StatusOr<IdxArray> array = ReadIdx(path);
  if (absl::IsNotFound(array.status())) {
    return absl::NotFoundError(absl::StrCat(
        "Fashion-MNIST is not on this machine: there is no '", path,
        "'. Run tools/setup, which installs it (Debian's package dataset-fashion-mnist)."));
  }
  if (array.ok() && (array->type != DataType::kUint8 || array->size != size)) {
    return InFile(path, absl::InvalidArgumentError("not a file of Fashion-MNIST: other sizes"));
  }
  return array;
}

// `wanted` of 0 .. count - 1: all in order, or so many by chance.
std::vector<int64_t> Choose(int64_t count, int64_t wanted, uint64_t seed) {
  std::vector<int64_t> chosen(count);
  std::iota(chosen.begin(), chosen.end(), 0);
  if (wanted == count) return chosen;
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  const std::vector<double> keys = Rand({count}, DataType::kDouble).ToVector<double>();
  std::stable_sort(chosen.begin(), chosen.end(),
                   [&](int64_t a, int64_t b) { return keys[a] < keys[b]; });
  chosen.resize(wanted);
  return chosen;
}

// One of the two parts, of `count` pictures in files whose names begin with `name`.
absl::StatusOr<Dataset> ReadPart(const FashionMnistOptions& options, const std::string& name,
                                 int64_t count, int64_t wanted) {
  if (wanted < 1 || wanted > count) {
    return absl::InvalidArgumentError(absl::StrCat("of the ", count, " pictures of the part ", name,
                                                   ", from 1 to all may be asked "
                                                   "for; ",
                                                   wanted, " were"));
  }
  const std::string start = absl::StrCat(options.folder, "/", name);
  const auto images = Read(start + "-images-idx3-ubyte.gz", {kSide, kSide, count});
  if (!images.ok()) return images.status();
  const std::string labels_path = start + "-labels-idx1-ubyte.gz";
  const auto labels = Read(labels_path, {count});
  if (!labels.ok()) return labels.status();

  std::vector<float> pixels;
  std::vector<int64_t> classes;
  for (const int64_t n : Choose(count, wanted, options.seed)) {
    const auto* picture =
        reinterpret_cast<const uint8_t*>(images->bytes.data()) + kSide * kSide * n;
    // The file goes row by row, an array column by column.
    for (int64_t column = 0; column < kSide; ++column) {
      for (int64_t row = 0; row < kSide; ++row) {
        pixels.push_back(static_cast<float>(picture[column + kSide * row]) / 255);
      }
    }
    classes.push_back(static_cast<uint8_t>(labels->bytes[n]));
    if (classes.back() >= kClasses) {
      return InFile(labels_path, absl::InvalidArgumentError(absl::StrCat("the label of picture ", n,
                                                                         " is ", classes.back())));
    }
  }
  return Dataset(DlArray::FromVector(pixels, {kSide, kSide, 1, wanted}, "SSCB"),
                 OneHot(DlArray::FromVector(classes, {wanted}, "B"), kClasses));
}

}  // namespace

absl::StatusOr<FashionMnist> LoadFashionMnist(const FashionMnistOptions& options) {
  auto train = ReadPart(options, "train", 60000, options.num_train);
  if (!train.ok()) return train.status();
  auto test = ReadPart(options, "t10k", 10000, options.num_test);
  if (!test.ok()) return test.status();
  return FashionMnist{*std::move(train), *std::move(test)};
}

}  // namespace lamina
