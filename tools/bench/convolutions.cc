// Compares two ways to convolve images of single, and both gradients: one of ours and oneDNN as
// framework/cpu/convolution.h chooses it without ours, on plain images, called in turn:
//
//   convolutions                                # on vectors of pixels (convolution_vectors.h)
//   convolutions --ours=amx                     # on the matrix unit (convolution_amx.h)
//   convolutions --ours=winograd                # Winograd's algorithm (convolution_winograd.h)
//   convolutions --shapes=64x64x28x32x3         # channels in x out, side, observations, filter
//   convolutions --threads=1
//
// prints, for each shape and number of threads, the milliseconds of the fastest call of each, and
// their ratio. One thread: processor time of the thread; more: time of the clock. The shapes are
// those that docs/performance.md tells of.
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "framework/cpu/amx.h"
#include "framework/cpu/convolution_amx.h"
#include "framework/cpu/convolution_dnnl.h"
#include "framework/cpu/convolution_vectors.h"
#include "framework/cpu/convolution_winograd.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"
#include "tools/bench/in_turn.h"

ABSL_FLAG(std::string, ours, "vectors", "which way of ours: vectors, amx or winograd");
ABSL_FLAG(std::vector<std::string>, shapes, {},
          "channels in x channels out x side of the image x observations x side of the filter");
ABSL_FLAG(std::vector<std::string>, threads, (std::vector<std::string>{"1", "2"}),
          "numbers of threads");
ABSL_FLAG(double, seconds, 0.5, "how long the two take turns for one line");

namespace lamina::bench {
namespace {

using cpu::ConvolutionKind;
using cpu::ConvolutionShape;

void OneDnn(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights,
            float* bias, float* y) {
  LAMINA_CHECK(cpu::DnnlConvolution(kind, shape, x, weights, bias, y));
}
void Vectors(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights,
             float* bias, float* y) {
  LAMINA_CHECK(cpu::VectorConvolution(kind, shape, x, weights, bias, y));
}
void Amx(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights, float*,
         float* y) {
  cpu::AmxConvolution(kind, shape, x, weights, nullptr, y, OneDnn);
}

void Winograd(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights, float*,
              float* y) {
  cpu::WinogradConvolution(kind, shape, x, weights, nullptr, y);
}

// One of our ways.
struct Way {
  const char* name;
  void (*convolve)(ConvolutionKind, const ConvolutionShape&, float*, float*, float*, float*);
  bool (*pays)(ConvolutionKind, const ConvolutionShape&);
  std::vector<std::string> shapes;
};

std::vector<float> Numbers(int64_t count) {
  std::vector<float> x(static_cast<size_t>(count));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i * 37 % 101) / 101 - 0.5F;
  return x;
}

// Images keep their size.
bool Run(const Way& way, const std::string& name, const std::vector<int64_t>& sizes) {
  ConvolutionShape s;
  s.channels_in = sizes[0];
  s.channels_out = sizes[1];
  s.input = {sizes[2], sizes[2], 1};
  s.batch = sizes[3];
  s.kernel = {sizes[4], sizes[4], 1};
  s.pad_begin = {sizes[4] / 2, sizes[4] / 2, 0};
  s.pad_end = {(sizes[4] - 1) / 2, (sizes[4] - 1) / 2, 0};
  if (!cpu::ComputeOutputSize(&s)) return false;
  const int64_t pixels = sizes[2] * sizes[2] * sizes[3];
  std::vector<float> x = Numbers(pixels * sizes[0]), y = Numbers(pixels * sizes[1]),
                     w = Numbers(sizes[0] * sizes[1] * sizes[4] * sizes[4]);
  const struct {
    ConvolutionKind kind;
    const char* name;
  } kinds[] = {{ConvolutionKind::kForward, "forward"},
               {ConvolutionKind::kBackwardData, "gradient of the data"},
               {ConvolutionKind::kBackwardWeights, "gradient of the weights"}};
  for (const std::string& threads : absl::GetFlag(FLAGS_threads)) {
    int count = 0;
    if (!absl::SimpleAtoi(threads, &count) || count < 1) return false;
    cpu::SetNumThreads(count);
    for (const auto& [kind, kind_name] : kinds) {
      const InTurnTimes least =
          InTurn([&, kind = kind] { way.convolve(kind, s, x.data(), w.data(), nullptr, y.data()); },
                 [&, kind = kind] { OneDnn(kind, s, x.data(), w.data(), nullptr, y.data()); },
                 absl::GetFlag(FLAGS_seconds));
      std::printf("%-16s %d threads  %-23s  %s %7.3f ms  oneDNN %7.3f ms  ratio %5.2f  %s\n",
                  name.c_str(), count, kind_name, way.name, 1e3 * least.first, 1e3 * least.second,
                  least.second / least.first, way.pays(kind, s) ? "ours is taken" : "");
      std::fflush(stdout);
    }
  }
  return true;
}

int Main() {
  const std::vector<std::string> few_channels = {
      "1x8x28x128x3", "8x16x14x128x3", "16x32x7x128x3", "3x16x32x64x3", "3x32x32x64x5",
      "8x8x28x64x3",  "16x16x28x64x3", "32x32x14x64x3", "32x64x7x64x3", "24x24x14x64x3",
      "8x32x28x64x1", "32x32x28x32x1", "1x8x28x1x3",    "3x64x112x4x3"};
  const std::vector<std::string> many_channels = {
      "64x64x28x32x3", "32x32x56x8x3", "128x128x14x32x3", "256x256x7x32x3", "64x64x28x1x3",
      "48x48x20x16x3", "32x64x28x8x5", "256x64x28x8x1",   "8x16x14x128x3",  "16x32x7x128x3"};
  const std::vector<std::string> three_by_three = {
      "64x64x28x32x3",   "32x32x56x8x3",   "16x16x28x64x3",   "24x24x14x64x3", "16x32x7x128x3",
      "128x128x14x32x3", "256x256x28x4x3", "512x512x14x12x3", "64x64x112x2x3"};
  const Way ways[] = {{"vectors", Vectors, cpu::VectorConvolutionPays, few_channels},
                      {"amx", Amx, cpu::AmxConvolutionPays, many_channels},
                      {"winograd", Winograd, cpu::WinogradPays, three_by_three}};
  const Way* way = nullptr;
  for (const Way& one : ways) {
    if (absl::GetFlag(FLAGS_ours) == one.name) way = &one;
  }
  if (way == nullptr) {
    std::cerr << "--ours is vectors, amx or winograd.\n";
    return 1;
  }
  if (way->convolve == Amx && !cpu::HasAmx()) {
    std::cerr << "This processor or system has no AMX with bfloat16, or LAMINA_CPU forbids it.\n";
    return 1;
  }
  if (way->convolve == Winograd && cpu::CurrentInstructionSet() == cpu::InstructionSet::kV2) {
    std::cerr << "This processor has no AVX2, or LAMINA_CPU forbids it.\n";
    return 1;
  }
  std::vector<std::string> shapes = absl::GetFlag(FLAGS_shapes);
  if (shapes.empty()) shapes = way->shapes;
  for (const std::string& shape : shapes) {
    std::vector<int64_t> sizes;
    bool is_right = true;
    for (const auto part : absl::StrSplit(shape, 'x')) {
      sizes.push_back(0);
      is_right = absl::SimpleAtoi(part, &sizes.back()) && sizes.back() > 0 && is_right;
    }
    if (!is_right || sizes.size() != 5 || !Run(*way, shape, sizes)) {
      std::cerr << "Shapes are like 64x64x28x32x3, numbers of threads like 1; \"" << shape
                << "\" or --threads is not.\n";
      return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("compares our convolutions with oneDNN's");
  absl::ParseCommandLine(argc, argv);
  return lamina::bench::Main();
}
