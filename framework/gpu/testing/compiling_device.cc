#include "framework/gpu/testing/compiling_device.h"

#include <utility>
#include <vector>

#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_device.h"

namespace lamina::gpu::testing {
namespace {

class CompilingDevice : public Device {
 public:
  explicit CompilingDevice(std::string architecture) : architecture_(std::move(architecture)) {}

  std::string Name() const override { return "a device that runs nothing"; }
  std::string CompilerKey() const override { return "nothing runs " + architecture_; }
  size_t MaxSharedBytes() const override { return size_t{227} << 10; }  // Of sm_90.
  void* Allocate(size_t) override { return this; }
  void Free(void*) override {}
  void CopyIn(void*, const void*, size_t) override {}
  void CopyOut(void*, const void*, size_t) override { Refuse(); }
  void Wait() override {}
  int64_t* Notes() override { return notes_; }
  absl::StatusOr<KernelImage> Compile(const KernelSource& source) override {
    if (architecture_.empty()) return KernelImage{.code = source.text, .symbols = source.kernels};
    return CompileCudaKernels(source, architecture_);
  }
  std::unique_ptr<LoadedKernels> Load(const KernelImage&) override {
    return std::make_unique<LoadedKernels>();
  }
  void Launch(const LoadedKernels&, size_t, LaunchSize, void**) override { Refuse(); }
  std::shared_ptr<const LibraryCall> Prepare(const ProductCall&) override { return nullptr; }
  std::shared_ptr<const LibraryCall> Prepare(const ConvolutionCall&) override { return nullptr; }
  std::shared_ptr<const LibraryCall> Prepare(const FourierCall&) override { return nullptr; }
  std::shared_ptr<const LibraryCall> Prepare(const AllReduceCall&) override { return nullptr; }
  void Start(const LibraryCall&, std::span<void* const>, void*) override { Refuse(); }
  std::unique_ptr<LaunchRecord> Record(const std::function<void()>&) override {
    Refuse();
    return nullptr;
  }
  void Start(const LaunchRecord&) override { Refuse(); }

 private:
  static void Refuse() { throw Error("gpu:Driver", "Something was to run.", "Nothing can.", ""); }

  std::string architecture_;
  int64_t notes_[kNotes] = {};
};

}  // namespace

std::shared_ptr<Device> MakeCompilingDevice(const std::string& architecture) {
  return std::make_shared<CompilingDevice>(architecture);
}

}  // namespace lamina::gpu::testing
