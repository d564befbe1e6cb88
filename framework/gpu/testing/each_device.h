// Tests on each device that there is: an emulated one everywhere, and a CUDA device. The cache of
// kernels is empty at first.
//
//   using DeviceProgramTest = testing::EachDevice;
//   INSTANTIATE_TEST_SUITE_P(Devices, DeviceProgramTest, ::testing::Bool(), testing::DeviceKind);
#ifndef FRAMEWORK_GPU_TESTING_EACH_DEVICE_H_
#define FRAMEWORK_GPU_TESTING_EACH_DEVICE_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/gpu_array.h"

namespace lamina::gpu::testing {

class EachDevice : public ::testing::TestWithParam<bool> {
 protected:
  /// The emulated device has libraries: what a CUDA device with the toolkit and cuDNN has.
  explicit EachDevice(bool has_libraries = false) : has_libraries_(has_libraries) {}

  void SetUp() override {
    ASSERT_EQ(setenv("LAMINA_CACHE", cache_.path().c_str(), 1), 0);
    if (!GetParam()) {
      emulated_ = MakeEmulatedDevice(has_libraries_);
      gpu_ = Gpu::Make(emulated_);
    } else if (CanUseGpu().ok()) {
      gpu_ = CurrentGpu();
      std::cout << gpu_->device()->Name() << "\n";
    } else {
      GTEST_SKIP() << CanUseGpu();
    }
  }

  const bool has_libraries_;
  const TemporaryFolder cache_{"each_device"};
  std::shared_ptr<EmulatedDevice> emulated_;  // Null on a CUDA device.
  std::shared_ptr<Gpu> gpu_;
};

inline std::string DeviceKind(const ::testing::TestParamInfo<bool>& info) {
  return info.param ? "Cuda" : "Emulated";
}

/// The identifier of the Error that `f` throws; "" for none.
inline std::string Identifier(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.identifier();
  }
  return "";
}

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_EACH_DEVICE_H_
