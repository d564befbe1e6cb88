// Writes a folder that a machine with a device compiles and runs, without Bazel and without this
// repository: networks as CUDA, their inputs, what the framework gives, and a main program that
// compares and measures.
//
//   bazel run //tools/gpu_generated_code:write_networks -- FOLDER
//   cd FOLDER && nvcc -O3 -std=c++17 -arch=native -o run main.cu && ./run
//
// The last lines measure srelu_grad and the elementwise chain on 2^28 elements beside a copy;
// `python3 peer.py` measures them by PyTorch.
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/emit/c_body.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/io/file.h"
#include "framework/io/runfiles.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "tools/gpu_generated_code/networks.h"

namespace lamina {
namespace {

namespace fs = std::filesystem;

std::string Bytes(const DlArray& x) {
  return {static_cast<const char*>(x.data()->bytes()), x.numel() * SizeOf(x.type())};
}
std::string Bytes(const std::vector<DlArrays>& calls) {
  std::string bytes;
  for (const DlArrays& call : calls) {
    for (const DlArray& x : call) bytes += Bytes(x);
  }
  return bytes;
}

std::string Declared(const std::string& type, const std::string& name, int64_t size) {
  return absl::StrCat("  static ", type, " ", name, "[", size, "];\n");
}

// The main program's function for one network.
std::string TryFunction(const TriedNetwork& tried, const GeneratedCode& code) {
  const std::string& name = tried.name;
  std::string arrays, reads, arguments, device, compares;
  for (const GeneratedArray& a : code.inputs) {
    arrays += Declared(CType(a.spec.type, Language::kCuda), a.name, a.spec.numel());
    absl::StrAppend(&reads, "    inputs.Read(", a.name, ", ", a.spec.numel(), ");\n");
    absl::StrAppend(&arguments, ", ", a.name);
    absl::StrAppend(&device, ", context.memory->", a.name);
  }
  for (const GeneratedArray& a : code.outputs) {
    arrays += Declared(CType(a.spec.type, Language::kCuda), a.name, a.spec.numel());
    absl::StrAppend(&arguments, ", ", a.name);
    absl::StrAppend(&device, ", context.memory->", a.name);
    absl::StrAppend(&compares, "    worst.Compare(", a.name, ", expected, ", a.spec.numel(),
                    ");\n");
  }
  for (const GeneratedArray& a : code.states) {
    absl::StrAppend(&compares, "    worst.CompareDevice(context.memory->", a.name, ", expected, ",
                    a.spec.numel(), ");\n");
  }
  return absl::StrCat(
      "static bool Try_", name, "() {\n", arrays, "  ArrayFile inputs(\"", name,
      ".inputs\"), expected(\"", name, ".expected\");\n  ", name, "::Context context;\n  Check(",
      name, "::Create(&context, &", name, "::trained), \"Create\");\n  Worst worst;\n",
      "  for (int call = 0; call < ", tried.calls, "; ++call) {\n", reads, "    Check(", name,
      "::Predict(&context", arguments, "), \"Predict\");\n", compares,
      "  }\n  const double time = Microseconds([&](cudaStream_t stream) {\n    return ", name,
      "::PredictDevice(&context", device, ", stream);\n  }, 200);\n  ", name,
      "::Destroy(&context);\n  return Report(\"", name, "\", worst.value(), ", ToleranceOf(tried),
      ", time);\n}\n\n");
}

// A function of arrays with its gradients, as kernels.
struct Fused {
  std::string name;
  std::function<DlArrays(Arrays)> function;
  std::vector<ArraySpec> specs;
  double bound;
};

struct FusedCode {
  std::string source;
  int64_t bytes = 0;  ///< Of its inputs and outputs.
  std::string try_function, time_function;
};

FusedCode PrintFused(const Fused& fused) {
  const Graph graph = RecordGraph(fused.function, fused.specs);
  ProgramNames names;
  names.reserved = CReservedWords();
  std::string parameters, arguments, arrays, reads, fills, compares, frees;
  FusedCode code;
  const auto add = [&](int value, const std::string& name, bool is_input) {
    const ArraySpec& spec = graph.values()[value].spec;
    const std::string type = CType(spec.type, Language::kCuda);
    absl::StrAppend(&parameters, is_input ? "const " : "", type, " *", name, ", ");
    absl::StrAppend(&arguments, name, ", ");
    absl::StrAppend(&arrays, "  ", type, " *", name, ";\n  Check(cudaMalloc((void **)&", name,
                    ", sizeof(", type, ") * ", spec.numel(), "ull), \"memory\");\n");
    if (is_input) {
      absl::StrAppend(&reads, "  ReadToDevice(inputs, ", name, ", ", spec.numel(), ");\n");
      absl::StrAppend(&fills, "  FillDevice(", name, ", ", spec.numel(), ");\n");
    } else {
      absl::StrAppend(&compares, "  worst.CompareDevice(", name, ", expected, ", spec.numel(),
                      ");\n");
    }
    absl::StrAppend(&frees, "  cudaFree(", name, ");\n");
    code.bytes += spec.numel() * static_cast<int64_t>(SizeOf(spec.type));
  };
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    names.inputs.push_back(absl::StrCat("x", i));
    add(graph.inputs()[i], names.inputs.back(), true);
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    names.outputs.push_back(absl::StrCat("y", i));
    add(graph.outputs()[i], names.outputs.back(), false);
  }
  const Program program = WriteProgram(graph, names, nullptr, ProgramFor::kDevice);
  CPrinter printer(Language::kCuda);
  const CudaCode cuda = PrintCuda(program, &printer);
  const std::string launches = CudaLaunches(
      program, cuda,
      [](const ProgramArray& a) {
        return a.role == ProgramArray::kScratch
                   ? absl::StrCat("memory->scratch_", static_cast<int>(a.spec.type), " + ",
                                  a.offset)
                   : std::string();
      },
      "memory->joins", &printer);
  std::string scratch;
  if (cuda.joins > 0) absl::StrAppend(&scratch, "  double joins[", cuda.joins, "];\n");
  for (int t = 0; t < kNumDataTypes; ++t) {
    if (program.scratch[t] == 0) continue;
    absl::StrAppend(&scratch, "  ", CType(static_cast<DataType>(t), Language::kCuda), " scratch_",
                    t, "[", program.scratch[t], "];\n");
  }
  code.source = absl::StrCat(
      CudaPreamble(), "#include <cuda_runtime_api.h>\n\nnamespace ", fused.name, " {\n\n",
      printer.Helpers(), CConstants(program, Language::kCuda), cuda.kernels, "struct Memory {\n",
      scratch, "  char none;\n};\n\nstatic cudaError_t Run(Memory *memory, ", parameters,
      "cudaStream_t stream) {\n  (void)memory;\n", launches,
      "  return cudaSuccess;\n}\n\n}  // namespace ", fused.name, "\n");
  const std::string memory = absl::StrCat("  ", fused.name,
                                          "::Memory *memory;\n  Check(cudaMalloc((void **)&memory, "
                                          "sizeof *memory), \"memory\");\n");
  const std::string run = absl::StrCat(fused.name, "::Run(memory, ", arguments, "stream)");
  code.try_function = absl::StrCat(
      "static bool Try_", fused.name, "() {\n  ArrayFile inputs(\"", fused.name,
      ".inputs\"), expected(\"", fused.name, ".expected\");\n", arrays, memory, reads,
      "  const double time = Microseconds([&](cudaStream_t stream) {\n    return ", run,
      ";\n  }, 200);\n  Worst worst;\n", compares, frees, "  cudaFree(memory);\n  return Report(\"",
      fused.name, "\", worst.value(), ", fused.bound, ", time);\n}\n\n");
  code.time_function = absl::StrCat(
      "static void Time_", fused.name, "(double copy) {\n", arrays, memory, fills,
      "  const double time = Microseconds([&](cudaStream_t stream) {\n    return ", run,
      ";\n  }, 20);\n  const double bandwidth = ", code.bytes,
      "ull / time / 1000;\n  std::printf(\"%-32s %10.1f us  %8.1f GB/s  %5.3f of a copy\\n\", \"",
      fused.name, "\", time, bandwidth, bandwidth / copy);\n", frees, "  cudaFree(memory);\n}\n\n");
  return code;
}

// [x, dy, the four parameters]: the output, and the gradients of x and of the parameters.
DlArrays SReluGrad(Arrays in) {
  const DlArray dy = in[1];
  return DlFeval(
      [&dy](const DlArrays& p) {
        const DlArray &x = p[0], &left_slope = p[1], &right_slope = p[2], &left = p[3],
                      &right = p[4];
        const DlArray y = Where(x <= left, left + left_slope * (x - left),
                                Where(x < right, x, right + right_slope * (x - right)));
        DlArrays all = DlVectorJacobian(y, dy, p);
        all.insert(all.begin(), y);
        return all;
      },
      DlArrays{in[0], in[2], in[3], in[4], in[5]});
}

// [x, dy]: the output of the chain, and the gradient of x.
DlArrays ChainGrad(Arrays in) {
  const DlArray dy = in[1];
  return DlFeval(
      [&dy](const DlArrays& p) {
        const DlArray& x = p[0];
        const DlArray u = 0.5 * x * (1 + Tanh(0.79788 * (x + 0.044715 * x * x * x)));
        const DlArray y = u * Sigmoid(1.702 * u) + 0.1 * x;
        DlArrays all = DlVectorJacobian(y, dy, p);
        all.insert(all.begin(), y);
        return all;
      },
      DlArrays{in[0]});
}

std::vector<Fused> FusedFunctions(const std::string& ending, const Sizes& sizes) {
  const auto single = [](Sizes of) { return ArraySpec{DataType::kSingle, std::move(of), {}}; };
  const ArraySpec x = single(sizes), p = single({1, 1, sizes[2]});
  // Sums of many terms, each in double; about four functions of the C library.
  return {{absl::StrCat("srelu_grad", ending), SReluGrad, {x, x, p, p, p, p}, 1e-6},
          {absl::StrCat("elementwise_chain_grad", ending), ChainGrad, {x, x}, 4e-6}};
}

absl::Status Run(const fs::path& folder) {
  GeneratedCode all;
  std::string includes, functions, calls, measures;
  const auto write = [&](const std::string& name, const std::string& bytes) {
    all.files.push_back({name, bytes});
  };
  for (const TriedNetwork& tried : NetworksToTry()) {
    const GeneratedCode code = GenerateCode(tried.network, tried.layouts,
                                            {.name = tried.name, .language = Language::kCuda});
    const std::vector<DlArrays> inputs = InputsFor(tried);
    all.files.insert(all.files.end(), code.files.begin(), code.files.end());
    write(tried.name + ".inputs", Bytes(inputs));
    write(tried.name + ".expected", Bytes(ExpectedFrom(tried, code, inputs)));
    absl::StrAppend(&includes, "#include \"", tried.name, ".cu\"\n#include \"", tried.name,
                    "_weights.cc\"\n");
    functions += TryFunction(tried, code);
    absl::StrAppend(&calls, "  good = Try_", tried.name, "() && good;\n");
  }
  Rng(4);
  for (const Fused& fused : FusedFunctions("_small", {32, 32, 16, 8})) {
    const FusedCode code = PrintFused(fused);
    DlArrays inputs;
    for (const ArraySpec& spec : fused.specs) inputs.push_back(Rand(spec.sizes, spec.type) * 2 - 1);
    write(fused.name + ".inputs", Bytes({inputs}));
    write(fused.name + ".expected", Bytes({fused.function(inputs)}));
    write(fused.name + ".cu", code.source);
    absl::StrAppend(&includes, "#include \"", fused.name, ".cu\"\n");
    functions += code.try_function;
    absl::StrAppend(&calls, "  good = Try_", fused.name, "() && good;\n");
  }
  // The sizes of the benchmark, and those of a long run.
  std::vector<Fused> timed = FusedFunctions("_images", {24, 24, 20, 128});
  for (const Fused& fused : FusedFunctions("", {32, 32, 16, 1 << 14})) timed.push_back(fused);
  for (const Fused& fused : timed) {
    const FusedCode code = PrintFused(fused);
    write(fused.name + ".cu", code.source);
    absl::StrAppend(&includes, "#include \"", fused.name, ".cu\"\n");
    functions += code.time_function;
    absl::StrAppend(&measures, "  Time_", fused.name, "(copy);\n");
  }
  write("main.cu",
        absl::StrCat("// Compares with the framework, and measures.\n#include \"compare.h\"\n",
                     includes, "\n", functions, R"(int main() {
  cudaDeviceProp device;
  Check(cudaGetDeviceProperties(&device, 0), "device");
  std::printf("%s\n", device.name);
  bool good = true;
)",
                     calls, R"(  std::printf("%s\n\n", good ? "all agree" : "NOT ALL AGREE");
  const double copy = CopyBandwidth(size_t{1} << 30);
  std::printf("copy of 1 GiB on the device: %.1f GB/s, read and written\n", copy);
)",
                     measures, "  return good ? 0 : 1;\n}\n"));
  for (const char* name : {"compare.h", "peer.py"}) {
    const absl::StatusOr<std::string> text =
        ReadFile(RunfilePath(absl::StrCat("tools/gpu_generated_code/", name)));
    if (!text.ok()) return text.status();
    write(name, *text);
  }
  return WriteFiles(all, folder.string());
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "write_networks FOLDER\n";
    return 2;
  }
  std::filesystem::path folder = argv[1];
  const char* const start = std::getenv("BUILD_WORKING_DIRECTORY");
  if (folder.is_relative() && start != nullptr) folder = start / folder;
  const absl::Status status = lamina::Run(folder);
  if (status.ok()) return 0;
  std::cerr << "write_networks: " << status << "\n";
  return 1;
}
