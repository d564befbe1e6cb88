// Compares generated CUDA with the framework on a device, and measures. Written beside the
// generated code (write_networks.cc), which it needs nothing of but the runtime.
#ifndef TOOLS_GPU_GENERATED_CODE_COMPARE_H_
#define TOOLS_GPU_GENERATED_CODE_COMPARE_H_

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

inline void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("%s: %s\n", what, cudaGetErrorString(error));
  std::exit(1);
}

// A file of arrays, one after another.
class ArrayFile {
 public:
  explicit ArrayFile(const std::string& path) : file_(std::fopen(path.c_str(), "rb")) {
    if (file_ != nullptr) return;
    std::printf("cannot read %s\n", path.c_str());
    std::exit(1);
  }
  ~ArrayFile() { std::fclose(file_); }
  ArrayFile(const ArrayFile&) = delete;
  ArrayFile& operator=(const ArrayFile&) = delete;

  template <class T>
  void Read(T* to, size_t count) {
    if (std::fread(to, sizeof(T), count, file_) == count) return;
    std::printf("a file of arrays ends too early\n");
    std::exit(1);
  }

 private:
  std::FILE* file_;
};

template <class T>
void ReadToDevice(ArrayFile& file, T* device, size_t count) {
  std::vector<T> values(count);
  file.Read(values.data(), count);
  Check(cudaMemcpy(device, values.data(), count * sizeof(T), cudaMemcpyHostToDevice), "copy");
}

// Values from -1 to 1: what is computed must not be the easy case of zeros.
inline void FillDevice(float* device, size_t count) {
  std::vector<float> values(std::min(count, size_t{1} << 20));
  unsigned random = 1;
  for (float& value : values) {
    random = random * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int>(random)) / 2147483648.0f;
  }
  size_t filled = values.size();
  Check(cudaMemcpy(device, values.data(), filled * sizeof(float), cudaMemcpyHostToDevice), "copy");
  while (filled < count) {
    const size_t more = std::min(filled, count - filled);
    Check(cudaMemcpy(device + filled, device, more * sizeof(float), cudaMemcpyDeviceToDevice),
          "copy");
    filled += more;
  }
}

// The greatest difference from what the framework gave, relative to the greatest value.
class Worst {
 public:
  template <class T>
  void Compare(const T* came, ArrayFile& expected_file, size_t count) {
    std::vector<T> expected(count);
    expected_file.Read(expected.data(), count);
    double difference = 0, scale = 1e-30;
    for (size_t i = 0; i < count; ++i) {
      const double a = static_cast<double>(came[i]), b = static_cast<double>(expected[i]);
      if (std::isnan(a) != std::isnan(b)) difference = INFINITY;
      if (std::isnan(a) || a == b) continue;
      difference = std::max(difference, std::abs(a - b));
      scale = std::max(scale, std::abs(b));
    }
    worst_ = std::max(worst_, difference / scale);
  }
  // Complex numbers, part by part.
  template <template <class> class Complex, class T>
  void Compare(const Complex<T>* came, ArrayFile& expected_file, size_t count) {
    Compare(&came->re, expected_file, 2 * count);
  }
  // Of an array on the device.
  template <class T>
  void CompareDevice(const T* device, ArrayFile& expected_file, size_t count) {
    std::vector<T> came(count);
    Check(cudaMemcpy(came.data(), device, count * sizeof(T), cudaMemcpyDeviceToHost), "copy");
    Compare(came.data(), expected_file, count);
  }
  double value() const { return worst_; }

 private:
  double worst_ = 0;
};

// Microseconds of one call, the median of several runs of many calls.
template <class Call>
double Microseconds(const Call& call, int calls) {
  cudaStream_t stream;
  cudaEvent_t begin, end;
  Check(cudaStreamCreate(&stream), "stream");
  Check(cudaEventCreate(&begin), "event");
  Check(cudaEventCreate(&end), "event");
  for (int i = 0; i < 3; ++i) Check(call(stream), "call");
  std::vector<float> times;
  for (int run = 0; run < 5; ++run) {
    Check(cudaEventRecord(begin, stream), "event");
    for (int i = 0; i < calls; ++i) Check(call(stream), "call");
    Check(cudaEventRecord(end, stream), "event");
    Check(cudaEventSynchronize(end), "run");
    float milliseconds = 0;
    Check(cudaEventElapsedTime(&milliseconds, begin, end), "time");
    times.push_back(milliseconds * 1000 / static_cast<float>(calls));
  }
  std::sort(times.begin(), times.end());
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  cudaStreamDestroy(stream);
  return times[2];
}

// One line, and whether the error is within its bound.
inline bool Report(const char* name, double error, double bound, double microseconds) {
  const bool good = error <= bound;
  std::printf("%-26s error %9.2e  bound %9.2e  %-4s %10.2f us for a call\n", name, error, bound,
              good ? "ok" : "BAD", microseconds);
  return good;
}

// GB/s of a copy on the device: what is read and what is written both count.
inline double CopyBandwidth(size_t bytes) {
  void *from, *to;
  Check(cudaMalloc(&from, bytes), "memory");
  Check(cudaMalloc(&to, bytes), "memory");
  FillDevice(static_cast<float*>(from), bytes / sizeof(float));
  const double time = Microseconds(
      [&](cudaStream_t stream) {
        return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream);
      },
      5);
  cudaFree(from);
  cudaFree(to);
  return 2.0 * static_cast<double>(bytes) / time / 1000;
}

#endif  // TOOLS_GPU_GENERATED_CODE_COMPARE_H_
