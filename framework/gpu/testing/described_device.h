// A device as cuDNN describes devices, for plans that are made without one (cudnn_plans.h).
//
// Threads: a constant.
#ifndef FRAMEWORK_GPU_TESTING_DESCRIBED_DEVICE_H_
#define FRAMEWORK_GPU_TESTING_DESCRIBED_DEVICE_H_

namespace lamina::gpu::testing {

/// One NVIDIA H200.
inline constexpr char kH200[] =
    R"({"maxGridSize": [2147483647, 65535, 65535], "maxBlockSize": [1024, 1024, 64],
"deviceVer": 900, "driverVer": 13000, "regsPerBlock": 65536, "multiProcessorCount": 132,
"smClockRateKHz": 1980000, "memClockRateKHz": 3201000, "l2CacheSize": 62914560, "warpSize": 32,
"maxSharedMemoryPerBlock": 49152, "maxSharedMemoryPerBlockOptin": 232448,
"reservedSharedMemoryPerBlock": 1024, "maxRegistersPerSM": 65536, "pciDeviceId": 0,
"maxCtasPerSM": 32, "maxThreadsPerBlock": 1024, "maxThreadsPerSM": 2048, "isTccDriver": 0,
"supportCoopLaunch": 1, "cudaDeviceId": 0, "totalGlobalMem": 150754820096,
"deviceName": "NVIDIA H200", "computeMode": 0, "maxSharedMemoryPerSM": 233472})";

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_DESCRIBED_DEVICE_H_
