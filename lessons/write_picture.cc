#include "lessons/write_picture.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "framework/io/file.h"

namespace lamina {

std::string OutputPath(const std::string& path) {
  std::filesystem::path file = path;
  const char* const start = std::getenv("BUILD_WORKING_DIRECTORY");
  if (file.is_relative() && start != nullptr) file = start / file;
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);  // What fails here fails again.
  return file.string();
}

absl::Status WritePicture(const absl::StatusOr<std::string>& svg, const std::string& path) {
  return svg.ok() ? WriteFileAtomically(OutputPath(path), *svg) : svg.status();
}

}  // namespace lamina
