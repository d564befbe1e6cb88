#include "framework/gpu/device_program.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lamina::gpu {

DeviceProgram::DeviceProgram(Graph graph, std::shared_ptr<Gpu> gpu)
    : graph_(std::move(graph)), gpu_(std::move(gpu)), kernels_(graph_, gpu_->device()) {}

std::vector<void*> DeviceProgram::Addresses(Arrays arrays, const std::vector<int>& values,
                                            const std::string& what) const {
  if (arrays.size() != values.size()) {
    throw Error("gpu:InputCount", absl::StrCat("The program has ", values.size(), " ", what, "s."),
                absl::StrCat(arrays.size(), " came."), "");
  }
  std::vector<void*> addresses;
  for (size_t i = 0; i < arrays.size(); ++i) {
    const ArraySpec& expected = graph_.values()[static_cast<size_t>(values[i])].spec;
    const DlArray& x = arrays[i];
    if (!(x.spec() == expected) || !gpu_->Has(x)) {
      throw Error("gpu:InputSpec",
                  absl::StrCat("The program's ", what, " ", i, " is a ", ToString(expected), " on ",
                               gpu_->device()->Name(), "."),
                  absl::StrCat("A ", ToString(x.spec()),
                               x.on_device() ? " on " + x.data()->remote->DeviceName()
                                             : " in the memory of the processor",
                               " came."),
                  "Record a program for each size, and take arrays to its device (GpuArray).");
    }
    addresses.push_back(gpu_->Address(x));
  }
  return addresses;
}

DlArrays DeviceProgram::RoomForOutputs() const {
  DlArrays outputs;
  for (const int v : graph_.outputs()) {
    outputs.push_back(gpu_->Room(graph_.values()[static_cast<size_t>(v)].spec));
  }
  return outputs;
}

DlArrays DeviceProgram::Run(Arrays inputs) const {
  const std::vector<void*> from = Addresses(inputs, graph_.inputs(), "input");
  DlArrays outputs = RoomForOutputs();
  kernels_.Run(from, Addresses(outputs, graph_.outputs(), "output"));
  return outputs;
}

BoundProgram::BoundProgram(std::shared_ptr<const DeviceProgram> program, DlArrays inputs,
                           DlArrays outputs)
    : program_(std::move(program)), inputs_(std::move(inputs)), outputs_(std::move(outputs)) {
  launches_ = program_->kernels().Bind(
      program_->Addresses(inputs_, program_->graph().inputs(), "input"),
      program_->Addresses(outputs_, program_->graph().outputs(), "output"));
}

void BoundProgram::Start() const { program_->kernels().Start(launches_); }

}  // namespace lamina::gpu
