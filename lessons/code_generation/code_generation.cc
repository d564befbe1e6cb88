// Trains a classifier of digits with SReLU and ships it: writes it as C, with a main program that
// reads the test pictures.
//
//   bazel run //lessons/code_generation -- shipped        # the folder, from where you stand
//   cc -std=c99 -Wall -Wextra -Werror -pedantic -O2 -o digits shipped/*.c -lm
//   ./digits
//
// With --pictures=FOLDER it also compiles and runs what it wrote, and draws.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <limits>
#include <string>
#include <system_error>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "framework/codegen/generate_code.h"
#include "framework/io/file.h"
#include "framework/io/runfiles.h"
#include "framework/io/svg_plot.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/reduction.h"
#include "framework/trainnet/train_net.h"
#include "layers/srelu_codegen/srelu_codegen_layer.h"
#include "lessons/data/digits/split_digits.h"

ABSL_FLAG(std::string, pictures, "", "compile, run, and draw pictures into this folder");

namespace lamina {
namespace {

namespace fs = std::filesystem;

// [region network]
DlNetwork DigitsNetwork() {
  const auto convolution = [](int64_t filters, const char* name) {
    return Named(Convolution2dLayer(3, filters, {.padding = "same"}), name);
  };
  return DlNetwork({
      ImageInputLayer({8, 8, 1}),
      convolution(16, "conv1"),
      Named(BatchNormalizationLayer(), "norm1"),
      Named(SReluCodegenLayer(), "srelu1"),
      Named(MaxPooling2dLayer(2, {.stride = {2}}), "pool"),
      convolution(32, "conv2"),
      Named(BatchNormalizationLayer(), "norm2"),
      Named(SReluCodegenLayer(), "srelu2"),
      DropoutLayer(0.5),
      Named(FullyConnectedLayer(10), "scores"),
      SoftmaxLayer(),
  });
}
// [endregion]

TrainingResult Train(const DigitsSplit& digits) {
  return TrainNet(digits.train, DigitsNetwork(), "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.005,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 12,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .l2_regularization = 0.001,
                   .validation_data = digits.validation,
                   .validation_frequency = 100,
                   .metrics = {"accuracy"},
                   .verbose_frequency = 100,
                   .seed = 1});
}

// Under `bazel run` a folder is meant from where you stand.
fs::path FromWhereYouStand(const fs::path& folder) {
  const char* const start = std::getenv("BUILD_WORKING_DIRECTORY");
  return folder.is_relative() && start != nullptr ? start / folder : folder;
}

int LabelOf(const Dataset& data, int64_t observation) {
  for (int digit = 0; digit < 10; ++digit) {
    if (data.targets[0].At(observation * 10 + digit) > 0.5) return digit;
  }
  return -1;
}

// The test pictures as C: a byte for each pixel, from 0 (white) to 16.
std::string PicturesHeader(const Dataset& test) {
  const int64_t n = NumObservations(test);
  std::string pixels, labels;
  for (int64_t i = 0; i < n; ++i) {
    pixels += "  {";
    for (int p = 0; p < 64; ++p) {
      absl::StrAppend(&pixels,
                      p == 0    ? ""
                      : p == 32 ? ",\n   "
                                : ", ",
                      std::lround(16 * test.inputs[0].At(i * 64 + p)));
    }
    pixels += "},\n";
    absl::StrAppend(&labels, i % 30 == 0 ? "\n  " : " ", LabelOf(test, i), ",");
  }
  return absl::StrCat("/* The test pictures and what they show. */\n#define NUM_PICTURES ", n,
                      "\n\nstatic const unsigned char pictures[NUM_PICTURES][64] = {\n", pixels,
                      "};\n\nstatic const unsigned char labels[NUM_PICTURES] = {", labels,
                      "\n};\n");
}

// [region generate]
GeneratedCode Generate(const DlNetwork& trained) {
  // One picture at a time.
  return GenerateCode(trained, {NetworkDataLayout({8, 8, 1, 1}, "SSCB")}, {.name = "digits"});
}
// [endregion]

// A row for each loop, named after the array that it writes; a column for each 64 floats of the
// memory. The colours only tell neighbours apart.
absl::StatusOr<std::string> MemorySvg(const GeneratedCode& code) {
  constexpr int64_t kBlock = 64;
  int64_t elements = 0;
  int steps = 0;
  for (const PlannedArray& a : code.plan) {
    elements = std::max(elements, a.offset + a.spec.numel());
    steps = std::max(steps, a.last_step + 1);
  }
  HeatMap map{.title = "Which array lies where, loop by loop",
              .row_label = "loop",
              .column_label = absl::StrCat("memory, ", kBlock, " floats each"),
              .rows = steps,
              .columns = (elements + kBlock - 1) / kBlock,
              .diverging = true,
              .bar = false};
  map.values.assign(map.rows * map.columns, std::numeric_limits<double>::quiet_NaN());
  map.row_names.assign(steps, "output");
  for (size_t i = 0; i < code.plan.size(); ++i) {
    const PlannedArray& a = code.plan[i];
    // The first is what the loop is for; others help.
    if (map.row_names[a.first_step] == "output") map.row_names[a.first_step] = a.name;
    const double colour = (i % 2 == 0 ? 1 : -1) * (2.0 + static_cast<double>(i % 3));
    for (int s = a.first_step; s <= a.last_step; ++s) {
      for (int64_t e = a.offset; e < a.offset + a.spec.numel(); e += kBlock) {
        map.values[e / kBlock * map.rows + s] = colour;
      }
    }
  }
  return HeatMapSvg(map, /*cell=*/15);
}

// What each picture was read as by the C program, from the lines that it prints.
std::vector<int> ReadByC(const Dataset& test, const std::string& printed) {
  std::vector<int> read_as;
  for (int64_t i = 0; i < NumObservations(test); ++i) read_as.push_back(LabelOf(test, i));
  for (const std::string& line : std::vector<std::string>(absl::StrSplit(printed, '\n'))) {
    int picture, label, read;
    if (std::sscanf(line.c_str(), "picture %d: a %d, read as %d", &picture, &label, &read) == 3) {
      read_as.at(picture) = read;
    }
  }
  return read_as;
}

std::vector<int> ReadByFramework(const Dataset& test, const DlNetwork& network) {
  const DlArray best = ArgMax(network.Predict(test.inputs[0]), 'C');
  std::vector<int> read_as;
  for (int64_t i = 0; i < best.numel(); ++i) read_as.push_back(static_cast<int>(best.At(i)));
  return read_as;
}

// All that was read wrong, and as much that was read right as fills the lines.
absl::StatusOr<std::string> MistakesSvg(const Dataset& test, const std::vector<int>& read_as) {
  constexpr int kShown = 20;
  ImageGrid grid{.title = "Test pictures as the C program reads them",
                 .rows = 8,
                 .columns = 8,
                 .images_per_line = 10,
                 .scale = 7};
  int left = kShown;
  for (int64_t i = 0; i < NumObservations(test); ++i) left -= read_as[i] != LabelOf(test, i);
  for (int64_t i = 0; i < NumObservations(test); ++i) {
    const int label = LabelOf(test, i);
    if (read_as[i] == label && left-- <= 0) continue;
    GridImage image;
    for (int p = 0; p < 64; ++p) image.values.push_back(test.inputs[0].At(i * 64 + p));
    image.marked = read_as[i] != label;
    image.caption = image.marked ? absl::StrCat(label, " as ", read_as[i]) : absl::StrCat(label);
    grid.images.push_back(std::move(image));
  }
  return ImageGridSvg(grid);
}

// Compiles and runs what was written, asks whether it reads each picture as the framework does, and
// draws.
absl::Status TryAndDraw(const GeneratedCode& code, const DlNetwork& network, const Dataset& test,
                        const fs::path& folder) {
  const absl::StatusOr<std::string> printed =
      CompileAndRun(code.files, "-std=c99 -Wall -Wextra -Werror -pedantic -O2", "");
  if (!printed.ok()) return printed.status();
  const std::vector<int> by_c = ReadByC(test, *printed);
  if (by_c != ReadByFramework(test, network)) {
    return absl::InternalError("the C program reads pictures otherwise than the framework");
  }
  std::cout << "the C program reads each picture as the framework does; its last line:\n"
            << printed->substr(printed->rfind('\n', printed->size() - 2) + 1);
  const absl::StatusOr<std::string> mistakes = MistakesSvg(test, by_c), memory = MemorySvg(code);
  if (!mistakes.ok()) return mistakes.status();
  if (!memory.ok()) return memory.status();
  std::error_code error;
  fs::create_directories(folder, error);  // What fails here fails again below.
  const absl::Status status = WriteFileAtomically((folder / "mistakes.svg").string(), *mistakes);
  return status.ok() ? WriteFileAtomically((folder / "memory.svg").string(), *memory) : status;
}

absl::Status Run(const fs::path& folder) {
  const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = 1});
  if (!digits.ok()) return digits.status();
  const TrainingResult trained = Train(*digits);

  // [region write]
  GeneratedCode code = Generate(trained.network);
  const absl::StatusOr<std::string> main =
      ReadFile(RunfilePath("lessons/code_generation/digits_main.c"));
  if (!main.ok()) return main.status();
  code.files.push_back({"digits_main.c", *main});
  code.files.push_back({"digits_images.h", PicturesHeader(digits->test)});
  const absl::Status written = WriteFiles(code, folder.string());
  // [endregion]
  if (!written.ok()) return written;
  std::cout << "\nwrote";
  for (const SourceFile& file : code.files) std::cout << " " << file.name;
  std::cout << absl::StreamFormat(
      "\nmemory of a running network: %d bytes; of its parameters: %d bytes\n", code.context_bytes,
      code.parameter_bytes);
  std::cout << absl::StreamFormat("the framework's test accuracy: %.4f\n",
                                  TestNet(trained.network, digits->test, {"accuracy"})[0]);
  if (const std::string pictures = absl::GetFlag(FLAGS_pictures); !pictures.empty()) {
    return TryAndDraw(code, trained.network, digits->test, FromWhereYouStand(pictures));
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains a classifier of digits and writes it as C into a folder.");
  const std::vector<char*> rest = absl::ParseCommandLine(argc, argv);
  const std::filesystem::path folder =
      rest.size() > 1 ? lamina::FromWhereYouStand(rest[1])
                      : std::filesystem::temp_directory_path() / "lamina_shipped";
  const absl::Status status = lamina::Run(folder);
  if (status.ok()) return 0;
  std::cout << std::flush;
  std::cerr << "code_generation: " << status << "\n";
  return 1;
}
