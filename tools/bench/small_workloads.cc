// Work so small that a second thread may cost more than it brings. Sizes lie on both sides of where
// the kernels begin to use one: 64 Ki numbers of cheap functions, 8 Ki of expensive ones, two
// million operations of a product.
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "tools/bench/families.h"
#include "tools/bench/workloads.h"

namespace lamina::bench {
namespace {

using Function = std::function<DlArray(const DlArrays&)>;

// One op by itself.
Workload Eager(std::string name, std::function<DlArrays(DataType)> inputs, Function f) {
  return {std::move(name), [=](DataType type) {
            return Work{.inputs = inputs(type),
                        .function = [=](const DlArrays& in) { return DlArrays{f(in)}; },
                        .is_eager = true};
          }};
}

// Ops on one array with 1, 8, 16 and 64 Ki elements, in columns of 64.
void AddOfEachSize(std::vector<Workload>& all, const std::string& name, const Function& f) {
  for (const int64_t kibi : {1, 8, 16, 64}) {
    const auto inputs = [=](DataType type) { return DlArrays{Randn({64, kibi * 16}, type, "CB")}; };
    all.push_back(Eager(absl::StrCat(name, "_", kibi, "k"), inputs, f));
  }
}

// Functions that are accelerated, with gradients.
void AddAcceleratedOfEachSize(std::vector<Workload>& all) {
  for (const int64_t kibi : {1, 16, 64}) {
    all.push_back({absl::StrCat("srelu_grad_", kibi, "k"), SReluGradOf(kibi * 1024).make});
    all.push_back({absl::StrCat("elementwise_chain_grad_", kibi, "k"),
                   [=](DataType type) { return ElementwiseChainGrad(type, kibi * 1024); }});
  }
}

DlArray Product(const DlArrays& in) { return MatMul(in[0], in[1]); }

void AddProducts(std::vector<Workload>& all) {
  for (const int64_t n : {8, 32, 64, 100, 128}) {
    const auto inputs = [=](DataType type) {
      return DlArrays{Randn({n, n}, type), Randn({n, n}, type)};
    };
    all.push_back(Eager(absl::StrCat("gemm_", n), inputs, Product));
    all.push_back({absl::StrCat("gemm_", n, "_accelerated"), [=](DataType type) {
                     return Work{.inputs = inputs(type), .function = [](const DlArrays& in) {
                                   return DlArrays{Product(in)};
                                 }};
                   }});
  }
}

void AddImages(std::vector<Workload>& all) {
  // 0.01, 0.3, 2.4 and 9 million operations.
  const struct {
    int64_t side, channels, batch;
  } kConvolutions[] = {{5, 4, 2}, {8, 16, 1}, {8, 16, 8}, {16, 16, 8}};
  for (const auto& [side, channels, batch] : kConvolutions) {
    const auto inputs = [=](DataType type) {
      return DlArrays{Randn({side, side, channels, batch}, type, "SSCB"),
                      Randn({3, 3, channels, channels}, type), Randn({channels}, type)};
    };
    const auto convolve = [](const DlArrays& in) {
      return DlConv(in[0], in[1], in[2], {.padding = 1});
    };
    const std::string name = absl::StrCat("conv_", side, "x", side, "x", channels, "x", batch);
    all.push_back(Eager(name, inputs, convolve));
    // As checks of gradients do.
    const auto in_double = [=](DataType) { return inputs(DataType::kDouble); };
    all.push_back(Eager(name + "_double", in_double, convolve));
    all.push_back({name + "_grad", [=](DataType type) {
                     return WithGradients(convolve, inputs(type),
                                          Randn({side, side, channels, batch}, type, "SSCB"));
                   }});
  }
  for (const int64_t batch : {1, 8, 64}) {
    const auto images = [=](DataType type) {
      return DlArrays{Randn({8, 8, 16, batch}, type, "SSCB")};
    };
    all.push_back(Eager(absl::StrCat("max_pool_", batch, "k"), images, [](const DlArrays& in) {
      return MaxPool(in[0], {.window = {2, 2}, .stride = {2, 2}});
    }));
  }
}

void AddNormalizations(std::vector<Workload>& all) {
  for (const int64_t batch : {8, 64, 512}) {
    const auto inputs = [=](DataType type) {
      return DlArrays{Randn({128, batch}, type, "CB"), Randn({128}, type), Randn({128}, type)};
    };
    const auto normalize = [](const DlArrays& in) { return LayerNorm(in[0], in[1], in[2]); };
    const std::string name = absl::StrCat("layer_norm_", batch / 8, "k");
    all.push_back(Eager(name, inputs, normalize));
    all.push_back({name + "_grad", [=](DataType type) {
                     return WithGradients(normalize, inputs(type), Randn({128, batch}, type, "CB"));
                   }});
  }
}

std::vector<Workload> Made() {
  std::vector<Workload> all{
      {"mlp_tiny_adam", MlpTinyAdam},
      {"mlp_digits_adam", MlpDigitsAdam},
      {"predict_mnist", PredictMnist},
      {"gradcheck_srelu", GradcheckSRelu},
      {"add_16_x1000", Add16Times1000},
      {"add_16_taped_x1000", Add16TapedTimes1000},
      {"lstm_grad_small",
       [](DataType type) {
         return LstmGrad(type, {.channels = 4, .hidden = 16, .batch = 8, .steps = 20});
       }},
  };
  AddOfEachSize(all, "add", [](const DlArrays& in) { return in[0] + in[0]; });
  AddOfEachSize(all, "tanh", [](const DlArrays& in) { return Tanh(in[0]); });
  AddOfEachSize(all, "sum", [](const DlArrays& in) { return Sum(in[0]); });
  AddOfEachSize(all, "softmax", [](const DlArrays& in) { return Softmax(in[0]); });
  AddOfEachSize(all, "transpose", [](const DlArrays& in) { return Transpose(StripDims(in[0])); });
  AddOfEachSize(all, "randn", [](const DlArrays& in) { return RandnLike(in[0]); });
  AddAcceleratedOfEachSize(all);
  AddProducts(all);
  AddImages(all);
  AddNormalizations(all);
  return all;
}

}  // namespace

const std::vector<Workload>& SmallWorkloads() {
  static const auto* const kWorkloads = new std::vector<Workload>(Made());
  return *kWorkloads;
}

}  // namespace lamina::bench
