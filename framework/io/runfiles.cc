#include "framework/io/runfiles.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace lamina {
namespace {

namespace fs = std::filesystem;

// The name that WORKSPACE gives to this repository, and by which other workspaces must call it.
constexpr char kWorkspace[] = "lamina";

}  // namespace

std::string RunfilePath(const std::string& path) {
  std::vector<fs::path> roots;
  for (const char* variable : {"RUNFILES_DIR", "TEST_SRCDIR"}) {
    if (const char* folder = std::getenv(variable); folder != nullptr && *folder != '\0') {
      roots.push_back(fs::path(folder) / kWorkspace);
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) roots.push_back(program.string() + ".runfiles/" + kWorkspace);
  for (const fs::path& root : roots) {
    if (fs::exists(root / path, error)) return (root / path).string();
  }
  return path;
}

}  // namespace lamina
