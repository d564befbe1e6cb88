// Draws the staircase of two bits, the ramp that it follows, and the derivatives of both.
//
//   bazel run //lessons/differentiable_function:draw_quantize -- FILE.svg
#include <iostream>
#include <vector>

#include "framework/io/file.h"
#include "framework/io/svg_plot.h"
#include "layers/quantize/quantize_layer.h"

namespace lamina {
namespace {

absl::Status Draw(const std::string& path) {
  const double step = 0.5, highest = 3;
  std::vector<double> x;
  for (double v = -0.6; v < 2.2; v += 0.005) x.push_back(v);
  const auto array = [&] { return DlArray::FromVector(x, {static_cast<int64_t>(x.size())}); };
  const QuantizeFunction quantize{highest};
  const DlArray stairs = quantize.Forward(array(), DlArray(step));
  const DlArray ramp = Max(Min(array(), step * highest), 0);
  // The derivative of the staircase itself, and the one that QuantizeFunction states.
  const auto slope = [&](const auto& function) {
    return DlFeval([&](const DlArray& v) { return DlGradient(Sum(function(v, DlArray(step))), v); },
                   array());
  };
  const DlArray automatic =
      slope([&](const DlArray& v, const DlArray& s) { return quantize.Forward(v, s); });
  const DlArray stated = slope(DifferentiableFunction(quantize));
  const Axis along{.label = "x"};
  const absl::StatusOr<std::string> svg = LineChartSvg(
      {{.title = "2 bits, s = 0.5",
        .x = along,
        .y = {.label = "y", .high = 1.6},
        .series = {{"staircase", x, stairs.ToVector<double>()},
                   {.name = "ramp", .x = x, .y = ramp.ToVector<double>(), .dashed = true}}},
       {.title = "dy/dx",
        .x = along,
        .y = {.label = "slope", .low = -0.2, .high = 1.2},
        .series = {{"of the staircase", x, automatic.ToVector<double>()},
                   {.name = "straight through",
                    .x = x,
                    .y = stated.ToVector<double>(),
                    .dashed = true}}}},
      2, 400, 300);
  return svg.ok() ? WriteFileAtomically(path, *svg) : svg.status();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: draw_quantize FILE.svg\n";
    return 2;
  }
  const absl::Status status = lamina::Draw(argv[1]);
  if (!status.ok()) {
    std::cerr << "draw_quantize: " << status << "\n";
    return 1;
  }
  std::cout << "wrote " << argv[1] << "\n";
}
