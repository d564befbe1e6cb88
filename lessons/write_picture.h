// What a program of a lesson writes, pictures above all, goes where the reader asked for it.
//
//   ABSL_FLAG(std::string, out, ".", "the folder for the pictures");
//   ...
//   WritePicture(LineChartSvg({chart}), absl::GetFlag(FLAGS_out) + "/loss.svg");
//
// Threads: may be called from any.
#ifndef LESSONS_WRITE_PICTURE_H_
#define LESSONS_WRITE_PICTURE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace lamina {

/// Where a file of this name goes: a relative path counts from the folder in which `bazel run` was
/// called. Folders that are missing are made; where that fails, writing the file fails too.
std::string OutputPath(const std::string& path);

/// Writes the picture to OutputPath(path). Errors: that of the picture; those of
/// WriteFileAtomically.
absl::Status WritePicture(const absl::StatusOr<std::string>& svg, const std::string& path);

}  // namespace lamina

#endif  // LESSONS_WRITE_PICTURE_H_
