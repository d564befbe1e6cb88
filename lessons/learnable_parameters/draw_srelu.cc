// Draws one SReLU, with its thresholds and slopes named: the drawing of the lesson's idea.
//
//   bazel run //lessons/learnable_parameters:draw_srelu -- FILE.svg
#include <cmath>
#include <iostream>
#include <vector>

#include "framework/io/svg_plot.h"
#include "layers/srelu/srelu_layer.h"
#include "lessons/write_picture.h"

int main(int argc, char** argv) {
  using namespace lamina;
  if (argc != 2) {
    std::cerr << "usage: draw_srelu FILE.svg\n";
    return 2;
  }
  SReluLayer layer;
  layer.left_threshold = -0.5;
  layer.left_slope = 0.2;
  layer.right_threshold = 1;
  layer.right_slope = 0.4;
  std::vector<double> x;
  for (double v = -2; v <= 3; v += 0.25) x.push_back(v);
  const std::vector<double> y =
      layer.Predict(DlArray::FromVector(x, {static_cast<int64_t>(x.size())})).ToVector<double>();
  const double kNoLine = std::nan("");
  const absl::StatusOr<std::string> svg = LineChartSvg(
      {{.title = "t_l = -0.5, a_l = 0.2, t_r = 1, a_r = 0.4",
        .x = {.label = "x"},
        .y = {.label = "y", .low = -2},
        .series =
            {{"SReLU", x, y},
             {.name = "y = x", .x = x, .y = x, .dashed = true},
             {.name = "thresholds", .x = {-0.5, 0, 1}, .y = {-0.5, kNoLine, 1}, .markers = true}}}},
      1, 480, 320);
  const absl::Status status = WritePicture(svg, argv[1]);
  if (!status.ok()) {
    std::cerr << "draw_srelu: " << status << "\n";
    return 1;
  }
  std::cout << "wrote " << argv[1] << "\n";
}
