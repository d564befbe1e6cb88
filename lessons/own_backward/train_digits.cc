// Trains the same network twice on the UCI digits, with the automatic and with the own derivative
// of SReLU: how far do they part, what do they reach, and how much memory does a training step
// hold?
//
//   bazel run //lessons/own_backward:train_digits
#include <iostream>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "framework/cpu/allocator.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu_backward/srelu_backward_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/own_backward/steps/input_only_srelu_layer.h"

namespace lamina {
namespace {

// [region network]
// `SRelu` is the class of the layer after each convolution. All begin as a leaky ReLU.
template <class SRelu>
SRelu LeakyAtFirst(int64_t channels) {
  const Sizes each = {1, 1, channels};
  SRelu layer;
  layer.left_slope = Full(each, 0.2);
  layer.left_threshold = Zeros(each);
  layer.right_threshold = Ones(each);
  layer.right_slope = Ones(each);
  return layer;
}

template <class SRelu>
DlNetwork DigitsNetwork() {
  std::vector<AnyLayer> layers = {ImageInputLayer({8, 8, 1})};
  for (int i = 0; i < 8; ++i) {
    layers.push_back(Convolution2dLayer(3, 16, {.padding = "same"}));
    layers.push_back(LeakyAtFirst<SRelu>(16));
  }
  layers.push_back(FullyConnectedLayer(10));
  layers.push_back(SoftmaxLayer());
  return DlNetwork(layers);
}
// [endregion]

struct Trained {
  double first_loss, accuracy, peak_mebibytes;
};

template <class SRelu>
Trained Train(const DigitsSplit& digits, uint64_t seed) {
  cpu::ResetPeak();
  const int64_t before = cpu::Stats().bytes_in_use;
  const TrainingResult result = TrainNet(digits.train, DigitsNetwork<SRelu>(), "crossentropy",
                                         {.solver = "adam",
                                          .initial_learn_rate = 0.003,
                                          .learn_rate_schedule = "cosine",
                                          .max_epochs = 3,
                                          .mini_batch_size = 128,
                                          .shuffle = Shuffle::kEveryEpoch,
                                          // What the layers keep is measured, op by op.
                                          .acceleration = Acceleration::kNone,
                                          .verbose = false,
                                          .seed = seed});
  const double peak = static_cast<double>(cpu::Stats().peak_bytes_in_use - before) / (1 << 20);
  return {result.info.training_history[0].loss,
          TestNet(result.network, digits.test, {"accuracy"})[0], peak};
}

absl::Status Run() {
  std::cout << "The network with each layer, trained in batches of 128:\n\n"
            << "seed  layer                      first loss  test accuracy  peak memory\n";
  for (uint64_t seed = 1; seed <= 2; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    const auto print = [&](const char* name, const Trained& trained) {
      std::cout << absl::StreamFormat("%4d  %-25s  %.6f    %.4f         %5.1f MiB\n", seed, name,
                                      trained.first_loss, trained.accuracy, trained.peak_mebibytes);
    };
    print("automatic", Train<SReluLayer>(*digits, seed));
    print("own, masks in the memory", Train<SReluBackwardLayer>(*digits, seed));
    print("own, from the input alone", Train<InputOnlySReluLayer>(*digits, seed));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main() {
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_digits: " << status << "\n";
  return 1;
}
