#include "framework/gpu/cudnn_operations.h"

#include <algorithm>
#include <array>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lamina::gpu {
namespace {

// Sizes slowest first, with two dims of space at least.
std::vector<int64_t> Sizes(int64_t slow, int64_t channels, const std::array<int64_t, 3>& space,
                           int rank) {
  std::vector<int64_t> sizes = {slow, channels};
  if (rank == 1) sizes.push_back(1);
  for (int d = rank - 1; d >= 0; --d) sizes.push_back(space[static_cast<size_t>(d)]);
  return sizes;
}

std::vector<int64_t> Spatial(const std::array<int64_t, 3>& of, int rank, int64_t alone) {
  std::vector<int64_t> values;
  if (rank == 1) values.push_back(alone);
  for (int d = rank - 1; d >= 0; --d) values.push_back(of[static_cast<size_t>(d)]);
  return values;
}

CudnnDescriptor TensorOf(const Cudnn& cudnn, int type, int64_t number,
                         const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * sizes[d + 1];
  CudnnDescriptor tensor(cudnn, cudnn::kTensor);
  const auto rank = static_cast<int64_t>(sizes.size());
  tensor.SetEnum(cudnn::kElement, cudnn::kDataType, type)
      .Set(cudnn::kDimensions, cudnn::kInt64, rank, sizes.data())
      .Set(cudnn::kTensorStrides, cudnn::kInt64, rank, strides.data())
      .SetInt(cudnn::kNumber, number)
      .SetInt(cudnn::kAlignment, 16)
      .Finalize();
  return tensor;
}

CudnnDescriptor ConvolutionOf(const Cudnn& cudnn, int type, const cpu::ConvolutionShape& s) {
  const int rank = s.spatial_rank;
  const auto spatial = static_cast<int64_t>(std::max(rank, 2));
  CudnnDescriptor convolution(cudnn, cudnn::kConvolution);
  convolution.SetInt(cudnn::kSpatialDims, spatial)
      .SetEnum(cudnn::kComputeType, cudnn::kDataType, type)
      .SetEnum(cudnn::kConvolutionMode, cudnn::kMode, cudnn::kCrossCorrelation)
      .Set(cudnn::kDilations, cudnn::kInt64, spatial, Spatial(s.dilation, rank, 1).data())
      .Set(cudnn::kStrides, cudnn::kInt64, spatial, Spatial(s.stride, rank, 1).data())
      .Set(cudnn::kPadEnd, cudnn::kInt64, spatial, Spatial(s.pad_end, rank, 0).data())
      .Set(cudnn::kPadBegin, cudnn::kInt64, spatial, Spatial(s.pad_begin, rank, 0).data())
      .Finalize();
  return convolution;
}

// NaN goes on, and padding is never the largest.
CudnnDescriptor PoolingOf(const Cudnn& cudnn, int type, const PoolingCall& call) {
  constexpr int kModes[] = {cudnn::kLargest, cudnn::kMean, cudnn::kMeanOfInside};
  const cpu::PoolingShape& s = call.shape;
  const int rank = s.spatial_rank;
  const auto spatial = static_cast<int64_t>(std::max(rank, 2));
  const int padding = call.of == PoolingCall::kLargest ? cudnn::kLowest : cudnn::kZeros;
  CudnnDescriptor pooling(cudnn, cudnn::kPooling);
  pooling.SetInt(cudnn::kPoolingSpatialDims, spatial)
      .SetEnum(cudnn::kPoolingComputeType, cudnn::kDataType, type)
      .SetEnum(cudnn::kPoolingMode, cudnn::kModeOfPooling, kModes[call.of])
      .SetEnum(cudnn::kPoolingNan, cudnn::kNan, cudnn::kNanGoesOn)
      .SetEnum(cudnn::kPoolingPadding, cudnn::kPadding, padding)
      .Set(cudnn::kPoolingWindow, cudnn::kInt64, spatial, Spatial(s.window, rank, 1).data())
      .Set(cudnn::kPoolingStrides, cudnn::kInt64, spatial, Spatial(s.stride, rank, 1).data())
      .Set(cudnn::kPoolingPadEnd, cudnn::kInt64, spatial, Spatial(s.pad_end, rank, 0).data())
      .Set(cudnn::kPoolingPadBegin, cudnn::kInt64, spatial, Spatial(s.pad_begin, rank, 0).data())
      .Finalize();
  return pooling;
}

int NumbersOf(DataType type) {
  return type == DataType::kDouble ? cudnn::kDoubleNumbers : cudnn::kSingleNumbers;
}

}  // namespace

CudnnDescriptor OperationOf(const Cudnn& cudnn, const ConvolutionCall& call) {
  constexpr cudnn::Kind kKinds[] = {cudnn::kForwardOperation, cudnn::kDataOperation,
                                    cudnn::kWeightsOperation};
  constexpr cudnn::Attribute kFirst[] = {cudnn::kForwardAttributes, cudnn::kDataAttributes,
                                         cudnn::kWeightsAttributes};
  const auto attribute = [&](int n) {
    return static_cast<cudnn::Attribute>(kFirst[call.kind] + n);
  };
  const bool is_double = call.type == DataType::kDouble;
  const int type = NumbersOf(call.type);
  const cpu::ConvolutionShape& s = call.shape;
  const int rank = s.spatial_rank;
  const CudnnDescriptor x =
      TensorOf(cudnn, type, kCudnnData, Sizes(s.batch, s.channels_in, s.input, rank));
  const CudnnDescriptor w = TensorOf(
      cudnn, type, kCudnnFilters, Sizes(s.channels_out, s.channels_in / s.groups, s.kernel, rank));
  const CudnnDescriptor y =
      TensorOf(cudnn, type, kCudnnResult, Sizes(s.batch, s.channels_out, s.output, rank));
  const CudnnDescriptor convolution = ConvolutionOf(cudnn, type, s);
  CudnnDescriptor operation(cudnn, kKinds[call.kind]);
  const float one = 1, zero = 0;
  const double one_double = 1, zero_double = 0;
  const cudnn::Type factor = is_double ? cudnn::kDouble : cudnn::kFloat;
  operation.Set(attribute(0), factor, 1, is_double ? static_cast<const void*>(&one_double) : &one)
      .Set(attribute(1), factor, 1, is_double ? static_cast<const void*>(&zero_double) : &zero)
      .Set(attribute(2), convolution)
      .Set(attribute(3), w)
      .Set(attribute(4), x)
      .Set(attribute(5), y)
      .Finalize();
  return operation;
}

// All planes are channels of one image: as images of one channel they could be taken for arrays
// whose channels are fastest, which other engines compute.
CudnnDescriptor OperationOf(const Cudnn& cudnn, const PoolingCall& call) {
  const int type = NumbersOf(call.type);
  const cpu::PoolingShape& s = call.shape;
  const int rank = s.spatial_rank;
  const auto small = [&](int64_t number) {
    return TensorOf(cudnn, type, number, Sizes(1, s.planes, s.output, rank));
  };
  const auto large = [&](int64_t number) {
    return TensorOf(cudnn, type, number, Sizes(1, s.planes, s.input, rank));
  };
  const CudnnDescriptor pooling = PoolingOf(cudnn, type, call);
  if (call.kind == PoolingCall::kForward) {
    CudnnDescriptor operation(cudnn, cudnn::kPoolingOperation);
    operation.Set(cudnn::kPoolingOfForward, pooling)
        .Set(cudnn::kForwardX, large(kCudnnData))
        .Set(cudnn::kForwardY, small(kCudnnResult))
        .Finalize();
    return operation;
  }
  CudnnDescriptor operation(cudnn, cudnn::kPoolingGradientOperation);
  operation.Set(cudnn::kPoolingOfGradient, pooling)
      .Set(cudnn::kGradientDx, large(kCudnnDataGradient))
      .Set(cudnn::kGradientDy, small(kCudnnResultGradient));
  if (call.of == PoolingCall::kLargest) {
    operation.Set(cudnn::kGradientX, large(kCudnnData)).Set(cudnn::kGradientY, small(kCudnnResult));
  }
  operation.Finalize();
  return operation;
}

std::string ToText(const ConvolutionCall& call) {
  const cpu::ConvolutionShape& s = call.shape;
  std::string text =
      absl::StrCat("kind ", call.kind, ", type ", static_cast<int>(call.type),
                   call.is_rounded ? " rounded" : "", ", batch ", s.batch, ", channels ",
                   s.channels_in, " ", s.channels_out, ", groups ", s.groups);
  for (const std::array<int64_t, 3>* of :
       {&s.input, &s.kernel, &s.output, &s.stride, &s.dilation, &s.pad_begin, &s.pad_end}) {
    absl::StrAppend(&text, "; ", absl::StrJoin(of->begin(), of->begin() + s.spatial_rank, " "));
  }
  return text;
}

std::string ToText(const PoolingCall& call) {
  const cpu::PoolingShape& s = call.shape;
  std::string text = absl::StrCat("pooling ", call.kind, " ", call.of, ", type ",
                                  static_cast<int>(call.type), ", planes ", s.planes);
  for (const std::array<int64_t, 3>* of :
       {&s.input, &s.window, &s.output, &s.stride, &s.pad_begin, &s.pad_end}) {
    absl::StrAppend(&text, "; ", absl::StrJoin(of->begin(), of->begin() + s.spatial_rank, " "));
  }
  return text;
}

}  // namespace lamina::gpu
