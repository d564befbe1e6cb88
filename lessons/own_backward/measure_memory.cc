// Measures what is kept between forward and backward by four ways to write SReLU, and draws it.
//
//   bazel run //lessons/own_backward:measure_memory -- FILE.svg
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "framework/cpu/allocator.h"
#include "framework/io/file.h"
#include "framework/io/svg_plot.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu_backward/srelu_backward_layer.h"
#include "lessons/own_backward/steps/greedy_srelu_layer.h"
#include "lessons/own_backward/steps/input_only_srelu_layer.h"

namespace lamina {
namespace {

constexpr int kLayers = 8;
const Sizes kSizes = {24, 24, 20, 16};
constexpr double kMebibyte = 1 << 20;

// [region measure]
// MiB in use after each of eight layers, one after another, with a tape that listens.
std::vector<double> KeptAfterEachLayer(AnyLayer layer) {
  const DlArray x = Rand(kSizes, DataType::kSingle, "SSCB");
  layer.Initialize({NetworkDataLayout::Of(x)});
  const int64_t before = cpu::Stats().bytes_in_use;
  return DlFeval(
      [&](const AnyLayer& watched, const DlArray& input) {
        std::vector<double> kept = {0};
        DlArray y = input;
        for (int i = 0; i < kLayers; ++i) {
          y = watched.Forward({y}).outputs[0];
          kept.push_back(static_cast<double>(cpu::Stats().bytes_in_use - before) / kMebibyte);
        }
        return kept;
      },
      layer, x);
}
// [endregion]

struct Way {
  std::string name;
  AnyLayer layer;
};

absl::Status Run(const std::string& path) {
  const std::vector<Way> ways = {{"everything declared, nothing Unused", GreedySReluLayer()},
                                 {"automatic", SReluLayer()},
                                 {"own, masks in the memory", SReluBackwardLayer()},
                                 {"own, from the input alone", InputOnlySReluLayer()}};
  const double elements = static_cast<double>(NumElements(kSizes));
  std::cout << absl::StreamFormat(
                   "Eight layers of 24 x 24 x 20 x 16 elements in single, %.2f MiB "
                   "for each array.\n\n",
                   4 * elements / kMebibyte)
            << "                                      MiB kept  bytes an element and layer\n";
  LineChart chart{.title = "Kept for backward while eight SReLU layers run forward",
                  .x = {.label = "layers that have run"},
                  .y = {.label = "MiB", .low = 0}};
  for (const Way& way : ways) {
    const std::vector<double> kept = KeptAfterEachLayer(way.layer);
    // The first layer may have to set something up: the seven after it tell.
    const double each = (kept.back() - kept[1]) * kMebibyte / (kLayers - 1) / elements;
    std::cout << absl::StreamFormat("%-36s  %8.1f  %26.1f\n", way.name, kept.back(), each);
    Series series{.name = way.name, .y = kept, .markers = true};
    for (size_t i = 0; i < kept.size(); ++i) series.x.push_back(static_cast<double>(i));
    chart.series.push_back(series);
  }
  const absl::StatusOr<std::string> svg = LineChartSvg({chart}, 1, 640, 400);
  return svg.ok() ? WriteFileAtomically(path, *svg) : svg.status();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: measure_memory FILE.svg\n";
    return 2;
  }
  const absl::Status status = lamina::Run(argv[1]);
  if (status.ok()) return 0;
  std::cerr << "measure_memory: " << status << "\n";
  return 1;
}
