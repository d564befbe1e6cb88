// The main job in one program: a layer of your own is checked, trained inside a network on real
// digits, looked at, saved, and loaded again.
//
//   bazel run //lessons/quickstart                       # pictures and network: a temporary folder
//   bazel run //lessons/quickstart -- --out=pictures     # or the folder that you name
//
// The exit status is 0 when every step went as it should.
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/check_layer.h"
#include "framework/io/file.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/analyze_network.h"
#include "framework/network/network_file.h"
#include "framework/trainnet/train_net.h"
#include "layers/srelu/srelu_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/quickstart/srelu_shapes.h"

ABSL_FLAG(std::string, out, "", "the folder for pictures and network; empty: a temporary one");
ABSL_FLAG(uint64_t, seed, 1, "all that is random comes from it");

namespace lamina {
namespace {

namespace fs = std::filesystem;

constexpr double kLeastAccuracy = 0.97;

// The folder of --out, made if it is not there. Under `bazel run` it is meant from where you stand.
absl::StatusOr<fs::path> OutputFolder() {
  fs::path folder = absl::GetFlag(FLAGS_out);
  if (folder.empty()) folder = fs::temp_directory_path() / "lamina_quickstart";
  const char* const start = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder.is_relative() && start != nullptr) folder = start / folder;
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error) return folder;
  return absl::UnavailableError(
      absl::StrCat("cannot make the folder '", folder.string(), "': ", error.message()));
}

// [region check]
bool CheckSRelu() {
  const CheckReport report =
      CheckLayer(SReluLayer(), {NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
  return report.ok();
}
// [endregion]

// [region network]
DlNetwork DigitsNetwork() {
  const ConvolutionOptions same = {.padding = "same"};
  return DlNetwork({
      ImageInputLayer({8, 8, 1}),                                                // 8 x 8 pixels
      Convolution2dLayer(3, 16, same), BatchNormalizationLayer(), SReluLayer(),  // 16 channels
      Convolution2dLayer(3, 32, same), BatchNormalizationLayer(), SReluLayer(),  // 32 channels
      MaxPooling2dLayer(2, {.stride = {2}}),                                     // 4 x 4
      Convolution2dLayer(3, 64, same), BatchNormalizationLayer(), SReluLayer(),  // 64 channels
      DropoutLayer(0.5), FullyConnectedLayer(10), SoftmaxLayer()                 // 10 digits
  });
}
// [endregion]

// [region train]
TrainingResult Train(const DlNetwork& network, const DigitsSplit& digits, uint64_t seed) {
  return TrainNet(digits.train, network, "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.005,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 20,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .l2_regularization = 0.001,
                   .validation_data = digits.validation,
                   .validation_frequency = 100,
                   .metrics = {"accuracy"},
                   .verbose_frequency = 100,
                   .seed = seed});
}
// [endregion]

absl::Status WritePicture(const fs::path& path, const std::string& svg) {
  std::cout << "wrote " << path.string() << "\n";
  return WriteFileAtomically(path.string(), svg);
}

absl::Status DrawPictures(const fs::path& folder, const DlNetwork& before,
                          const TrainingResult& trained) {
  absl::Status status = WritePicture(folder / "training.svg",
                                     PlotTraining(trained.info, "SReLU network, UCI digits"));
  if (!status.ok()) return status;
  const absl::StatusOr<std::string> shapes = SReluShapesSvg(before, trained.network, "srelu", 8);
  return shapes.ok() ? WritePicture(folder / "srelu_shapes.svg", *shapes) : shapes.status();
}

// [region save]
// Saves the network, loads it, and says whether it predicts the same numbers bit for bit.
absl::StatusOr<bool> SurvivesTheFile(const DlNetwork& network, const std::string& path,
                                     const DlArray& images) {
  absl::Status saved = SaveNetwork(network, path);
  if (!saved.ok()) return saved;
  const absl::StatusOr<DlNetwork> loaded = LoadNetwork<SReluLayer>(path);
  if (!loaded.ok()) return loaded.status();
  return IsEqual(loaded->Predict(images), network.Predict(images));
}
// [endregion]

absl::Status Run() {
  const absl::StatusOr<fs::path> folder = OutputFolder();
  if (!folder.ok()) return folder.status();
  const uint64_t seed = absl::GetFlag(FLAGS_seed);

  std::cout << "1. Check the layer\n\n";
  if (!CheckSRelu()) return absl::InternalError("SReluLayer did not pass its check");

  const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
  if (!digits.ok()) return digits.status();
  std::cout << "\n2. Train a network with it\n\n"
            << absl::StreamFormat(
                   "UCI digits, 8x8 pixels: %d to train with, %d to validate, %d to test, drawn "
                   "with seed %d.\n\n",
                   NumObservations(digits->train), NumObservations(digits->validation),
                   NumObservations(digits->test), seed);
  DlNetwork network = DigitsNetwork();
  Rng(seed);
  network.Initialize();
  std::cout << Summary(network) << "\n";
  const TrainingResult trained = Train(network, *digits, seed);

  std::cout << "\n3. Look at it\n\n";
  const absl::Status drawn = DrawPictures(*folder, network, trained);
  if (!drawn.ok()) return drawn;

  std::cout << "\n4. Save it, load it\n\n";
  const std::string path = (*folder / "digits.safetensors").string();
  const DlArray& images = digits->test.inputs[0];
  const absl::StatusOr<bool> same = SurvivesTheFile(trained.network, path, images);
  if (!same.ok()) return same.status();
  if (!*same) return absl::InternalError("the loaded network predicts other numbers");
  std::cout << "wrote " << path << "\n"
            << "The loaded network predicts the same numbers, bit for bit.\n\n";

  const double accuracy = TestNet(trained.network, digits->test, {"accuracy"})[0];
  std::cout << absl::StreamFormat("test accuracy: %.4f\n", accuracy);
  if (accuracy >= kLeastAccuracy) return absl::OkStatus();
  return absl::InternalError(absl::StrCat("the test accuracy is below ", kLeastAccuracy));
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Checks SReLU, trains a network with it, draws, saves, loads.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cout << std::flush;
  std::cerr << "quickstart: " << status << "\n";
  return 1;
}
