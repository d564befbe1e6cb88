#include "framework/gpu/cuda_fourier.h"

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/cuda_values.h"

namespace lamina::gpu {
namespace {

constexpr int64_t kMostExecutions = 64;

class Transform : public LibraryCall {
 public:
  Transform(const Cufft& cufft, void* stream, const FourierCall& t)
      : cufft_(cufft),
        is_single_(t.type == DataType::kComplexSingle),
        direction_(t.sign == cpu::FftSign::kMinus ? cufft::kMinus : cufft::kPlus),
        lines_(LinesOf(t)) {
    LongLong length = t.n;
    const LongLong step = t.inner;
    ok_ = lines_.executions <= kMostExecutions && cufft_.Create(&plan_) == 0;
    if (!ok_) return;
    has_plan_ = true;
    ok_ = cufft_.SetAutoAllocation(plan_, 0) == 0 &&
          cufft_.MakePlanMany64(plan_, 1, &length, &length, step, lines_.distance, &length, step,
                                lines_.distance, is_single_ ? cufft::kSingle : cufft::kDouble,
                                lines_.lines, &workspace_bytes_) == 0 &&
          cufft_.SetStream(plan_, stream) == 0;
  }
  // A plan that serves is kept as long as the program, as calls may be.
  ~Transform() override {
    if (has_plan_ && !ok_) cufft_.Destroy(plan_);
  }
  bool ok() const { return ok_; }

  size_t workspace_bytes() const override { return workspace_bytes_; }
  void Start(std::span<void* const> arrays, void* workspace) const override {
    int status = workspace_bytes_ == 0 ? 0 : cufft_.SetWorkArea(plan_, workspace);
    const int64_t step = lines_.between * (is_single_ ? 8 : 16);
    for (int64_t e = 0; e < lines_.executions && status == 0; ++e) {
      char* const x = static_cast<char*>(arrays[0]) + e * step;
      char* const y = static_cast<char*>(arrays[1]) + e * step;
      status = is_single_ ? cufft_.ExecC2C(plan_, x, y, direction_)
                          : cufft_.ExecZ2Z(plan_, x, y, direction_);
    }
    if (status == 0) return;
    throw Error("gpu:Driver", "A device was asked for a Fourier transform.",
                absl::StrCat("cuFFT answers ", status, "."),
                "LAMINA_GPU_LIBRARIES=0 in the environment leaves the library out.");
  }

 private:
  using LongLong = long long;  // NOLINT(runtime/int): of the library
  const Cufft& cufft_;
  const bool is_single_;
  const int direction_;
  const FourierLines lines_;
  int plan_ = 0;
  size_t workspace_bytes_ = 0;
  bool has_plan_ = false, ok_ = false;
};

}  // namespace

FourierLines LinesOf(const FourierCall& t) {
  if (t.inner == 1) return {.lines = t.outer, .distance = t.n, .executions = 1, .between = 0};
  const int64_t page = t.inner * t.n;
  if (t.outer <= t.inner) {
    return {.lines = t.inner, .distance = 1, .executions = t.outer, .between = page};
  }
  return {.lines = t.outer, .distance = page, .executions = t.inner, .between = 1};
}

absl::StatusOr<std::unique_ptr<CudaFourier>> CudaFourier::Open(void* stream) {
  const absl::StatusOr<Cufft>& cufft = FindCufft();
  if (!cufft.ok()) return cufft.status();
  return std::unique_ptr<CudaFourier>(new CudaFourier(*cufft, stream));
}

std::shared_ptr<const LibraryCall> CudaFourier::Prepare(const FourierCall& transform) const {
  auto call = std::make_shared<const Transform>(cufft_, stream_, transform);
  return call->ok() ? call : nullptr;
}

}  // namespace lamina::gpu
