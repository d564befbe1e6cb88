#include "framework/codegen/testing/cuda_toolkit.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "framework/io/file.h"
#include "framework/io/temporary_folder.h"

namespace lamina::testing {
namespace {

namespace fs = std::filesystem;

}  // namespace

std::string FindNvcc() {
  std::vector<std::string> folders;
  if (const char* const home = std::getenv("CUDA_HOME"); home != nullptr)
    folders.emplace_back(home);
  folders.emplace_back("/usr/local/cuda");
  for (const std::string& folder : folders) {
    std::error_code ignored;
    const fs::path found = fs::path(folder) / "bin/nvcc";
    if (fs::exists(found, ignored)) return found.string();
  }
  return std::system("command -v nvcc >/dev/null 2>&1") == 0 ? "nvcc" : "";
}

std::string CompileCuda(const std::string& nvcc, const std::vector<SourceFile>& files,
                        const std::string& main) {
  const TemporaryFolder made("lamina_cuda_");
  if (made.path().empty()) return "cannot make a temporary folder";
  const fs::path folder = made.path();
  std::string messages;
  for (const SourceFile& file : files) {
    const absl::Status status = WriteFileAtomically((folder / file.name).string(), file.text);
    if (!status.ok()) absl::StrAppend(&messages, status.ToString(), "\n");
  }
  const std::string command = absl::StrCat(
      "cd '", folder.string(), "' && '", nvcc,
      "' -std=c++17 -gencode arch=compute_80,code=sm_80 -gencode arch=compute_90,code=sm_90 "
      "-Xcompiler -Wall,-Wextra,-Werror -Werror all-warnings -c -o all.o '",
      main, "' >messages 2>&1");
  const int result = std::system(command.c_str());
  absl::StrAppend(&messages, *ReadFile((folder / "messages").string()));
  if (result != 0 && messages.empty()) messages = absl::StrCat("status ", result);
  return messages;
}

}  // namespace lamina::testing
