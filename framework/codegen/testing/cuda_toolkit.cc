#include "framework/codegen/testing/cuda_toolkit.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "framework/io/file.h"
#include "framework/io/temporary_folder.h"

namespace lamina::testing {
namespace {

namespace fs = std::filesystem;

// The first of these paths in a toolkit that is there.
std::string FindInToolkit(const std::vector<std::string>& paths) {
  std::vector<std::string> folders;
  if (const char* const home = std::getenv("CUDA_HOME"); home != nullptr)
    folders.emplace_back(home);
  folders.emplace_back("/usr/local/cuda");
  for (const std::string& folder : folders) {
    for (const std::string& path : paths) {
      std::error_code ignored;
      const fs::path found = fs::path(folder) / path;
      if (fs::exists(found, ignored)) return found.string();
    }
  }
  return "";
}

}  // namespace

std::string FindNvcc() {
  const std::string found = FindInToolkit({"bin/nvcc"});
  if (!found.empty()) return found;
  return std::system("command -v nvcc >/dev/null 2>&1") == 0 ? "nvcc" : "";
}

std::string FindNvrtc() {
  return FindInToolkit(
      {"lib64/libnvrtc.so", "lib/libnvrtc.so", "targets/x86_64-linux/lib/libnvrtc.so"});
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

std::string CompileKernels(const std::string& library, const std::string& source,
                           const std::string& architecture) {
  void* const nvrtc = dlopen(library.c_str(), RTLD_NOW);
  if (nvrtc == nullptr) return dlerror();
  // The functions of nvrtc.h, whose header a machine without the toolkit does not have.
  using Program = struct ProgramOfNvrtc*;
  const auto create =
      reinterpret_cast<int (*)(Program*, const char*, const char*, int, const char* const*,
                               const char* const*)>(dlsym(nvrtc, "nvrtcCreateProgram"));
  const auto compile = reinterpret_cast<int (*)(Program, int, const char* const*)>(
      dlsym(nvrtc, "nvrtcCompileProgram"));
  const auto log_size =
      reinterpret_cast<int (*)(Program, size_t*)>(dlsym(nvrtc, "nvrtcGetProgramLogSize"));
  const auto log = reinterpret_cast<int (*)(Program, char*)>(dlsym(nvrtc, "nvrtcGetProgramLog"));
  const auto destroy = reinterpret_cast<int (*)(Program*)>(dlsym(nvrtc, "nvrtcDestroyProgram"));
  if (!create || !compile || !log_size || !log || !destroy) return "not NVRTC: " + library;
  Program program = nullptr;
  if (create(&program, source.c_str(), "kernels.cu", 0, nullptr, nullptr) != 0) return "no program";
  const std::string option = absl::StrCat("--gpu-architecture=", architecture);
  const char* const options[] = {option.c_str(), "--std=c++17"};
  const int result = compile(program, 2, options);
  std::string messages;
  size_t size = 0;
  if (log_size(program, &size) == 0 && size > 1) {
    messages.resize(size);
    log(program, messages.data());
    messages.pop_back();
  }
  destroy(&program);
  if (result != 0 && messages.empty()) messages = absl::StrCat("NVRTC's result is ", result);
  return messages;
}

}  // namespace lamina::testing
