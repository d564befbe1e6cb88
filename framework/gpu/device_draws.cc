#include "framework/gpu/device_draws.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/gpu/kernel_store.h"
#include "framework/ops/random_op.h"

namespace lamina::gpu {
namespace {

constexpr char kMath[] =
#include "framework/gpu/philox_math_text.inc"
    ;
constexpr char kExponential[] =
#include "framework/emit/math_exponential_text.inc"
    ;
constexpr char kPhilox[] =
#include "framework/gpu/philox_text.inc"
    ;

// As Stream in philox.inc.
struct Stream {
  uint64_t seed, subsequence, first;
};

const RandomOp& AsRandomOp(const OpPtr& op) { return dynamic_cast<const RandomOp&>(*op); }

}  // namespace

bool DeviceDraws::Can(const Op& op) { return dynamic_cast<const RandomOp*>(&op) != nullptr; }

DeviceDraws::DeviceDraws(std::vector<OpPtr> ops, std::shared_ptr<Device> device)
    : ops_(std::move(ops)), device_(std::move(device)) {
  KernelSource source{.text = absl::StrCat(CudaPreamble(), kMath, kExponential, kPhilox),
                      .kernels = {},
                      .may_fuse = false};
  for (const OpPtr& op : ops_) {
    const RandomOp& draw = AsRandomOp(op);
    const bool is_normal = draw.distribution() == RandomOp::Distribution::kNormal;
    source.kernels.push_back(
        absl::StrCat("Draw<", draw.spec().type == DataType::kSingle ? "float" : "double", ", ",
                     is_normal ? "true" : "false", ", ", draw.spec().numel(), ">"));
  }
  kernels_ = device_->Load(CompiledKernels(*device_, source));
  streams_ = std::make_unique<DeviceMemory>(device_, ops_.size() * sizeof(Stream));
}

void DeviceDraws::Take() const {
  std::vector<Stream> streams;
  for (const OpPtr& op : ops_) {
    const cpu::RandomStream stream = AsRandomOp(op).Take();
    streams.push_back({stream.seed, stream.subsequence, stream.offset});
  }
  device_->CopyIn(streams_->data(), streams.data(), streams.size() * sizeof(Stream));
}

void DeviceDraws::Launch(size_t i, void* to) const {
  const int64_t numel = AsRandomOp(ops_[i]).spec().numel();
  if (numel == 0) return;
  constexpr int64_t kThreads = 256, kMostBlocks = 4096, kOfAThread = 2;
  const int64_t blocks = (numel + kThreads * kOfAThread - 1) / (kThreads * kOfAThread);
  void* stream = static_cast<char*>(streams_->data()) + i * sizeof(Stream);
  void* arguments[] = {&to, &stream};
  device_->Launch(
      *kernels_, i,
      {.blocks = static_cast<unsigned>(std::min(blocks, kMostBlocks)), .threads = kThreads},
      arguments);
}

}  // namespace lamina::gpu
