// npy.h: one array in one file, in NumPy's .npy format: how recorded values and small data sets are
// kept.
//
// Order of dimensions. Indices are kept: a[i, j] in NumPy is element (i, j) here, and a.shape is
// the size. Elements in C order are moved to our column-major order while reading. (safetensors.h
// keeps bytes instead and reverses sizes.)
//
// Versions 1, 2 and 3 of the format. Types, little-endian: f4 single, f8 double, b1 logical, i4
// int32, i8 int64, u1 uint8, c8 complex single, c16 complex double.
//
// Threads: pure functions and plain values.
//
//   absl::StatusOr<NpyArray> expected = ReadNpy("softmax_gradient.npy");   //
//   numpy.save("softmax_gradient.npy", g) if (expected.ok() && expected->type == DataType::kDouble)
//   ...          // expected->size is {3, 5}
//
// The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#ifndef FRAMEWORK_IO_NPY_H_
#define FRAMEWORK_IO_NPY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "framework/io/file.h"
#include "framework/io/tensor_view.h"

namespace lamina {

struct NpyArray {
  DataType type = DataType::kSingle;
  std::vector<int64_t> size;  // no dimensions: a single element
  std::string bytes;          // column-major: first dimension fastest
};

/// Takes the bytes of a .npy file apart. What it needs of memory is bounded by the length of
/// `contents`.
///
/// Errors: kInvalidArgument for what is not such a file, is cut off, has bytes after its end, sizes
/// that do not fit its bytes, more than 64 dimensions, or a logical value other than 0 and 1.
/// kUnimplemented for other types, big-endian numbers included.
absl::StatusOr<NpyArray> ParseNpy(std::string_view contents);

/// The bytes of a version 1 file in Fortran order, which numpy.load reads with the same indices.
/// `array.name` is not used.
///
/// Errors: kInvalidArgument when the bytes do not fit the sizes, or with more than 64 dimensions.
absl::StatusOr<std::string> SerializeNpy(const TensorView& array);

/// Reads a file. Errors: those of ReadFile and ParseNpy, with the path.
absl::StatusOr<NpyArray> ReadNpy(const std::string& path, int64_t max_bytes = kDefaultMaxFileBytes);

/// Writes a file, atomically. Errors: those of SerializeNpy and WriteFileAtomically, with the path.
absl::Status WriteNpy(const std::string& path, const TensorView& array);

}  // namespace lamina

#endif  // FRAMEWORK_IO_NPY_H_
