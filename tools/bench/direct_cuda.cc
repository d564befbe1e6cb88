#include "tools/bench/direct_cuda.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina::bench {
namespace {

gpu::CudaAddress Address(const void* memory) { return reinterpret_cast<gpu::CudaAddress>(memory); }

}  // namespace

void CheckAnswer(int answer) {
  if (answer == 0) return;
  throw Error("bench:Refused", "A library of the device does what it is asked.",
              absl::StrCat("It answered ", answer, "."), "");
}

absl::StatusOr<std::unique_ptr<DirectDevice>> DirectDevice::Open() {
  const absl::StatusOr<gpu::CudaDriver>& driver = gpu::FindCudaDriver();
  for (const absl::Status& status :
       {driver.status(), gpu::FindCudaBlas().status(), gpu::FindCudnn().status()}) {
    if (!status.ok()) return status;
  }
  auto device = std::unique_ptr<DirectDevice>(new DirectDevice(*driver));
  if (const absl::Status status = device->Begin(); !status.ok()) return status;
  return device;
}

absl::Status DirectDevice::Begin() {
  int device = 0;
  for (const auto& step : std::initializer_list<std::function<int()>>{
           [&] { return driver_.Init(0); }, [&] { return driver_.DeviceGet(&device, 0); },
           [&] { return driver_.DevicePrimaryCtxRetain(&context_, device); },
           [&] { return driver_.CtxSetCurrent(context_); },
           [&] { return driver_.StreamCreate(&stream_, 1); }}) {
    if (const int error = step(); error != 0) {
      return absl::UnavailableError(absl::StrCat("The driver answers ", error, "."));
    }
  }
  return absl::OkStatus();
}

void* DirectDevice::Room(size_t bytes) const {
  gpu::CudaAddress address = 0;
  const size_t rounded = (bytes + 255) / 256 * 256 + 256;
  CheckAnswer(driver_.MemAllocAsync(&address, rounded, stream_));
  const std::vector<char> zeros(rounded);
  CheckAnswer(driver_.MemcpyHtoDAsync(address, zeros.data(), rounded, stream_));
  Wait();
  return reinterpret_cast<void*>(address);
}

void* DirectDevice::Copy(const Floats& x) const {
  void* const memory = Room(x.size() * sizeof(float));
  CopyTo(memory, x);
  return memory;
}

void DirectDevice::CopyTo(void* memory, const Floats& x) const {
  CheckAnswer(
      driver_.MemcpyHtoDAsync(Address(memory), x.data(), x.size() * sizeof(float), stream_));
  Wait();
}

Floats DirectDevice::Fetch(const void* x, size_t count) const {
  Floats y(count);
  CheckAnswer(driver_.MemcpyDtoHAsync(y.data(), Address(x), count * sizeof(float), stream_));
  Wait();
  return y;
}

void DirectDevice::Wait() const { CheckAnswer(driver_.StreamSynchronize(stream_)); }

}  // namespace lamina::bench
