// Descriptors of cuDNN's backend interface: what a call is told, one attribute after another.
//
//   CudnnDescriptor tensor(cudnn, cudnn::kTensor);
//   tensor.SetInt(cudnn::kNumber, 1).Set(cudnn::kDimensions, cudnn::kInt64, rank,
//   sizes).Finalize(); if (!tensor.ok()) ...
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_CUDNN_DESCRIPTOR_H_
#define FRAMEWORK_GPU_CUDNN_DESCRIPTOR_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "framework/gpu/cuda_library.h"
#include "framework/gpu/cuda_values.h"

namespace lamina::gpu {

/// A descriptor that goes with the object. After something failed nothing more is done with it.
class CudnnDescriptor {
 public:
  CudnnDescriptor(const Cudnn& cudnn, cudnn::Kind kind) : cudnn_(&cudnn) {
    ok_ = cudnn.CreateDescriptor(kind, &descriptor_) == 0;
  }
  ~CudnnDescriptor() {
    if (descriptor_ != nullptr) cudnn_->DestroyDescriptor(descriptor_);
  }
  CudnnDescriptor(CudnnDescriptor&& other) noexcept
      : cudnn_(other.cudnn_),
        descriptor_(std::exchange(other.descriptor_, nullptr)),
        ok_(std::exchange(other.ok_, false)) {}
  CudnnDescriptor(const CudnnDescriptor&) = delete;
  CudnnDescriptor& operator=(const CudnnDescriptor&) = delete;

  CudnnDescriptor& Set(cudnn::Attribute attribute, cudnn::Type type, int64_t count,
                       const void* values) {
    ok_ = ok_ && cudnn_->SetAttribute(descriptor_, attribute, type, count, values) == 0;
    return *this;
  }
  CudnnDescriptor& SetInt(cudnn::Attribute attribute, int64_t value) {
    return Set(attribute, cudnn::kInt64, 1, &value);
  }
  CudnnDescriptor& SetEnum(cudnn::Attribute attribute, cudnn::Type type, int value) {
    return Set(attribute, type, 1, &value);
  }
  CudnnDescriptor& SetText(cudnn::Attribute attribute, const std::string& text) {
    return Set(attribute, cudnn::kChar, static_cast<int64_t>(text.size()), text.data());
  }
  CudnnDescriptor& Set(cudnn::Attribute attribute, const CudnnDescriptor& value) {
    ok_ = ok_ && value.ok_;
    return Set(attribute, cudnn::kDescriptor, 1, &value.descriptor_);
  }
  CudnnDescriptor& Finalize() {
    ok_ = ok_ && cudnn_->Finalize(descriptor_) == 0;
    return *this;
  }
  /// How many values came, at most `most`; 0 when it failed.
  int64_t Get(cudnn::Attribute attribute, cudnn::Type type, int64_t most, void* values) const {
    return std::min(most, Count(attribute, type, most, values));
  }
  /// Empty when it failed.
  std::string GetText(cudnn::Attribute attribute) const {
    const int64_t length = Count(attribute, cudnn::kChar, 0, nullptr);
    std::string text(static_cast<size_t>(length), '\0');
    text.resize(static_cast<size_t>(Get(attribute, cudnn::kChar, length, text.data())));
    return text;
  }
  bool ok() const { return ok_; }
  void* get() const { return descriptor_; }

 private:
  // How many there are, which may be more than `most`.
  int64_t Count(cudnn::Attribute attribute, cudnn::Type type, int64_t most, void* values) const {
    int64_t count = 0;
    const bool came =
        ok_ && cudnn_->GetAttribute(descriptor_, attribute, type, most, &count, values) == 0;
    return came ? count : 0;
  }

  const Cudnn* cudnn_;
  void* descriptor_ = nullptr;
  bool ok_ = false;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDNN_DESCRIPTOR_H_
