#include <dlfcn.h>

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/codegen/generate_code.h"
#include "framework/dlarray/error.h"
#include "framework/io/temporary_folder.h"
#include "framework/ops/random.h"
#include "tools/bench/families.h"

namespace lamina::bench {
namespace {

// The batch normalizations as after training: means and variances of the data, not 0 and 1.
DlNetwork TrainedNetwork(DataType type) {
  DlNetwork net = MnistNetwork(type);
  net.ForEachState([](DlArray& s) { s = Rand(s.sizes(), s.type(), s.format().str()); });
  return net;
}

// Predictions call a network whose parameters stay; they stand among the inputs only so that the
// other side of a comparison can take the same ones.
DlArrays InputsOf(const DlNetwork& net, const DlArray& x) {
  DlArrays in{x};
  for (const DlArray& w : net.LearnableValues()) in.push_back(w);
  const NetworkState state = net.State();
  for (const DlArray& s : state.values()) in.push_back(s);
  return in;
}

DlArray OneImage(DataType type) { return Rand({28, 28, 1, 1}, type, "SSCB"); }

Error GeneratedCodeError(const std::string& what) {
  return Error("bench:GeneratedCode", "The generated code compiles and loads.", what,
               "Install a C compiler (cc).");
}

// What the printed network is called by.
constexpr char kGlue[] = R"(#include "mnist.h"
static mnist_context context;
void bench_start(void) { mnist_start(&context, &mnist_trained); }
void bench_predict(const float *x, float *y) { mnist_predict(&context, x, y); }
)";

using PredictFunction = void (*)(const float* x, float* y);

// Compiles what GenerateCode wrote as a user would who compiles for this machine, and loads it. It
// stays loaded.
PredictFunction Load(GeneratedCode code) {
  code.files.push_back({"bench_glue.c", kGlue});
  const TemporaryFolder made("lamina_bench_");
  const std::string& folder = made.path();
  if (folder.empty()) throw GeneratedCodeError("No temporary folder.");
  const absl::Status written = WriteFiles(code, folder);
  if (!written.ok()) throw GeneratedCodeError(written.ToString());
  const std::string library = folder + "/mnist.so";
  const std::string compile =
      absl::StrCat(FindCompiler(), " -std=c99 -O3 -march=native -shared -fPIC -o '", library, "' '",
                   folder, "'/*.c -lm");
  if (std::system(compile.c_str()) != 0) throw GeneratedCodeError(compile + " failed.");
  void* const loaded = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) throw GeneratedCodeError(dlerror());
  reinterpret_cast<void (*)()>(dlsym(loaded, "bench_start"))();
  return reinterpret_cast<PredictFunction>(dlsym(loaded, "bench_predict"));
}

}  // namespace

Work PredictMnist(DataType type) {
  const DlNetwork net = TrainedNetwork(type);
  return {.inputs = InputsOf(net, OneImage(type)),
          .function = [=](const DlArrays& in) { return DlArrays{net.Predict(in[0])}; }};
}

Work PredictMnistC(DataType) {
  const DlNetwork net = TrainedNetwork(DataType::kSingle);
  const auto predict = [=, generated = PredictFunction(nullptr)](const DlArrays& in) mutable {
    if (generated == nullptr) {
      generated =
          Load(GenerateCode(net, {NetworkDataLayout({28, 28, 1, 1}, "SSCB")}, {.name = "mnist"}));
    }
    float scores[10];
    generated(in[0].Data<float>(), scores);
    return DlArrays{DlArray::FromSpan<float>(scores, {10, 1}, "CB")};
  };
  return {
      .inputs = InputsOf(net, OneImage(DataType::kSingle)), .function = predict, .is_eager = true};
}

}  // namespace lamina::bench
