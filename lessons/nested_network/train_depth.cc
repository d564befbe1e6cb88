// Trains networks of plain blocks and of residual blocks on Fashion-MNIST, few blocks and many,
// equal but for the addition, and draws their losses.
//
//   bazel run //lessons/nested_network:train_depth -- --out=pictures
//
// The data comes from tools/setup.
#include <algorithm>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/io/svg_plot.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "layers/residual_block/residual_block_layer.h"
#include "lessons/data/fashion_mnist/fashion_mnist.h"
#include "lessons/nested_network/plain_block_layer.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the picture");
ABSL_FLAG(uint64_t, seed, 1, "all that is random comes from it");

namespace lamina {
namespace {

// [region network]
// So many blocks of the type `Block`, at 7 x 7 places and 16 channels.
template <class Block>
DlNetwork DeepNetwork(int num_blocks) {
  std::vector<AnyLayer> layers = {ImageInputLayer({28, 28, 1}),
                                  Convolution2dLayer(4, 16, {.stride = {4}}),
                                  BatchNormalizationLayer(), ReluLayer()};
  for (int i = 1; i <= num_blocks; ++i) {
    layers.push_back(Named(Block(16), absl::StrCat("block", i)));
  }
  layers.insert(layers.end(),
                {GlobalAveragePooling2dLayer(), FullyConnectedLayer(10), SoftmaxLayer()});
  return DlNetwork(layers);
}
// [endregion]

// [region train]
TrainingResult Train(const DlNetwork& network, const Dataset& data, uint64_t seed) {
  return TrainNet(data, network, "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.003,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 2,
                   .mini_batch_size = 64,
                   .shuffle = Shuffle::kEveryEpoch,
                   // A running average needs more than two epochs to follow.
                   .batch_normalization_statistics = BatchNormalizationStatistics::kPopulation,
                   .verbose = false,
                   .seed = seed});
}
// [endregion]

// The loss of training, each ten iterations in one point.
Series LossSeries(const std::string& name, const TrainingResult& result, bool dashed) {
  Series series{.name = name, .dashed = dashed};
  const auto& history = result.info.training_history;
  for (size_t i = 0; i + 10 <= history.size(); i += 10) {
    double sum = 0;
    for (size_t k = i; k < i + 10; ++k) sum += history[k].loss;
    series.x.push_back(static_cast<double>(i) + 5.5);
    series.y.push_back(sum / 10);
  }
  return series;
}

template <class Block>
void TrainAndTell(const std::string& name, int num_blocks, bool dashed, const FashionMnist& fashion,
                  LineChart& chart) {
  const DlNetwork network = DeepNetwork<Block>(num_blocks);
  const TrainingResult result = Train(network, fashion.train, absl::GetFlag(FLAGS_seed));
  chart.series.push_back(LossSeries(absl::StrCat(num_blocks, " ", name), result, dashed));
  std::cout << absl::StreamFormat("%6d  %-8s  %13.2f  %13.3f\n", num_blocks, name,
                                  chart.series.back().y.back(),
                                  TestNet(result.network, fashion.test, {"accuracy"})[0])
            << std::flush;
}

absl::Status Run() {
  const absl::StatusOr<FashionMnist> fashion =
      LoadFashionMnist({.num_train = 3000, .num_test = 1000, .seed = absl::GetFlag(FLAGS_seed)});
  if (!fashion.ok()) return fashion.status();
  LineChart chart{.title = "Fashion-MNIST, blocks of two convolutions",
                  .x = {.label = "iteration"},
                  .y = {.label = "loss", .low = 0, .high = 2.5}};
  std::cout << "blocks  kind      training loss  test accuracy\n";
  for (const int num_blocks : {2, 12}) {
    const bool dashed = num_blocks == 2;
    TrainAndTell<PlainBlockLayer>("plain", num_blocks, dashed, *fashion, chart);
    TrainAndTell<BatchNormResidualBlockLayer>("residual", num_blocks, dashed, *fashion, chart);
  }
  return WritePicture(LineChartSvg({chart}), absl::GetFlag(FLAGS_out) + "/depth.svg");
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains networks of plain and of residual blocks.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_depth: " << status << "\n";
  return 1;
}
