#include "framework/gpu/cuda_library.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lamina::gpu {
namespace {

absl::StatusOr<void*> Open(const std::vector<std::string>& paths, const std::string& remedy) {
  for (const std::string& path : paths) {
    if (void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
  }
  return absl::NotFoundError(absl::StrCat(
      "None of these libraries could be loaded: ", absl::StrJoin(paths, ", "), ". ", remedy));
}

template <class F>
void Find(void* library, const char* symbol, F** function, absl::Status* status) {
  *function = reinterpret_cast<F*>(dlsym(library, symbol));
  if (*function == nullptr && status->ok()) {
    *status = absl::FailedPreconditionError(absl::StrCat("The library is too old: it has no ",
                                                         symbol, ". CUDA 12 or later is needed."));
  }
}

// NVRTC loads libnvrtc-builtins when it compiles, by its name alone: where the loader does not know
// the toolkit's folder, it must be there already. `function`: one of NVRTC.
void LoadBuiltins(const void* function) {
  namespace fs = std::filesystem;
  Dl_info nvrtc;
  if (dladdr(function, &nvrtc) == 0 || nvrtc.dli_fname == nullptr) return;
  std::error_code error;
  const fs::path folder = fs::canonical(nvrtc.dli_fname, error).parent_path();
  if (error) return;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    if (i->path().filename().string().rfind("libnvrtc-builtins.so", 0) == 0) {
      dlopen(i->path().c_str(), RTLD_NOW | RTLD_GLOBAL);
    }
  }
}

// The functions of the first of these libraries that can be loaded. `find` finds each of them.
template <class Functions>
absl::StatusOr<Functions> Load(const std::vector<std::string>& paths, const std::string& remedy,
                               void (*find)(void* library, Functions* functions,
                                            absl::Status* status)) {
  const auto library = Open(paths, remedy);
  if (!library.ok()) return library.status();
  Functions functions;
  absl::Status status;
  find(*library, &functions, &status);
  if (!status.ok()) return status;
  return functions;
}

#define LAMINA_FIND(member, symbol, arguments) Find(library, symbol, &functions->member, status);
#define LAMINA_FINDER(Functions, LIST) \
  +[](void* library, Functions* functions, absl::Status* status) { LIST(LAMINA_FIND) }

// `names` by the loader's own rules, then `file` in folders of the toolkit.
std::vector<std::string> ToolkitPaths(std::vector<std::string> names, const std::string& file) {
  std::vector<std::string> homes;
  if (const char* const home = std::getenv("CUDA_HOME"); home != nullptr) homes.emplace_back(home);
  homes.emplace_back("/usr/local/cuda");
  for (const std::string& home : homes) {
    for (const char* const folder : {"lib64", "lib", "targets/x86_64-linux/lib"}) {
      names.push_back(absl::StrCat(home, "/", folder, "/", file));
    }
  }
  return names;
}

constexpr char kInstallToolkit[] = "Install the CUDA toolkit, or set CUDA_HOME to its folder.";

absl::StatusOr<CudaDriver> LoadDriver() {
  return Load<CudaDriver>({"libcuda.so.1", "libcuda.so"}, "Install the driver of an NVIDIA device.",
                          LAMINA_FINDER(CudaDriver, LAMINA_CUDA_DRIVER));
}

absl::StatusOr<CudaCompiler> LoadCompiler() {
  auto compiler = Load<CudaCompiler>(
      ToolkitPaths({"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so"}, "libnvrtc.so"),
      kInstallToolkit, LAMINA_FINDER(CudaCompiler, LAMINA_CUDA_COMPILER));
  if (compiler.ok()) LoadBuiltins(reinterpret_cast<const void*>(compiler->Version));
  return compiler;
}

absl::StatusOr<CudaBlas> LoadBlas() {
  return Load<CudaBlas>(
      ToolkitPaths({"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so"}, "libcublasLt.so"),
      kInstallToolkit, LAMINA_FINDER(CudaBlas, LAMINA_CUDA_BLAS));
}

absl::StatusOr<Cufft> LoadCufft() {
  return Load<Cufft>(  // Of CUDA 13 and 12.
      ToolkitPaths({"libcufft.so.12", "libcufft.so.11", "libcufft.so"}, "libcufft.so"),
      kInstallToolkit, LAMINA_FINDER(Cufft, LAMINA_CUFFT));
}

absl::StatusOr<Cudnn> LoadCudnn() {
  return Load<Cudnn>({"libcudnn.so.9"}, "Install cuDNN 9.", LAMINA_FINDER(Cudnn, LAMINA_CUDNN));
}

absl::StatusOr<Nccl> LoadNccl() {
  return Load<Nccl>(ToolkitPaths({"libnccl.so.2"}, "libnccl.so.2"),
                    "Install NCCL 2 (package libnccl2 of the vendor), or name the folder where "
                    "PyTorch has it, nvidia/nccl/lib, in LD_LIBRARY_PATH.",
                    LAMINA_FINDER(Nccl, LAMINA_NCCL));
}

#undef LAMINA_FIND
#undef LAMINA_FINDER

}  // namespace

const absl::StatusOr<CudaDriver>& FindCudaDriver() {
  static const auto& driver = *new absl::StatusOr<CudaDriver>(LoadDriver());
  return driver;
}

const absl::StatusOr<CudaCompiler>& FindCudaCompiler() {
  static const auto& compiler = *new absl::StatusOr<CudaCompiler>(LoadCompiler());
  return compiler;
}

const absl::StatusOr<CudaBlas>& FindCudaBlas() {
  static const auto& blas = *new absl::StatusOr<CudaBlas>(LoadBlas());
  return blas;
}

const absl::StatusOr<Cufft>& FindCufft() {
  static const auto& cufft = *new absl::StatusOr<Cufft>(LoadCufft());
  return cufft;
}

const absl::StatusOr<Cudnn>& FindCudnn() {
  static const auto& cudnn = *new absl::StatusOr<Cudnn>(LoadCudnn());
  return cudnn;
}

const absl::StatusOr<Nccl>& FindNccl() {
  static const auto& nccl = *new absl::StatusOr<Nccl>(LoadNccl());
  return nccl;
}

std::vector<std::string> CudaDriverSymbols() {
#define LAMINA_SYMBOL(member, symbol, arguments) symbol,
  return {LAMINA_CUDA_DRIVER(LAMINA_SYMBOL)};
#undef LAMINA_SYMBOL
}

}  // namespace lamina::gpu
