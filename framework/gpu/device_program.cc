#include "framework/gpu/device_program.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "framework/emit/c_body.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/language.h"
#include "framework/gpu/kernel_store.h"

namespace lamina::gpu {
namespace {

std::vector<std::string> Numbered(const std::string& name, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(absl::StrCat(name, i));
  return names;
}

// The first byte in the memory that the array stands in.
int64_t FirstByte(const ProgramArray& a) {
  return a.role == ProgramArray::kScratch ? a.offset * static_cast<int64_t>(SizeOf(a.spec.type))
                                          : 0;
}

}  // namespace

DeviceProgram::DeviceProgram(Graph graph, std::shared_ptr<Device> device)
    : graph_(std::move(graph)), device_(std::move(device)) {
  program_ = WriteProgram(graph_, {.inputs = Numbered("x", graph_.inputs().size()),
                                   .outputs = Numbered("y", graph_.outputs().size()),
                                   .reserved = CReservedWords()});
  std::vector<std::string> kernels;
  Print(&kernels);
  num_kernels_ = kernels.size();
  if (!kernels.empty()) kernels_ = device_->Load(Compiled(kernels));
  for (int t = 0; t < kNumDataTypes; ++t) {
    if (program_.scratch[t] == 0) continue;
    scratch_[t] = std::make_unique<DeviceMemory>(
        device_, static_cast<size_t>(program_.scratch[t]) * SizeOf(static_cast<DataType>(t)));
  }
}

void DeviceProgram::Print(std::vector<std::string>* kernels) {
  for (const GraphValue& v : graph_.values()) CheckIsPrinted(v.spec.type, Language::kCuda);
  CPrinter printer(Language::kCuda);
  const CudaCode code = PrintCuda(program_, &printer, {.share = true});
  source_ = absl::StrCat(CudaPreamble(), printer.Helpers(), CConstants(program_, Language::kCuda),
                         code.kernels);
  if (code.joins > 0) {
    joins_ =
        std::make_unique<DeviceMemory>(device_, static_cast<size_t>(code.joins) * sizeof(double));
  }
  std::map<std::string, int> array_of;
  for (size_t i = 0; i < program_.arrays.size(); ++i) {
    array_of[program_.arrays[i].name] = static_cast<int>(i);
  }
  const auto argument_of = [&](const CudaArgument& a) -> Argument {
    if (a.name == "joins") return {};
    const int array = array_of.at(a.name);
    const ProgramArray& in_program = program_.arrays[static_cast<size_t>(array)];
    return {array,
            FirstByte(in_program) + a.offset * static_cast<int64_t>(SizeOf(in_program.spec.type))};
  };
  std::map<std::string, size_t> kernel_by_name;
  for (const std::vector<CudaLaunch>& step : code.launches) {
    for (const CudaLaunch& launch : step) {
      // Memory of the device begins at a multiple of 256 bytes.
      const bool aligned =
          std::all_of(launch.aligned.begin(), launch.aligned.end(),
                      [&](const CudaArgument& a) { return argument_of(a).first_byte % 16 == 0; });
      const std::string name = launch.aligned.empty()
                                   ? launch.kernel
                                   : absl::StrCat(launch.kernel, aligned ? "<true>" : "<false>");
      const auto [kernel, is_new] = kernel_by_name.emplace(name, kernels->size());
      if (is_new) kernels->push_back(name);
      Launch made{.kernel = kernel->second,
                  .size = {.threads = static_cast<unsigned>(launch.threads)},
                  .arguments = {}};
      LAMINA_CHECK(absl::SimpleAtoi(launch.blocks, &made.size.blocks));
      for (const CudaArgument& a : launch.arguments) made.arguments.push_back(argument_of(a));
      launches_.push_back(std::move(made));
    }
  }
}

KernelImage DeviceProgram::Compiled(const std::vector<std::string>& kernels) {
  const KernelStore store(device_->CompilerKey());
  if (std::optional<KernelImage> kept = store.Find(source_, kernels)) {
    from_cache_ = true;
    return *std::move(kept);
  }
  absl::StatusOr<KernelImage> image = device_->Compile(source_, kernels);
  if (!image.ok()) {
    throw Error("gpu:CannotCompile", "The compiler of kernels takes what Lamina prints.",
                std::string(image.status().message()), "Please report it, with the function.");
  }
  store.Insert(source_, kernels, *image);
  return *std::move(image);
}

void DeviceProgram::Check(std::span<const DeviceArray> arrays, const std::vector<int>& values,
                          const std::string& what) const {
  if (arrays.size() != values.size()) {
    throw Error("gpu:InputCount", absl::StrCat("The program has ", values.size(), " ", what, "s."),
                absl::StrCat(arrays.size(), " came."), "");
  }
  for (size_t i = 0; i < arrays.size(); ++i) {
    const ArraySpec& expected = graph_.values()[static_cast<size_t>(values[i])].spec;
    if (arrays[i].spec() == expected && arrays[i].device() == device_) continue;
    throw Error("gpu:InputSpec",
                absl::StrCat("The program's ", what, " ", i, " is a ", ToString(expected), " on ",
                             device_->Name(), "."),
                absl::StrCat("A ", ToString(arrays[i].spec()), " on ", arrays[i].device()->Name(),
                             " came."),
                "Record a program for each size, and keep arrays on its device.");
  }
}

void DeviceProgram::LaunchAll(std::span<const DeviceArray> inputs,
                              std::span<const DeviceArray> outputs) const {
  std::vector<void*> starts;
  for (const ProgramArray& a : program_.arrays) {
    const auto index = static_cast<size_t>(a.index);
    switch (a.role) {
      case ProgramArray::kInput:
        starts.push_back(inputs[index].data());
        break;
      case ProgramArray::kOutput:
        starts.push_back(outputs[index].data());
        break;
      case ProgramArray::kScratch:
        starts.push_back(scratch_[static_cast<int>(a.spec.type)]->data());
        break;
      case ProgramArray::kConstant:  // Stands in the source.
        starts.push_back(nullptr);
        break;
    }
  }
  std::vector<void*> values, arguments;
  for (const Launch& launch : launches_) {
    values.clear();
    arguments.clear();
    for (const Argument& a : launch.arguments) {
      values.push_back(a.array < 0 ? joins_->data()
                                   : static_cast<char*>(starts[static_cast<size_t>(a.array)]) +
                                         a.first_byte);
    }
    for (void*& value : values) arguments.push_back(&value);
    device_->Launch(*kernels_, launch.kernel, launch.size, arguments.data());
  }
}

DeviceArrays DeviceProgram::Run(std::span<const DeviceArray> inputs) const {
  Check(inputs, graph_.inputs(), "input");
  DeviceArrays outputs;
  for (const int value : graph_.outputs()) {
    outputs.emplace_back(device_, graph_.values()[static_cast<size_t>(value)].spec);
  }
  LaunchAll(inputs, outputs);
  return outputs;
}

BoundProgram::BoundProgram(std::shared_ptr<const DeviceProgram> program, DeviceArrays inputs,
                           DeviceArrays outputs)
    : program_(std::move(program)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  program_->Check(inputs_, program_->graph().inputs(), "input");
  program_->Check(outputs_, program_->graph().outputs(), "output");
  program_->device()->BeginRecord();
  program_->LaunchAll(inputs_, outputs_);
  record_ = program_->device()->EndRecord();
}

void BoundProgram::Start() const { program_->device()->Start(*record_); }

}  // namespace lamina::gpu
