// Times the libraries of a CUDA device, called directly, beside Lamina:
// bazel run //tools/bench:device_libraries
//
// For each case the two take turns on the same inputs, in one process. The library has its best
// algorithm: each that its heuristics name is tried (direct_cuda.h). Printed are the median times
// of a call and their ratio, and how far the two results are from one another. Products and
// convolutions are what Lamina calls the same libraries for; normalization, pooling and LSTM are
// kernels of its own, and the ratio says whether calling the library would pay.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/graph/optimize.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "tools/bench/direct_cuda.h"

ABSL_FLAG(std::string, only, "", "the cases whose names contain this");

namespace lamina::bench {
namespace {

using gpu::BoundProgram;
using gpu::ConvolutionCall;
using gpu::DeviceProgram;
using gpu::Gpu;
using gpu::ProductCall;
using Clock = std::chrono::steady_clock;
using Function = std::function<DlArrays(const DlArrays&)>;

// Something to compute in both ways. The library's first result is Lamina's first.
struct Case {
  std::string name;
  DlArrays inputs;
  Function function;
  std::function<DirectCase(const DirectDevice&, const std::vector<Floats>&)> direct;
};

DlArray Normal(const Sizes& sizes, std::string_view format = "") {
  return Randn(sizes, DataType::kSingle, format);
}

Case ProductCase(const std::string& name, ProductCall p) {
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
          }};
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

Case ConvolutionCase(const std::string& name, ConvolutionCall::Kind kind, int64_t side, int64_t in,
                     int64_t out, int64_t filter, int64_t batch) {
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
  Case made{.name = name, .inputs = {}, .function = {}, .direct = {}};
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
            [&](const DlArrays& in) { return DlConv(in[0], a[1], DlArray(), options); }, {ZerosLike(x)},
            a[0], false);
      };
      break;
    case ConvolutionCall::kWeights:
      made.inputs = {x, dy};
      made.function = [options, w](const DlArrays& a) {
        return Derivatives(
            [&](const DlArrays& in) { return DlConv(a[0], in[0], DlArray(), options); }, {ZerosLike(w)},
            a[1], false);
      };
      break;
  }
  made.direct = [call](const DirectDevice& device, const std::vector<Floats>& inputs) {
    return DirectConvolution(device, call, inputs);
  };
  return made;
}

// The function alone, and with its derivatives; the last input is the weights of these.
Case LayerCase(const std::string& name, DlArrays inputs, bool gradients,
               std::function<DlArray(const DlArrays&)> f,
               std::function<DirectCase(const DirectDevice&, const std::vector<Floats>&)> direct) {
  const auto function = [f = std::move(f), gradients](const DlArrays& in) {
    const DlArrays watched(in.begin(), in.end() - 1);
    return gradients ? Derivatives(f, watched, in.back(), true) : DlArrays{f(watched)};
  };
  return {name + (gradients ? "_grad" : "_fwd"), std::move(inputs), function, std::move(direct)};
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
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
  cases.push_back(
      ConvolutionCase("mnist_first_weights", ConvolutionCall::kWeights, 28, 1, 8, 3, 128));

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

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Starts `count` of them and waits for the end; seconds for one.
double SecondsOf(const std::function<void()>& start, const std::function<void()>& wait, int count) {
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < count; ++i) start();
  wait();
  return SecondsSince(begin) / count;
}

int CountFor(double seconds, double of_a_round) {
  return std::clamp(static_cast<int>(of_a_round / seconds), 2, 10000);
}

double Median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

// The fastest variant that the device takes; none when it takes none.
const DirectVariant* Fastest(const DirectDevice& device, const DirectCase& direct, int* taken) {
  const auto wait = [&] { device.Wait(); };
  const DirectVariant* best = nullptr;
  double least = INFINITY;
  *taken = 0;
  for (const DirectVariant& variant : direct.variants) {
    if (variant.start() != 0) continue;
    device.Wait();
    ++*taken;
    const auto start = [&] { variant.start(); };
    const double seconds = SecondsOf(start, wait, CountFor(SecondsOf(start, wait, 3), 0.01));
    if (seconds < least) {
      least = seconds;
      best = &variant;
    }
  }
  return best;
}

// The largest difference in parts of the largest value.
double Difference(const DlArray& y, const Floats& z) {
  double difference = 0, largest = 0;
  for (int64_t i = 0; i < y.numel(); ++i) {
    difference = std::max(difference, std::abs(y.At(i) - z[static_cast<size_t>(i)]));
    largest = std::max(largest, std::abs(y.At(i)));
  }
  return largest > 0 ? difference / largest : difference;
}

std::string Timed(const std::shared_ptr<Gpu>& gpu, const DirectDevice& device, const Case& c) {
  std::vector<ArraySpec> specs;
  std::vector<Floats> floats;
  for (const DlArray& x : c.inputs) {
    specs.push_back(x.spec());
    floats.push_back(x.ToVector<float>());
  }
  const Graph graph = Optimize(
      RecordGraph([&](Arrays in) { return c.function(DlArrays(in.begin(), in.end())); }, specs),
      ImageLayouts::kPlain);
  const gpu::DeviceParts parts = gpu::PartsForDevice(graph, *gpu->device());
  const auto program = std::make_shared<const DeviceProgram>(parts.graph, gpu);
  DlArrays inputs;
  for (const DlArray& x : c.inputs) inputs.push_back(gpu->ToDevice(x));
  for (const DlArray& x : parts.constants) inputs.push_back(gpu->ToDevice(x));
  const DlArrays outputs = program->RoomForOutputs();
  const BoundProgram ours(program, inputs, outputs);
  ours.Start();
  const DlArray y = Gather(outputs[0]);

  const DirectCase direct = c.direct(device, floats);
  int taken = 0;
  const DirectVariant* const best = Fastest(device, direct, &taken);
  if (best == nullptr) return "the library takes it in no way";
  best->start();
  const double difference =
      Difference(y, device.Fetch(direct.result, static_cast<size_t>(y.numel())));

  const auto start_ours = [&] { ours.Start(); };
  const auto wait_ours = [&] { gpu->device()->Wait(); };
  const auto start_direct = [&] { best->start(); };
  const auto wait_direct = [&] { device.Wait(); };
  constexpr double kSecondsOfARound = 0.05;
  const int ours_count = CountFor(SecondsOf(start_ours, wait_ours, 3), kSecondsOfARound),
            direct_count = CountFor(SecondsOf(start_direct, wait_direct, 3), kSecondsOfARound);
  std::vector<double> of_ours, of_direct;
  for (int round = 0; round < 7; ++round) {
    of_ours.push_back(SecondsOf(start_ours, wait_ours, ours_count));
    of_direct.push_back(SecondsOf(start_direct, wait_direct, direct_count));
  }
  const double a = Median(of_ours), b = Median(of_direct);
  return absl::StrFormat(
      "%9.2f us  library %9.2f us  ours / library %5.2f  difference %.1e  (%s; %d taken of %d)",
      a * 1e6, b * 1e6, a / b, difference, best->name, taken, direct.variants.size());
}

int Main() {
  const auto device = DirectDevice::Open();
  if (!device.ok() || !CanUseGpu().ok()) {
    std::cout << "Nothing is timed. " << (device.ok() ? CanUseGpu() : device.status()).message()
              << "\n";
    return 0;
  }
  const std::shared_ptr<Gpu> gpu = gpu::CurrentGpu();
  std::cout << gpu->device()->Name() << ", " << gpu->device()->CompilerKey() << "\n";
  Rng(1);
  for (const Case& c : Cases()) {
    if (c.name.find(absl::GetFlag(FLAGS_only)) == std::string::npos) continue;
    std::cout << absl::StrFormat("%-44s ", c.name) << std::flush;
    std::cout << Timed(gpu, **device, c) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times the libraries of a CUDA device beside Lamina");
  absl::ParseCommandLine(argc, argv);
  try {
    return lamina::bench::Main();
  } catch (const lamina::Error& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
