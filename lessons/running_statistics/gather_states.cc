// What a state gathers: one pixel of the digits goes through a RunningNormLayer batch by batch,
// with several decays. Draws the state after each batch beside the means of the batches.
//
//   bazel run //lessons/running_statistics:gather_states -- FILE.svg
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "framework/io/svg_plot.h"
#include "framework/trainnet/data.h"
#include "layers/running_norm/running_norm_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/write_picture.h"

namespace lamina {
namespace {

// The pixel in row 4, column 3, each counted from 0, as 1(C) x N(B).
DlArray OnePixel(const DlArray& pictures) {
  return Reshape(Slice(Slice(StripDims(pictures), 0, 4, 1), 1, 3, 1), {1, Size(pictures, 'B')},
                 "CB");
}

// [region gather]
// The mean that the layer holds after each batch. The states go in, and come back new.
std::vector<double> Gathered(const std::vector<DlArray>& batches, double decay) {
  RunningNormLayer norm;
  norm.decay = decay;
  AnyLayer layer = norm;
  layer.Initialize({NetworkDataLayout::Of(batches[0])});
  std::vector<double> means;
  for (const DlArray& x : batches) {
    layer.SetStates(layer.Forward({x}).states);
    means.push_back(layer.As<RunningNormLayer>()->mean.Scalar());
  }
  return means;
}
// [endregion]

absl::Status Run(const std::string& path) {
  const absl::StatusOr<DigitsSplit> digits = SplitDigits();
  if (!digits.ok()) return digits.status();
  const DlArray pixel = OnePixel(digits->train.inputs[0]);
  std::vector<DlArray> batches;
  std::vector<double> number, mean;
  for (MiniBatchQueue queue(Dataset(DlArrays{pixel}, {}), {.mini_batch_size = 16});
       queue.HasData();) {
    batches.push_back(queue.Next().inputs[0]);
    number.push_back(static_cast<double>(batches.size()));
    mean.push_back(Mean(batches.back()).Scalar());
  }
  const double all = Mean(pixel).Scalar();
  LineChart chart{
      .title = "The mean of one pixel, as it is gathered",
      .x = {"batch of 16 pictures"},
      .y = {.label = "mean", .low = 0, .high = 1},
      .series = {
          {.name = "batch alone", .x = number, .y = mean, .markers = true},
          {.name = "all pictures", .x = {1, number.back()}, .y = {all, all}, .dashed = true}}};
  std::cout << absl::StrFormat("mean of all %d pictures: %.3f\n", pixel.numel(), all)
            << "\n        state after batch    off by more than 0.05\n"
            << "decay       10      79       in how many batches\n";
  for (double decay : {0.5, 0.1, 0.02}) {
    const std::vector<double> state = Gathered(batches, decay);
    int off = 0;
    for (double s : state) off += std::abs(s - all) > 0.05;
    std::cout << absl::StrFormat("%5.2f    %.3f   %.3f    %d\n", decay, state[9], state.back(),
                                 off);
    chart.series.push_back({.name = absl::StrFormat("decay %g", decay), .x = number, .y = state});
  }
  return WritePicture(LineChartSvg({chart}), path);
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: gather_states FILE.svg\n";
    return 2;
  }
  const absl::Status status = lamina::Run(argv[1]);
  if (status.ok()) return 0;
  std::cerr << "gather_states: " << status << "\n";
  return 1;
}
