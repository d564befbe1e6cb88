#include "lessons/quickstart/srelu_shapes.h"

#include <algorithm>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/svg_plot.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina {
namespace {

constexpr int kPoints = 401;
constexpr double kLow = -2, kHigh = 2;

std::vector<double> Abscissas() {
  std::vector<double> x(kPoints);
  for (int i = 0; i < kPoints; ++i) x[i] = kLow + (kHigh - kLow) * i / (kPoints - 1);
  return x;
}

// y of every channel, points x 1 x channels.
absl::StatusOr<DlArray> Shapes(const DlNetwork& network, const std::string& name) {
  for (int i = 0; i < network.NumLayers(); ++i) {
    if (network.layer(i)->Name() != name) continue;
    const SReluLayer* layer = network.layer(i).As<SReluLayer>();
    if (layer == nullptr || layer->left_slope.empty()) break;
    return layer->Predict(DlArray::FromVector(Abscissas(), {kPoints, 1, 1}));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the network has no initialised SReluLayer '", name, "'"));
}

std::vector<double> Channel(const DlArray& shapes, int channel) {
  std::vector<double> y(kPoints);
  for (int i = 0; i < kPoints; ++i) y[i] = shapes.At(i + int64_t{kPoints} * channel);
  return y;
}

}  // namespace

absl::StatusOr<std::string> SReluShapesSvg(const DlNetwork& before, const DlNetwork& after,
                                           const std::string& layer, int channels) {
  const absl::StatusOr<DlArray> first = Shapes(before, layer), last = Shapes(after, layer);
  if (!first.ok()) return first.status();
  if (!last.ok()) return last.status();
  channels = static_cast<int>(std::min<int64_t>(channels, last->size(2)));
  const std::vector<double> x = Abscissas();
  std::vector<LineChart> panels;
  for (int c = 0; c < channels; ++c) {
    // The legend stands once, in the first panel.
    panels.push_back(
        {.title = absl::StrCat(layer, ", channel ", c + 1),
         .x = {"x"},
         .y = {.label = "y", .low = -1, .high = 2},
         .series = {
             {.name = c == 0 ? "learned" : "", .x = x, .y = Channel(*last, c)},
             {.name = c == 0 ? "at first" : "", .x = x, .y = Channel(*first, c), .dashed = true}}});
  }
  return LineChartSvg(panels, 4, 300, 240);
}

}  // namespace lamina
