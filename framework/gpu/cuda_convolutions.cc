#include "framework/gpu/cuda_convolutions.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina::gpu {
namespace {

// Values of cudnn_graph.h: kinds of descriptors,
constexpr int kConvolution = 1, kEngine = 2, kEngineConfig = 3, kHeuristics = 4, kPlan = 5,
              kForwardOperation = 10, kWeightsOperation = 11, kDataOperation = 12,
              kOperationGraph = 15, kVariantPack = 16, kTensor = 17;
// attributes,
constexpr int kComputeType = 100, kConvolutionMode = 101, kDilations = 102, kStrides = 103,
              kPadEnd = 104, kPadBegin = 105, kSpatialDims = 106, kHeuristicsModeOf = 200,
              kHeuristicsGraph = 201, kHeuristicsConfigs = 202, kEngineOfConfig = 300,
              kHandleOfPlan = 400, kConfigOfPlan = 401, kWorkspaceOfPlan = 402,
              kHandleOfGraph = 800, kOperationsOfGraph = 801, kAlignment = 900, kElement = 901,
              kDimensions = 902, kTensorStrides = 903, kNumber = 906, kNumbersOfPack = 1000,
              kPointersOfPack = 1001, kWorkspaceOfPack = 1003, kNotesOfEngine = 1303;
// those of an operation, by its kind: the first of alpha, beta, convolution, w, x and y,
constexpr int kOperationAttributes[] = {700, 706, 712};
// types of attributes,
constexpr int kHandle = 0, kDataType = 1, kInt64 = 3, kFloat = 4, kDouble = 5, kPointer = 6,
              kMode = 7, kHeuristicsMode = 8, kNote = 11, kDescriptor = 15;
// notes on engines that are not taken.
constexpr int kTensorCore = 0, kDownConvert = 1, kReducedSum = 2, kFourier = 3,
              kNondeterministic = 4, kMostNotes = 16;

// A descriptor that goes with the object. After something failed nothing more is done with it.
class Descriptor {
 public:
  Descriptor(const Cudnn& cudnn, int kind) : cudnn_(&cudnn) {
    ok_ = cudnn.CreateDescriptor(kind, &descriptor_) == 0;
  }
  ~Descriptor() {
    if (descriptor_ != nullptr) cudnn_->DestroyDescriptor(descriptor_);
  }
  Descriptor(Descriptor&& other) noexcept
      : cudnn_(other.cudnn_),
        descriptor_(std::exchange(other.descriptor_, nullptr)),
        ok_(other.ok_) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  Descriptor& Set(int attribute, int type, int64_t count, const void* values) {
    ok_ = ok_ && cudnn_->SetAttribute(descriptor_, attribute, type, count, values) == 0;
    return *this;
  }
  Descriptor& SetInt(int attribute, int64_t value) { return Set(attribute, kInt64, 1, &value); }
  Descriptor& SetEnum(int attribute, int type, int value) {
    return Set(attribute, type, 1, &value);
  }
  Descriptor& Set(int attribute, const Descriptor& value) {
    ok_ = ok_ && value.ok_;
    return Set(attribute, kDescriptor, 1, &value.descriptor_);
  }
  Descriptor& Finalize() {
    ok_ = ok_ && cudnn_->Finalize(descriptor_) == 0;
    return *this;
  }
  // How many values came; 0 when it failed.
  int64_t Get(int attribute, int type, int64_t most, void* values) const {
    int64_t count = 0;
    const bool came =
        ok_ && cudnn_->GetAttribute(descriptor_, attribute, type, most, &count, values) == 0;
    return came ? count : 0;
  }
  bool ok() const { return ok_; }
  void* get() const { return descriptor_; }

 private:
  const Cudnn* cudnn_;
  void* descriptor_ = nullptr;
  bool ok_ = false;
};

// The numbers that stand for the arrays.
constexpr int64_t kData = 1, kFilters = 2, kResult = 3;

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

Descriptor TensorOf(const Cudnn& cudnn, int type, int64_t number,
                    const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size(), 1);
  for (size_t d = sizes.size() - 1; d-- > 0;) strides[d] = strides[d + 1] * sizes[d + 1];
  Descriptor tensor(cudnn, kTensor);
  const auto rank = static_cast<int64_t>(sizes.size());
  tensor.SetEnum(kElement, kDataType, type)
      .Set(kDimensions, kInt64, rank, sizes.data())
      .Set(kTensorStrides, kInt64, rank, strides.data())
      .SetInt(kNumber, number)
      .SetInt(kAlignment, 16)
      .Finalize();
  return tensor;
}

Descriptor ConvolutionOf(const Cudnn& cudnn, int type, const cpu::ConvolutionShape& s) {
  constexpr int kCrossCorrelation = 1;
  const int rank = s.spatial_rank;
  const auto spatial = static_cast<int64_t>(std::max(rank, 2));
  Descriptor convolution(cudnn, kConvolution);
  convolution.SetInt(kSpatialDims, spatial)
      .SetEnum(kComputeType, kDataType, type)
      .SetEnum(kConvolutionMode, kMode, kCrossCorrelation)
      .Set(kDilations, kInt64, spatial, Spatial(s.dilation, rank, 1).data())
      .Set(kStrides, kInt64, spatial, Spatial(s.stride, rank, 1).data())
      .Set(kPadEnd, kInt64, spatial, Spatial(s.pad_end, rank, 0).data())
      .Set(kPadBegin, kInt64, spatial, Spatial(s.pad_begin, rank, 0).data())
      .Finalize();
  return convolution;
}

class Convolution : public LibraryCall {
 public:
  Convolution(const Cudnn& cudnn, void* handle, const ConvolutionCall& call)
      : cudnn_(cudnn), handle_(handle), kind_(call.kind), is_rounded_(call.is_rounded) {
    const int type = call.type == DataType::kDouble ? 1 : 0;
    const cpu::ConvolutionShape& s = call.shape;
    const int rank = s.spatial_rank;
    const Descriptor x = TensorOf(cudnn, type, kData, Sizes(s.batch, s.channels_in, s.input, rank));
    const Descriptor w = TensorOf(cudnn, type, kFilters,
                                  Sizes(s.channels_out, s.channels_in / s.groups, s.kernel, rank));
    const Descriptor y =
        TensorOf(cudnn, type, kResult, Sizes(s.batch, s.channels_out, s.output, rank));
    const Descriptor convolution = ConvolutionOf(cudnn, type, s);
    Descriptor operation(cudnn, OperationKind());
    const float one = 1, zero = 0;
    const double one_double = 1, zero_double = 0;
    const int factor = type == 1 ? kDouble : kFloat;
    const int first = kOperationAttributes[kind_];
    operation.Set(first, factor, 1, type == 1 ? static_cast<const void*>(&one_double) : &one)
        .Set(first + 1, factor, 1, type == 1 ? static_cast<const void*>(&zero_double) : &zero)
        .Set(first + 2, convolution)
        .Set(first + 3, w)
        .Set(first + 4, x)
        .Set(first + 5, y);
    operation.Finalize();
    Descriptor graph(cudnn, kOperationGraph);
    graph.Set(kHandleOfGraph, kHandle, 1, &handle).Set(kOperationsOfGraph, operation).Finalize();
    if (graph.ok()) Choose(graph);
  }

  bool ok() const { return plan_ != nullptr; }
  size_t workspace_bytes() const override { return static_cast<size_t>(workspace_bytes_); }

  void Start(std::span<void* const> arrays, void* workspace) const override {
    constexpr int64_t kNumbers[3][3] = {
        {kData, kFilters, kResult}, {kResult, kFilters, kData}, {kData, kResult, kFilters}};
    Descriptor pack(cudnn_, kVariantPack);
    pack.Set(kPointersOfPack, kPointer, 3, arrays.data())
        .Set(kNumbersOfPack, kInt64, 3, kNumbers[kind_])
        .Set(kWorkspaceOfPack, kPointer, 1, &workspace)
        .Finalize();
    const int status = pack.ok() ? cudnn_.Execute(handle_, plan_->get(), pack.get()) : -1;
    if (status == 0) return;
    throw Error("gpu:Driver", "A device was asked for a convolution.",
                absl::StrCat("cuDNN answers ", status, "."),
                "LAMINA_GPU_LIBRARIES=0 in the environment leaves the library out.");
  }

 private:
  int OperationKind() const {
    return kind_ == ConvolutionCall::kForward ? kForwardOperation
           : kind_ == ConvolutionCall::kData  ? kDataOperation
                                              : kWeightsOperation;
  }

  // The first engine that does what is wanted, of those that the heuristics name.
  void Choose(const Descriptor& graph) {
    constexpr int kByModel = 3, kFallback = 2;
    for (const int mode : {kByModel, kFallback}) {
      Descriptor heuristics(cudnn_, kHeuristics);
      heuristics.Set(kHeuristicsGraph, graph)
          .SetEnum(kHeuristicsModeOf, kHeuristicsMode, mode)
          .Finalize();
      std::vector<Descriptor> configs;
      std::vector<void*> places;
      for (int i = 0; i < 32; ++i) {
        configs.emplace_back(cudnn_, kEngineConfig);
        places.push_back(configs.back().get());
      }
      const int64_t count = heuristics.Get(kHeuristicsConfigs, kDescriptor,
                                           static_cast<int64_t>(places.size()), places.data());
      for (int64_t i = 0; i < count; ++i) {
        const Descriptor& config = configs[static_cast<size_t>(i)];
        if (IsWanted(config) && Plan(config)) return;
      }
    }
  }

  bool IsWanted(const Descriptor& config) const {
    const Descriptor engine(cudnn_, kEngine);
    void* place = engine.get();
    if (config.Get(kEngineOfConfig, kDescriptor, 1, &place) != 1) return false;
    int notes[kMostNotes] = {};
    const int64_t count = engine.Get(kNotesOfEngine, kNote, kMostNotes, notes);
    return std::none_of(notes, notes + count, [&](int note) {
      return (note == kTensorCore && !is_rounded_) || note == kDownConvert || note == kReducedSum ||
             note == kFourier || note == kNondeterministic;
    });
  }

  bool Plan(const Descriptor& config) {
    auto plan = std::make_unique<Descriptor>(cudnn_, kPlan);
    plan->Set(kHandleOfPlan, kHandle, 1, &handle_).Set(kConfigOfPlan, config).Finalize();
    if (!plan->ok() || plan->Get(kWorkspaceOfPlan, kInt64, 1, &workspace_bytes_) != 1) return false;
    // More than this is rather left to other arrays.
    constexpr int64_t kMostWorkspace = int64_t{1} << 30;
    if (workspace_bytes_ > kMostWorkspace) return false;
    plan_ = std::move(plan);
    return true;
  }

  const Cudnn& cudnn_;
  void* const handle_;
  const ConvolutionCall::Kind kind_;
  const bool is_rounded_;
  int64_t workspace_bytes_ = 0;
  std::unique_ptr<Descriptor> plan_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<CudaConvolutions>> CudaConvolutions::Open(void* stream) {
  const absl::StatusOr<Cudnn>& cudnn = FindCudnn();
  if (!cudnn.ok()) return cudnn.status();
  void* handle = nullptr;
  int status = cudnn->Create(&handle);
  if (status == 0) status = cudnn->SetStream(handle, stream);
  if (status != 0) {
    return absl::UnavailableError(absl::StrCat("cuDNN cannot begin: it answers ", status));
  }
  return std::unique_ptr<CudaConvolutions>(new CudaConvolutions(*cudnn, handle));
}

std::shared_ptr<const LibraryCall> CudaConvolutions::Prepare(
    const ConvolutionCall& convolution) const {
  if (!IsRealFloating(convolution.type)) return nullptr;
  auto call = std::make_shared<const Convolution>(cudnn_, handle_, convolution);
  return call->ok() ? call : nullptr;
}

}  // namespace lamina::gpu
