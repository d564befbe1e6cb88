#include "tools/bench/library_cases.h"

#include <initializer_list>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"

namespace lamina::bench {
namespace {

using gpu::ConvolutionCall;
using gpu::ProductCall;

DlArray Normal(const Sizes& sizes, std::string_view format = "") {
  return Randn(sizes, DataType::kSingle, format);
}

LibraryCase ProductCase(const std::string& name, ProductCall p) {
  p.x_page = p.pages == 1 ? 0 : p.m * p.k;
  p.y_page = p.pages == 1 ? 0 : p.k * p.n;
  const auto sizes = [&](bool transpose, int64_t rows, int64_t columns) {
    Sizes all = transpose ? Sizes{columns, rows} : Sizes{rows, columns};
    if (p.pages > 1) all.push_back(p.pages);
    return all;
  };
  return {absl::StrFormat("%s %dx%dx%d%s%s%s", name, p.m, p.n, p.k, p.transpose_x ? " x'" : "",
                          p.transpose_y ? " y'" : "",
                          p.pages > 1 ? absl::StrCat(" ", p.pages, " pages") : ""),
          {Normal(sizes(p.transpose_x, p.m, p.k)), Normal(sizes(p.transpose_y, p.k, p.n))},
          [p](const DlArrays& in) {
            return DlArrays{MatMul(in[0], in[1], p.transpose_x, p.transpose_y)};
          },
          [p](const DirectDevice& device, const std::vector<Floats>& inputs) {
            return DirectProduct(device, p, inputs);
          },
          /*is_call=*/true};
}

// y, or derivatives of it with the weights dy.
DlArrays Derivatives(const std::function<DlArray(const DlArrays&)>& f, const DlArrays& inputs,
                     const DlArray& dy, bool with_y) {
  return DlFeval(
      [&](const DlArrays& watched) {
        const DlArray y = f(watched);
        DlArrays all;
        if (with_y) all.push_back(y);
        for (const DlArray& g : DlVectorJacobian(y, dy, watched)) all.push_back(g);
        return all;
      },
      inputs);
}

LibraryCase ConvolutionCase(const std::string& name, ConvolutionCall::Kind kind, int64_t side,
                            int64_t in, int64_t out, int64_t filter, int64_t batch) {
  ConvolutionCall call{.kind = kind, .shape = {}};
  cpu::ConvolutionShape& s = call.shape;
  s.spatial_rank = 2;
  s.batch = batch;
  s.channels_in = in;
  s.channels_out = out;
  s.input = s.output = {side, side, 1};
  s.kernel = {filter, filter, 1};
  s.pad_begin = s.pad_end = {filter / 2, filter / 2, 0};
  const DlArray x = Normal({side, side, in, batch}, "SSCB"), w = Normal({filter, filter, in, out}),
                dy = Normal({side, side, out, batch}, "SSCB");
  const ConvOptions options{.padding = filter / 2};
  LibraryCase made{.name = name, .inputs = {}, .function = {}, .direct = {}, .is_call = true};
  switch (kind) {
    case ConvolutionCall::kForward:
      made.inputs = {x, w};
      made.function = [options](const DlArrays& a) {
        return DlArrays{DlConv(a[0], a[1], DlArray(), options)};
      };
      break;
    case ConvolutionCall::kData:
      made.inputs = {dy, w};
      made.function = [options, x](const DlArrays& a) {
        return Derivatives(
            [&](const DlArrays& in) { return DlConv(in[0], a[1], DlArray(), options); },
            {ZerosLike(x)}, a[0], false);
      };
      break;
    case ConvolutionCall::kWeights:
      made.inputs = {x, dy};
      made.function = [options, w](const DlArrays& a) {
        return Derivatives(
            [&](const DlArrays& in) { return DlConv(a[0], in[0], DlArray(), options); },
            {ZerosLike(w)}, a[1], false);
      };
      break;
  }
  made.direct = [call](const DirectDevice& device, const std::vector<Floats>& inputs) {
    return DirectConvolution(device, call, inputs);
  };
  return made;
}

// The function alone, and with its derivatives; the last input is the weights of these.
LibraryCase LayerCase(
    const std::string& name, DlArrays inputs, bool gradients,
    std::function<DlArray(const DlArrays&)> f,
    std::function<DirectCase(const DirectDevice&, const std::vector<Floats>&)> direct) {
  const auto function = [f = std::move(f), gradients](const DlArrays& in) {
    const DlArrays watched(in.begin(), in.end() - 1);
    return gradients ? Derivatives(f, watched, in.back(), true) : DlArrays{f(watched)};
  };
  return {name + (gradients ? "_grad" : "_fwd"), std::move(inputs), function, std::move(direct)};
}

}  // namespace

std::vector<LibraryCase> LibraryCases() {
  std::vector<LibraryCase> cases;
  cases.push_back(ProductCase("gemm_1024", {.m = 1024, .n = 1024, .k = 1024}));
  // Those of attention_grad: the projections and their gradients, scores and values.
  for (const ProductCall& p : std::initializer_list<ProductCall>{
           {.m = 768, .n = 2048, .k = 256},
           {.m = 256, .n = 2048, .k = 768, .transpose_x = true},
           {.m = 768, .n = 256, .k = 2048, .transpose_y = true},
           {.m = 256, .n = 2048, .k = 256},
           {.m = 256, .n = 2048, .k = 256, .transpose_x = true},
           {.m = 256, .n = 256, .k = 2048, .transpose_y = true},
           {.m = 512, .n = 512, .k = 32, .transpose_x = true, .pages = 32},
           {.m = 32, .n = 512, .k = 512, .pages = 32},
           {.m = 32, .n = 512, .k = 512, .transpose_y = true, .pages = 32}}) {
    cases.push_back(ProductCase("attention_grad", p));
  }
  for (const auto& [name, kind] : {std::pair{"conv_64_28_fwd", ConvolutionCall::kForward},
                                   {"conv_64_28_data", ConvolutionCall::kData},
                                   {"conv_64_28_weights", ConvolutionCall::kWeights}}) {
    cases.push_back(ConvolutionCase(name, kind, 28, 64, 64, 3, 32));
  }
  // A few weights of long sums, for which Lamina has a kernel of its own.
  cases.push_back(
      ConvolutionCase("mnist_first_weights", ConvolutionCall::kWeights, 28, 1, 8, 3, 128));
  cases.back().is_call = false;

  for (const bool gradients : {false, true}) {
    const DirectImages images{.width = 28, .height = 28, .channels = 64, .batch = 32};
    cases.push_back(LayerCase(
        "batch_norm_64_28",
        {Normal({28, 28, 64, 32}, "SSCB"), Normal({64}), Normal({64}),
         Normal({28, 28, 64, 32}, "SSCB")},
        gradients, [](const DlArrays& in) { return BatchNorm(in[0], in[1], in[2]).y; },
        [=](const DirectDevice& device, const std::vector<Floats>& inputs) {
          return DirectBatchNorm(device, images, gradients, inputs);
        }));
  }
  for (const bool gradients : {false, true}) {
    const DirectImages images{.width = 28, .height = 28, .channels = 8, .batch = 128};
    cases.push_back(LayerCase(
        "max_pool_8_28", {Normal({28, 28, 8, 128}, "SSCB"), Normal({14, 14, 8, 128}, "SSCB")},
        gradients,
        [](const DlArrays& in) {
          return MaxPool(in[0], {.window = {2, 2}, .stride = {2, 2}});
        },
        [=](const DirectDevice& device, const std::vector<Floats>& inputs) {
          return DirectMaxPool(device, images, gradients, inputs);
        }));
  }
  for (const bool gradients : {false, true}) {  // As lstm_grad.
    const DirectLstmSizes s{.channels = 12, .hidden = 100, .batch = 32, .steps = 100};
    cases.push_back(LayerCase(
        "lstm_100",
        {Normal({s.channels, s.batch, s.steps}, "CBT"), 0.1 * Normal({4 * s.hidden, s.channels}),
         0.1 * Normal({4 * s.hidden, s.hidden}), 0.1 * Normal({4 * s.hidden, 1}),
         Normal({s.hidden, s.batch, s.steps}, "CBT")},
        gradients,
        [](const DlArrays& in) { return Lstm(in[0], DlArray(), DlArray(), in[1], in[2], in[3]).y; },
        [=](const DirectDevice& device, const std::vector<Floats>& inputs) {
          return DirectLstm(device, s, gradients, inputs);
        }));
  }
  return cases;
}

}  // namespace lamina::bench
