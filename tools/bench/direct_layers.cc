// Normalization, pooling and LSTM by cuDNN's functions for layers, and pooling by its engines too.
#include <dlfcn.h>

#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"
#include "tools/bench/cudnn_engines.h"
#include "tools/bench/cudnn_layers.h"
#include "tools/bench/direct_cuda.h"

namespace lamina::bench {
namespace {

// Values of cudnn_graph.h, cudnn_ops.h and cudnn_adv.h.
constexpr int kFloat = 0, kNchw = 0, kFmaMath = 3;
constexpr int kSpatial = 1, kPersistent = 2;    // Ways to normalize.
constexpr int kMax = 0, kMaxDeterministic = 3;  // Ways to pool.
constexpr int kLstm = 2, kSingleInputBias = 1, kTraining = 1, kInference = 0, kAdd = 0;
constexpr float kOne = 1, kZero = 0;
constexpr double kEpsilon = 1e-5;

void* Handle(const DirectDevice& device) {
  void* handle = nullptr;
  CheckAnswer(gpu::FindCudnn()->Create(&handle));
  CheckAnswer(gpu::FindCudnn()->SetStream(handle, device.stream()));
  return handle;
}

void* Tensor(const CudnnLayers& dnn, int n, int c, int h, int w) {
  void* tensor = nullptr;
  CheckAnswer(dnn.CreateTensor(&tensor));
  CheckAnswer(dnn.SetTensor4d(tensor, kNchw, kFloat, n, c, h, w));
  return tensor;
}

void* Tensor3d(const CudnnLayers& dnn, std::array<int, 3> sizes) {
  void* tensor = nullptr;
  const int strides[] = {sizes[1] * sizes[2], sizes[2], 1};
  CheckAnswer(dnn.CreateTensor(&tensor));
  CheckAnswer(dnn.SetTensorNd(tensor, kFloat, 3, sizes.data(), strides));
  return tensor;
}

// The engines that the backend interface names for the same pooling; with gradients each with the
// first one that it names for these.
std::vector<DirectVariant> PoolingEngines(const DirectDevice& device, void* handle,
                                          const DirectImages& images, bool gradients, void* x,
                                          void* y, void* dy, void* dx) {
  const gpu::Cudnn& cudnn = *gpu::FindCudnn();
  gpu::PoolingCall call{.shape = {}};
  call.shape.planes = int64_t{images.channels} * images.batch;
  call.shape.input = {images.width, images.height, 1};
  call.shape.window = call.shape.stride = {2, 2, 1};
  LAMINA_CHECK(cpu::ComputeOutputSize(&call.shape));
  const std::vector<CudnnEngine> engines = EnginesFor(cudnn, handle, OperationOf(cudnn, call));
  call.kind = gpu::PoolingCall::kGradient;
  const std::vector<CudnnEngine> backward = EnginesFor(cudnn, handle, OperationOf(cudnn, call));
  const auto execution = [&](const CudnnEngine& engine, const std::vector<int64_t>& numbers,
                             const std::vector<void*>& arrays) {
    void* const workspace = device.Room(static_cast<size_t>(engine.workspace_bytes));
    return Execution(cudnn, handle, engine, numbers, arrays, workspace);
  };
  std::vector<DirectVariant> variants;
  for (const CudnnEngine& engine : engines) {
    std::function<int()> start = execution(engine, {gpu::kCudnnData, gpu::kCudnnResult}, {x, y});
    if (gradients) {
      if (backward.empty()) break;
      const std::function<int()> then = execution(
          backward[0],
          {gpu::kCudnnData, gpu::kCudnnResult, gpu::kCudnnResultGradient, gpu::kCudnnDataGradient},
          {x, y, dy, dx});
      start = [first = std::move(start), then] {
        const int status = first();
        return status == 0 ? then() : status;
      };
    }
    variants.push_back({engine.name, std::move(start)});
  }
  return variants;
}

// Gates come in the same order, but rows of their matrices lie one after another.
void SetLstmWeights(const DirectDevice& device, const CudnnLayers& dnn, void* handle, void* rnn,
                    const DirectLstmSizes& s, const std::vector<Floats>& inputs, size_t bytes,
                    void* weights) {
  void *matrix = nullptr, *bias = nullptr;
  CheckAnswer(dnn.CreateTensor(&matrix));
  CheckAnswer(dnn.CreateTensor(&bias));
  const auto hidden = static_cast<size_t>(s.hidden);
  for (int part = 0; part < 8; ++part) {
    const bool is_recurrent = part >= 4;
    const Floats& from = inputs[is_recurrent ? 2 : 1];
    const auto gate = static_cast<size_t>(part % 4), columns = from.size() / (4 * hidden);
    void *to = nullptr, *to_bias = nullptr;
    CheckAnswer(dnn.RnnWeights(handle, rnn, 0, bytes, weights, part, matrix, &to, bias, &to_bias));
    Floats rows;
    for (size_t r = 0; r < hidden; ++r) {
      for (size_t c = 0; c < columns; ++c) rows.push_back(from[gate * hidden + r + 4 * hidden * c]);
    }
    device.CopyTo(to, rows);
    if (is_recurrent) continue;  // One bias alone.
    const auto first = inputs[3].begin() + static_cast<std::ptrdiff_t>(gate * hidden);
    device.CopyTo(to_bias, Floats(first, first + s.hidden));
  }
}

}  // namespace

const absl::StatusOr<CudnnLayers>& FindCudnnLayers() {
  static const auto& layers = *new absl::StatusOr<CudnnLayers>([]() -> absl::StatusOr<CudnnLayers> {
    if (!gpu::FindCudnn().ok()) return gpu::FindCudnn().status();
    void* const library = dlopen("libcudnn.so.9", RTLD_NOW | RTLD_LOCAL);
    CudnnLayers found;
    std::string missing;
#define LAMINA_FIND(member, symbol, arguments)                                     \
  found.member = reinterpret_cast<decltype(found.member)>(dlsym(library, symbol)); \
  if (found.member == nullptr) absl::StrAppend(&missing, " ", symbol);
    LAMINA_CUDNN_LAYERS(LAMINA_FIND)
#undef LAMINA_FIND
    if (!missing.empty()) {
      return absl::FailedPreconditionError(absl::StrCat("cuDNN lacks", missing, "."));
    }
    return found;
  }());
  return layers;
}

size_t DirectImages::numel() const {
  return static_cast<size_t>(width) * static_cast<size_t>(height) * static_cast<size_t>(channels) *
         static_cast<size_t>(batch);
}

DirectCase DirectBatchNorm(const DirectDevice& device, const DirectImages& images, bool gradients,
                           const std::vector<Floats>& inputs) {
  const CudnnLayers& dnn = *FindCudnnLayers();
  void* const handle = Handle(device);
  void* const all = Tensor(dnn, images.batch, images.channels, images.height, images.width);
  void* const of_channels = Tensor(dnn, 1, images.channels, 1, 1);
  const size_t bytes = images.numel() * sizeof(float),
               channel_bytes = static_cast<size_t>(images.channels) * sizeof(float);
  void *const x = device.Copy(inputs[0]), *const offset = device.Copy(inputs[1]),
              *const scale = device.Copy(inputs[2]), *const dy = device.Copy(inputs[3]),
              *const y = device.Room(bytes), *const dx = device.Room(bytes),
              *const mean = device.Room(channel_bytes), *const inverse = device.Room(channel_bytes),
              *const dscale = device.Room(channel_bytes),
              *const doffset = device.Room(channel_bytes);
  DirectCase made{.variants = {}, .result = y};
  for (const auto& [name, mode] : {std::pair{"spatial", kSpatial}, {"persistent", kPersistent}}) {
    made.variants.push_back({name, [=, &dnn, mode = mode] {
                               int status = dnn.NormForward(
                                   handle, mode, &kOne, &kZero, all, x, all, y, of_channels, scale,
                                   offset, 1.0, nullptr, nullptr, kEpsilon, mean, inverse);
                               if (status == 0 && gradients) {
                                 status =
                                     dnn.NormBackward(handle, mode, &kOne, &kZero, &kOne, &kZero,
                                                      all, x, all, dy, all, dx, of_channels, scale,
                                                      dscale, doffset, kEpsilon, mean, inverse);
                               }
                               return status;
                             }});
  }
  return made;
}

DirectCase DirectMaxPool(const DirectDevice& device, const DirectImages& images, bool gradients,
                         const std::vector<Floats>& inputs) {
  const CudnnLayers& dnn = *FindCudnnLayers();
  void* const handle = Handle(device);
  void* const of_x = Tensor(dnn, images.batch, images.channels, images.height, images.width);
  void* const of_y =
      Tensor(dnn, images.batch, images.channels, images.height / 2, images.width / 2);
  const size_t bytes = images.numel() * sizeof(float);
  void *const x = device.Copy(inputs[0]), *const dy = device.Copy(inputs[1]),
              *const y = device.Room(bytes), *const dx = device.Room(bytes);
  DirectCase made{.variants = {}, .result = y};
  for (const auto& [name, mode] :
       {std::pair{"max", kMax}, {"max, deterministic", kMaxDeterministic}}) {
    void* pooling = nullptr;
    CheckAnswer(dnn.CreatePooling(&pooling));
    CheckAnswer(dnn.SetPooling2d(pooling, mode, /*NaN goes on*/ 1, 2, 2, 0, 0, 2, 2));
    made.variants.push_back({name, [=, &dnn] {
                               int status = dnn.PoolForward(handle, pooling, &kOne, of_x, x, &kZero,
                                                            of_y, y);
                               if (status == 0 && gradients) {
                                 status = dnn.PoolBackward(handle, pooling, &kOne, of_y, y, of_y,
                                                           dy, of_x, x, &kZero, of_x, dx);
                               }
                               return status;
                             }});
  }
  for (auto& variant : PoolingEngines(device, handle, images, gradients, x, y, dy, dx)) {
    made.variants.push_back(std::move(variant));
  }
  return made;
}

DirectCase DirectLstm(const DirectDevice& device, const DirectLstmSizes& s, bool gradients,
                      const std::vector<Floats>& inputs) {
  const CudnnLayers& dnn = *FindCudnnLayers();
  void *const handle = Handle(device), *const states = Tensor3d(dnn, {1, s.batch, s.hidden});
  const size_t steps = static_cast<size_t>(s.batch) * static_cast<size_t>(s.steps) * sizeof(float),
               x_bytes = steps * static_cast<size_t>(s.channels),
               y_bytes = steps * static_cast<size_t>(s.hidden);
  void *const x = device.Copy(inputs[0]), *const dy = device.Copy(inputs[4]),
              *const y = device.Room(y_bytes), *const dx = device.Room(x_bytes);
  const std::vector<int> lengths(static_cast<size_t>(s.batch), s.steps);
  void *of_x = nullptr, *of_y = nullptr, *dropout = nullptr;
  for (auto& [of, size] : {std::pair<void**, int>{&of_x, s.channels}, {&of_y, s.hidden}}) {
    CheckAnswer(dnn.CreateRnnData(of));
    // Packed: sequences of one length lie as unpacked ones do, for which cuDNN wants padding.
    CheckAnswer(dnn.SetRnnData(*of, kFloat, /*time steps slowest, packed*/ 1, s.steps, s.batch,
                               size, lengths.data(), nullptr));
  }
  CheckAnswer(dnn.CreateDropout(&dropout));
  CheckAnswer(dnn.SetDropout(dropout, handle, 0, nullptr, 0, 0));

  DirectCase made{.variants = {}, .result = y};
  const char* const names[] = {"standard", "persistent", "persistent, compiled",
                               "persistent, few units"};
  for (int algorithm = 0; algorithm < 4; ++algorithm) {
    void* rnn = nullptr;
    size_t weight_bytes = 0, workspace_bytes = 0, reserve_bytes = 0;
    CheckAnswer(dnn.CreateRnn(&rnn));
    if (dnn.SetRnn(rnn, algorithm, kLstm, kSingleInputBias, 0, 0, kFloat, kFloat, kFmaMath,
                   s.channels, s.hidden, s.hidden, 1, dropout, 0) != 0 ||
        (algorithm == 2 && dnn.BuildDynamic(handle, rnn, s.batch) != 0) ||
        dnn.RnnWeightBytes(handle, rnn, &weight_bytes) != 0 ||
        dnn.RnnTempBytes(handle, rnn, gradients ? kTraining : kInference, of_x, &workspace_bytes,
                         &reserve_bytes) != 0) {
      continue;
    }
    void *const weights = device.Room(weight_bytes), *const dweights = device.Room(weight_bytes),
                *const workspace = device.Room(workspace_bytes),
                *const reserve = device.Room(reserve_bytes);
    SetLstmWeights(device, dnn, handle, rnn, s, inputs, weight_bytes, weights);
    const int mode = gradients ? kTraining : kInference;
    made.variants.push_back(
        {names[algorithm], [=, &dnn] {
           int status = dnn.RnnForward(handle, rnn, mode, nullptr, of_x, x, of_y, y, states,
                                       nullptr, nullptr, states, nullptr, nullptr, weight_bytes,
                                       weights, workspace_bytes, workspace, reserve_bytes, reserve);
           if (status != 0 || !gradients) return status;
           status = dnn.RnnBackwardData(handle, rnn, nullptr, of_y, y, dy, of_x, dx, states,
                                        nullptr, nullptr, nullptr, states, nullptr, nullptr,
                                        nullptr, weight_bytes, weights, workspace_bytes, workspace,
                                        reserve_bytes, reserve);
           if (status != 0) return status;
           return dnn.RnnBackwardWeights(handle, rnn, kAdd, nullptr, of_x, x, states, nullptr, of_y,
                                         y, weight_bytes, dweights, workspace_bytes, workspace,
                                         reserve_bytes, reserve);
         }});
  }
  return made;
}

}  // namespace lamina::bench
