// What does cuDNN have for normalization of our arrays? It is asked and answers in lines that are
// printed; docs/gpu.md tells what 9.19 and 9.26 said. The framework has kernels of its own, so
// nothing fails when a newer one answers otherwise: where it has what those had not, a line says
// so. As of convolutions (cudnn_plans_test.cc) it is asked about a device that is described alone.
//
// Engines for normalization are compiled, and cuDNN names none without a driver's library. A
// toolkit has one without contents, which is enough to be told of engines, not to make their plans.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/gpu/cudnn_descriptor.h"
#include "framework/gpu/testing/described_device.h"
#include "framework/gpu/testing/header_check.h"

namespace lamina::gpu {
namespace {

// X(our name, their name, value): cudnn_graph.h.
#define LAMINA_NORMALIZATION_VALUES(X)                                       \
  X(kForwardKind, CUDNN_BACKEND_OPERATION_NORM_FORWARD_DESCRIPTOR, 29)       \
  X(kGradientKind, CUDNN_BACKEND_OPERATION_NORM_BACKWARD_DESCRIPTOR, 30)     \
  X(kForwardMode, CUDNN_ATTR_OPERATION_NORM_FWD_MODE, 2000)                  \
  X(kForwardPhase, CUDNN_ATTR_OPERATION_NORM_FWD_PHASE, 2001)                \
  X(kForwardX, CUDNN_ATTR_OPERATION_NORM_FWD_XDESC, 2002)                    \
  X(kForwardMean, CUDNN_ATTR_OPERATION_NORM_FWD_MEAN_DESC, 2003)             \
  X(kForwardInverse, CUDNN_ATTR_OPERATION_NORM_FWD_INV_VARIANCE_DESC, 2004)  \
  X(kForwardScale, CUDNN_ATTR_OPERATION_NORM_FWD_SCALE_DESC, 2005)           \
  X(kForwardOffset, CUDNN_ATTR_OPERATION_NORM_FWD_BIAS_DESC, 2006)           \
  X(kForwardEpsilon, CUDNN_ATTR_OPERATION_NORM_FWD_EPSILON_DESC, 2007)       \
  X(kForwardY, CUDNN_ATTR_OPERATION_NORM_FWD_YDESC, 2013)                    \
  X(kGradientMode, CUDNN_ATTR_OPERATION_NORM_BWD_MODE, 2100)                 \
  X(kGradientX, CUDNN_ATTR_OPERATION_NORM_BWD_XDESC, 2101)                   \
  X(kGradientMean, CUDNN_ATTR_OPERATION_NORM_BWD_MEAN_DESC, 2102)            \
  X(kGradientInverse, CUDNN_ATTR_OPERATION_NORM_BWD_INV_VARIANCE_DESC, 2103) \
  X(kGradientDy, CUDNN_ATTR_OPERATION_NORM_BWD_DYDESC, 2104)                 \
  X(kGradientScale, CUDNN_ATTR_OPERATION_NORM_BWD_SCALE_DESC, 2105)          \
  X(kGradientDscale, CUDNN_ATTR_OPERATION_NORM_BWD_DSCALE_DESC, 2107)        \
  X(kGradientDoffset, CUDNN_ATTR_OPERATION_NORM_BWD_DBIAS_DESC, 2108)        \
  X(kGradientDx, CUDNN_ATTR_OPERATION_NORM_BWD_DXDESC, 2109)                 \
  X(kIsByValue, CUDNN_ATTR_TENSOR_IS_BY_VALUE, 908)                          \
  X(kWorkspaceOfConfig, CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, 303)            \
  X(kBoolean, CUDNN_TYPE_BOOLEAN, 2)                                         \
  X(kNormMode, CUDNN_TYPE_NORM_MODE, 27)                                     \
  X(kNormPhase, CUDNN_TYPE_NORM_FWD_PHASE, 28)                               \
  X(kLayer, CUDNN_LAYER_NORM, 0)                                             \
  X(kInstance, CUDNN_INSTANCE_NORM, 1)                                       \
  X(kBatch, CUDNN_BATCH_NORM, 2)                                             \
  X(kGroup, CUDNN_GROUP_NORM, 3)                                             \
  X(kPrediction, CUDNN_NORM_FWD_INFERENCE, 0)                                \
  X(kTraining, CUDNN_NORM_FWD_TRAINING, 1)
#define LAMINA_CONSTANT(name, theirs, value) constexpr int name = value;
LAMINA_NORMALIZATION_VALUES(LAMINA_CONSTANT)
#undef LAMINA_CONSTANT

TEST(CudnnNormalizationTest, ValuesAreThoseOfTheHeader) {
  const absl::Status there = testing::CheckHeader("cudnn.h", "");
  if (!there.ok()) GTEST_SKIP() << there;
  const absl::Status status = testing::CheckHeader(
      "cudnn.h", std::string() LAMINA_NORMALIZATION_VALUES(LAMINA_HEADER_VALUE));
  EXPECT_TRUE(status.ok()) << status;
}

using Sizes = std::array<int64_t, 4>;

// Images as ours lie, and what is asked about them. A gradient has no phase.
struct Question {
  std::string name;
  int mode, phase;
  bool is_gradient, is_double;
  Sizes x, statistics, scale;
  bool has_engine;  // Of 9.19 and 9.26.
};

class Asker {
 public:
  explicit Asker(const Cudnn& cudnn) : cudnn_(cudnn), device_(cudnn, cudnn::kDeviceProperties) {
    device_.SetText(cudnn::kTextOfProperties, testing::kH200).Finalize();
  }
  bool ok() const { return device_.ok(); }

  struct Answer {
    int64_t engines = 0, workspace_bytes = 0;
  };
  Answer Ask(const Question& q) {
    type_ = q.is_double ? cudnn::kDoubleNumbers : cudnn::kSingleNumbers;
    const CudnnDescriptor operation = q.is_gradient ? Gradient(q) : Forward(q);
    CudnnDescriptor graph(cudnn_, cudnn::kOperationGraph);
    graph.Set(cudnn::kOperationsOfGraph, operation).Finalize();
    Answer answer;
    for (const int mode : {cudnn::kByModel, cudnn::kFallback}) {
      CudnnDescriptor heuristics(cudnn_, cudnn::kHeuristics);
      heuristics.Set(cudnn::kHeuristicsGraph, graph)
          .SetEnum(cudnn::kHeuristicsModeOf, cudnn::kHeuristicsMode, mode)
          .Set(cudnn::kPropertiesOfHeuristics, device_)
          .Finalize();
      std::vector<CudnnDescriptor> configs;
      std::vector<void*> places;
      for (int i = 0; i < kMostConfigs; ++i) {
        configs.emplace_back(cudnn_, cudnn::kEngineConfig);
        places.push_back(configs.back().get());
      }
      const int64_t count = heuristics.Get(cudnn::kHeuristicsConfigs, cudnn::kDescriptor,
                                           kMostConfigs, places.data());
      if (count > 0 && answer.engines == 0) {
        configs[0].Get(Attribute(kWorkspaceOfConfig), cudnn::kInt64, 1, &answer.workspace_bytes);
      }
      answer.engines += count;
    }
    return answer;
  }

 private:
  static constexpr int kMostConfigs = 32;
  static cudnn::Attribute Attribute(int value) { return static_cast<cudnn::Attribute>(value); }

  CudnnDescriptor Tensor(const Sizes& sizes, bool is_by_value = false) {
    const int64_t strides[] = {sizes[1] * sizes[2] * sizes[3], sizes[2] * sizes[3], sizes[3], 1};
    CudnnDescriptor tensor(cudnn_, cudnn::kTensor);
    tensor.SetEnum(cudnn::kElement, cudnn::kDataType, type_)
        .Set(cudnn::kDimensions, cudnn::kInt64, 4, sizes.data())
        .Set(cudnn::kTensorStrides, cudnn::kInt64, 4, strides)
        .SetInt(cudnn::kNumber, ++last_number_)
        .SetInt(cudnn::kAlignment, 16)
        .Set(Attribute(kIsByValue), static_cast<cudnn::Type>(kBoolean), 1, &is_by_value)
        .Finalize();
    return tensor;
  }
  CudnnDescriptor Forward(const Question& q) {
    CudnnDescriptor operation(cudnn_, static_cast<cudnn::Kind>(kForwardKind));
    operation.SetEnum(Attribute(kForwardMode), static_cast<cudnn::Type>(kNormMode), q.mode)
        .SetEnum(Attribute(kForwardPhase), static_cast<cudnn::Type>(kNormPhase), q.phase)
        .Set(Attribute(kForwardX), Tensor(q.x))
        .Set(Attribute(kForwardY), Tensor(q.x))
        .Set(Attribute(kForwardScale), Tensor(q.scale))
        .Set(Attribute(kForwardOffset), Tensor(q.scale))
        .Set(Attribute(kForwardEpsilon), Tensor({1, 1, 1, 1}, /*is_by_value=*/true));
    if (q.phase == kTraining || q.mode == kBatch) {
      operation.Set(Attribute(kForwardMean), Tensor(q.statistics))
          .Set(Attribute(kForwardInverse), Tensor(q.statistics));
    }
    operation.Finalize();
    return operation;
  }
  CudnnDescriptor Gradient(const Question& q) {
    CudnnDescriptor operation(cudnn_, static_cast<cudnn::Kind>(kGradientKind));
    operation.SetEnum(Attribute(kGradientMode), static_cast<cudnn::Type>(kNormMode), q.mode);
    for (const int of_x : {kGradientX, kGradientDy, kGradientDx}) {
      operation.Set(Attribute(of_x), Tensor(q.x));
    }
    for (const int of_scale : {kGradientScale, kGradientDscale, kGradientDoffset}) {
      operation.Set(Attribute(of_scale), Tensor(q.scale));
    }
    operation.Set(Attribute(kGradientMean), Tensor(q.statistics))
        .Set(Attribute(kGradientInverse), Tensor(q.statistics))
        .Finalize();
    return operation;
  }

  const Cudnn& cudnn_;
  CudnnDescriptor device_;
  int type_ = cudnn::kSingleNumbers;
  int64_t last_number_ = 0;
};

// A driver's library that is there, or one without contents.
bool LoadDriver() {
  for (const char* const path : {"libcuda.so.1", "/usr/local/cuda/lib64/stubs/libcuda.so",
                                 "/usr/local/cuda/lib/stubs/libcuda.so"}) {
    if (dlopen(path, RTLD_NOW | RTLD_GLOBAL) != nullptr) return true;
  }
  return false;
}

TEST(CudnnNormalizationTest, WhatThereIsForOurArrays) {
  if (!LoadDriver()) GTEST_SKIP() << "There is neither a driver nor a toolkit's library for one.";
  if (!FindCudaCompiler().ok()) GTEST_SKIP() << FindCudaCompiler().status();
  if (!FindCudnn().ok()) GTEST_SKIP() << FindCudnn().status();
  Asker asker(*FindCudnn());
  if (!asker.ok()) GTEST_SKIP() << "cuDNN does not take a description of a device.";
  const Sizes x = {128, 8, 28, 28}, six = {128, 6, 28, 28}, channels = {1, 8, 1, 1},
              observations = {128, 1, 1, 1}, planes = {128, 8, 1, 1}, elements = {1, 8, 28, 28};
  const Question questions[] = {
      {"batch, training", kBatch, kTraining, false, false, x, channels, channels, true},
      {"batch, gradient", kBatch, 0, true, false, x, channels, channels, true},
      {"batch, prediction", kBatch, kPrediction, false, false, x, channels, channels, false},
      {"batch of 6 channels, training",
       kBatch,
       kTraining,
       false,
       false,
       six,
       {1, 6, 1, 1},
       {1, 6, 1, 1},
       false},
      {"batch, training, double", kBatch, kTraining, false, true, x, channels, channels, false},
      {"instance, training", kInstance, kTraining, false, false, x, planes, channels, true},
      {"instance, double", kInstance, kTraining, false, true, x, planes, channels, false},
      {"layer, a scale for each number", kLayer, kTraining, false, false, x, observations, elements,
       true},
      {"layer, a scale for each channel", kLayer, kTraining, false, false, x, observations,
       channels, false},
      {"group, training", kGroup, kTraining, false, false, x, {128, 4, 1, 1}, channels, false},
  };
  for (const Question& q : questions) {
    const Asker::Answer answer = asker.Ask(q);
    const int64_t bytes = q.x[0] * q.x[1] * q.x[2] * q.x[3] * (q.is_double ? 8 : 4);
    std::cout << q.name << ": " << answer.engines << " ways";
    if (answer.engines > 0) {
      std::cout << ", the first with a workspace of " << answer.workspace_bytes << " bytes (x has "
                << bytes << ")";
    }
    const bool has_engine = answer.engines > 0;
    std::cout << (has_engine == q.has_engine ? "\n" : ": NOT AS docs/gpu.md SAYS\n");
    // Else the question is not understood, and no answer means anything.
    ASSERT_TRUE(has_engine || q.name != "batch, training");
  }
}

}  // namespace
}  // namespace lamina::gpu
