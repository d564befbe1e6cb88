#include "framework/gpu/cuda_convolutions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina::gpu {
namespace {

class Convolution : public LibraryCall {
 public:
  Convolution(const Cudnn& cudnn, void* handle, ConvolutionCall::Kind kind,
              std::unique_ptr<const CudnnPlans::Plan> plan)
      : cudnn_(cudnn), handle_(handle), kind_(kind), plan_(std::move(plan)) {}

  size_t workspace_bytes() const override { return static_cast<size_t>(plan_->workspace_bytes); }

  void Start(std::span<void* const> arrays, void* workspace) const override {
    constexpr int64_t kNumbers[3][3] = {{kCudnnData, kCudnnFilters, kCudnnResult},
                                        {kCudnnResult, kCudnnFilters, kCudnnData},
                                        {kCudnnData, kCudnnResult, kCudnnFilters}};
    CudnnDescriptor pack(cudnn_, cudnn::kVariantPack);
    pack.Set(cudnn::kPointersOfPack, cudnn::kPointer, 3, arrays.data())
        .Set(cudnn::kNumbersOfPack, cudnn::kInt64, 3, kNumbers[kind_])
        .Set(cudnn::kWorkspaceOfPack, cudnn::kPointer, 1, &workspace)
        .Finalize();
    const int status =
        pack.ok() ? cudnn_.Execute(handle_, plan_->descriptor.get(), pack.get()) : -1;
    if (status == 0) return;
    throw Error("gpu:Driver", "A device was asked for a convolution.",
                absl::StrCat("cuDNN answers ", status, "."),
                "LAMINA_GPU_LIBRARIES=0 in the environment leaves the library out.");
  }

 private:
  const Cudnn& cudnn_;
  void* const handle_;
  const ConvolutionCall::Kind kind_;
  const std::unique_ptr<const CudnnPlans::Plan> plan_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CudaConvolutions>> CudaConvolutions::Open(
    const absl::StatusOr<Cudnn>& cudnn, void* stream, const std::string& device) {
  if (!cudnn.ok()) return cudnn.status();
  void* handle = nullptr;
  int status = cudnn->Create(&handle);
  if (status == 0) status = cudnn->SetStream(handle, stream);
  if (status != 0) {
    return absl::UnavailableError(absl::StrCat("cuDNN cannot begin: it answers ", status));
  }
  return std::unique_ptr<CudaConvolutions>(new CudaConvolutions(*cudnn, handle, device));
}

std::shared_ptr<const LibraryCall> CudaConvolutions::Prepare(
    const ConvolutionCall& convolution) const {
  if (!IsRealFloating(convolution.type)) return nullptr;
  auto plan = plans_.For(convolution);
  if (plan == nullptr) return nullptr;
  return std::make_shared<const Convolution>(cudnn_, handle_, convolution.kind, std::move(plan));
}

}  // namespace lamina::gpu
