#include <memory>

#include "absl/strings/str_cat.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/cuda_library.h"

namespace lamina::gpu {
namespace {

std::string LogOf(const CudaCompiler& nvrtc, void* program) {
  size_t size = 0;
  if (nvrtc.GetProgramLogSize(program, &size) != 0 || size <= 1) return "";
  std::string log(size, '\0');
  if (nvrtc.GetProgramLog(program, log.data()) != 0) return "";
  log.pop_back();
  return log;
}

}  // namespace

absl::StatusOr<KernelImage> CompileCudaKernels(const KernelSource& source,
                                               const std::string& architecture) {
  const absl::StatusOr<CudaCompiler>& found = FindCudaCompiler();
  if (!found.ok()) return found.status();
  const CudaCompiler& nvrtc = *found;
  void* made = nullptr;
  if (nvrtc.CreateProgram(&made, source.text.c_str(), "kernels.cu", 0, nullptr, nullptr) != 0) {
    return absl::InvalidArgumentError("NVRTC does not take the source.");
  }
  const auto destroy = [&](void* p) { nvrtc.DestroyProgram(&p); };
  const std::unique_ptr<void, decltype(destroy)> program(made, destroy);
  for (const std::string& kernel : source.kernels) {
    if (nvrtc.AddNameExpression(program.get(), kernel.c_str()) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("NVRTC does not take the name ", kernel, "."));
    }
  }
  const std::string option = absl::StrCat("--gpu-architecture=", architecture);
  const char* const options[] = {option.c_str(), "--std=c++17",
                                 source.may_fuse ? "--fmad=true" : "--fmad=false"};
  if (nvrtc.CompileProgram(program.get(), 3, options) != 0) {
    return absl::InvalidArgumentError(LogOf(nvrtc, program.get()));
  }
  KernelImage image;
  for (const std::string& kernel : source.kernels) {
    const char* symbol = nullptr;
    if (nvrtc.GetLoweredName(program.get(), kernel.c_str(), &symbol) != 0) {
      return absl::InvalidArgumentError(absl::StrCat("The source has no kernel ", kernel, "."));
    }
    image.symbols.emplace_back(symbol);
  }
  size_t size = 0;
  if (nvrtc.GetCubinSize(program.get(), &size) != 0) {
    return absl::InvalidArgumentError("NVRTC gave no code.");
  }
  image.code.resize(size);
  if (nvrtc.GetCubin(program.get(), image.code.data()) != 0) {
    return absl::InvalidArgumentError("NVRTC gave no code.");
  }
  return image;
}

}  // namespace lamina::gpu
