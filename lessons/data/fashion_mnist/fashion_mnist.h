// Fashion-MNIST as arrays: pictures of clothes, 28 by 28 pixels, in ten classes. What they are and
// where they come from is told in README.md. Used by the lessons.
//
//   absl::StatusOr<FashionMnist> fashion = LoadFashionMnist({.num_train = 5000, .num_test = 1000});
//   if (!fashion.ok()) { ... }                       // It says what to do.
//   TrainNet(fashion->train, network, "crossentropy", options);
//
// Threads: pure functions and plain values.
#ifndef LESSONS_DATA_FASHION_MNIST_FASHION_MNIST_H_
#define LESSONS_DATA_FASHION_MNIST_FASHION_MNIST_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/trainnet/data.h"

namespace lamina {

/// Where Debian's package dataset-fashion-mnist puts the four files.
inline constexpr char kFashionMnistFolder[] = "/usr/share/datasets/fashion-mnist";

/// The classes, in the order of the labels.
inline constexpr std::array<std::string_view, 10> kFashionMnistClasses = {
    "t-shirt", "trousers", "pullover", "dress", "coat",
    "sandal",  "shirt",    "sneaker",  "bag",   "ankle boot"};

struct FashionMnistOptions {
  int64_t num_train = 60000;  ///< At most 60,000.
  int64_t num_test = 10000;   ///< At most 10,000.
  uint64_t seed = 1;          ///< Which pictures, and their order, where it is not all of them.
  std::string folder = kFashionMnistFolder;
};

/// Inputs are 28(S) x 28(S) x 1(C) x N(B), 0 is background and 1 the brightest; targets
/// 10(C) x N(B), one-hot. All pictures of a part stand in the order of the file; fewer are drawn by
/// chance.
struct FashionMnist {
  Dataset train;
  Dataset test;
};

/// Errors: kNotFound where the files are not, with what to do; kInvalidArgument when a number of
/// pictures is not from 1 to what there is, or a file is corrupt, cut off or another; those of
/// ReadIdx.
absl::StatusOr<FashionMnist> LoadFashionMnist(const FashionMnistOptions& options = {});

}  // namespace lamina

#endif  // LESSONS_DATA_FASHION_MNIST_FASHION_MNIST_H_
