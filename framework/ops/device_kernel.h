// A kernel that was written by hand, for a device, in the place of those that Lamina writes.
//
// It belongs to a function of arrays, which says what is computed; the device runs the kernel where
// it takes what comes, and the function where it does not. There are users' own
// (autodiff/kernel_function.h) and those of attention (attention_kernels.h).
//
// Threads: plain values; ops are immutable.
#ifndef FRAMEWORK_OPS_DEVICE_KERNEL_H_
#define FRAMEWORK_OPS_DEVICE_KERNEL_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/op.h"

namespace lamina {

/// How many blocks of how many threads (1 to 1024), and the integers that the kernel takes last.
struct KernelLaunch {
  int64_t blocks = 1;
  int64_t threads = 256;
  std::vector<int64_t> numbers = {};
  /// Of the array that the kernel declares as `extern __shared__ T name[];` (T, or a struct), for
  /// each block. On a device that has less the function of arrays computes; shared arrays of a
  /// fixed size are not seen there, but count too: with more than the device has the launch is an
  /// error.
  int64_t shared_bytes = 0;
};

/// A kernel in CUDA C++.
struct DeviceKernel {
  /// Of the __global__ function.
  std::string name;
  /// The function's text, and what else it needs. It has T, the type of all elements (float or
  /// double), and CUDA's own functions; it includes nothing. The function takes a `const T*` for
  /// each input, a `T*` for each result, and a `long long` for each number of the launch. Elements
  /// lie as in a DlArray, the first dim the fastest.
  std::string source;
  /// The types of elements that it takes. All inputs and results have one and the same; otherwise
  /// the function of arrays computes.
  std::vector<DataType> types = {DataType::kSingle};
  /// From the specs of inputs and results. Not set: a thread for each element of the first result,
  /// in blocks of 256, and the number of these elements.
  std::function<KernelLaunch(std::span<const ArraySpec> inputs, std::span<const ArraySpec> results)>
      launch = nullptr;
};

/// What a device or a recording sees of a function with a kernel of its own.
class DeviceKernelOp : public Op, public ComposedOp {
 public:
  /// `function` depends on nothing but its arguments. Two of one `type` and with one kernel do the
  /// same.
  DeviceKernelOp(DeviceKernel kernel, const std::string& type,
                 std::function<DlArrays(Arrays)> function);

  std::string_view Name() const override { return "own_kernel"; }
  std::string Attributes() const override { return attributes_; }
  void Infer(const Specs& inputs, SpecList* outputs) const override;
  void Run(Arrays inputs, Results outputs) const override;
  DlArrays Compose(Arrays inputs) const override { return function_(inputs); }

  const DeviceKernel& kernel() const { return kernel_; }
  bool Takes(std::span<const ArraySpec> inputs, std::span<const ArraySpec> results) const;
  /// Errors: "kernel:Launch" for a launch that no device accepts.
  KernelLaunch LaunchFor(std::span<const ArraySpec> inputs,
                         std::span<const ArraySpec> results) const;

 private:
  const DeviceKernel kernel_;
  const std::function<DlArrays(Arrays)> function_;
  const std::string attributes_;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_DEVICE_KERNEL_H_
