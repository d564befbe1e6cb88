#include "framework/gpu/device_kernels.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "framework/emit/c_body.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/emit/language.h"
#include "framework/gpu/kernel_store.h"

namespace lamina::gpu {
namespace {

std::vector<std::string> Numbered(const std::string& name, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back(absl::StrCat(name, i));
  return names;
}

// A training hands its parameters to and fro between two sets of arrays or a few.
constexpr size_t kMaxBound = 8;

// The first byte in the memory that the array stands in.
int64_t FirstByte(const ProgramArray& a) {
  return a.role == ProgramArray::kScratch ? a.offset * static_cast<int64_t>(SizeOf(a.spec.type))
                                          : 0;
}

}  // namespace

DeviceKernels::DeviceKernels(const Graph& graph, std::shared_ptr<Device> device)
    : device_(std::move(device)) {
  const LibrarySteps steps = LibraryStepsOf(*device_, WithPositionChecks(graph));
  const std::vector<Launch> called = WriteSteps(steps);
  std::vector<std::string> kernels;
  Print(steps.graph, called, &kernels);
  num_kernels_ += kernels.size() + (draws_ == nullptr ? 0 : draws_->size()) +
                  (checks_ == nullptr ? 0 : checks_->num_kernels());
  if (!kernels.empty()) {
    kernels_ = device_->Load(
        CompiledKernels(*device_, {.text = source_, .kernels = kernels}, &from_cache_));
  }
  for (int t = 0; t < kNumDataTypes; ++t) {
    if (program_.scratch[t] == 0) continue;
    const size_t bytes =
        static_cast<size_t>(program_.scratch[t]) * SizeOf(static_cast<DataType>(t));
    scratch_[t] = std::make_unique<DeviceMemory>(device_, bytes);
    bytes_ += static_cast<int64_t>(bytes);
  }
  size_t workspace = 0;
  for (const Launch& launch : launches_) {
    if (launch.call != nullptr) workspace = std::max(workspace, launch.call->workspace_bytes());
  }
  if (workspace > 0) workspace_ = std::make_unique<DeviceMemory>(device_, workspace);
  bytes_ += static_cast<int64_t>(workspace);
  CutIntoStretches();
}

void DeviceKernels::CutIntoStretches() {
  bool ends = true;  // The stretch before.
  for (size_t i = 0; i < launches_.size(); ++i) {
    const LibraryCall* const call = launches_[i].call.get();
    const bool is_alone = call != nullptr && !call->may_be_recorded();
    if (ends || is_alone) stretches_.push_back({i, i});
    stretches_.back().end = i + 1;
    ends = is_alone;
  }
}

std::vector<DeviceKernels::Launch> DeviceKernels::WriteSteps(const LibrarySteps& steps) {
  const Graph& graph = steps.graph;
  std::vector<Launch> called(steps.calls.size());
  // Numbers are taken in the order of the graph, not in that in which they are needed.
  std::vector<OpPtr> draws;
  OwnKernels own(device_);
  for (size_t s = 0; s < called.size(); ++s) {
    called[s].call = steps.calls[s];
    const GraphStep& step = graph.steps()[s];
    if (HasOwnKernel(*device_, graph, step)) {
      called[s].own = std::make_shared<const OwnLaunch>(own.For(graph, step));
    }
    if (IsPositionCheck(*step.op)) {
      if (checks_ == nullptr) checks_ = std::make_unique<PositionChecks>(device_);
      called[s].check = checks_->Add(graph, step);
    }
    if (!DeviceDraws::Can(*step.op)) continue;
    called[s].draw = static_cast<int>(draws.size());
    draws.push_back(step.op);
  }
  num_kernels_ = own.size();
  if (!draws.empty()) draws_ = std::make_unique<const DeviceDraws>(std::move(draws), device_);
  const CallOps is_no_kernel{.is_called = [&](const Graph& g, const GraphStep& step) {
    const Launch& launch = called[static_cast<size_t>(&step - g.steps().data())];
    return launch.call != nullptr || launch.draw >= 0 || launch.check >= 0 || launch.own != nullptr;
  }};
  program_ = WriteProgram(graph,
                          {.inputs = Numbered("x", graph.inputs().size()),
                           .outputs = Numbered("y", graph.outputs().size()),
                           .reserved = CReservedWords()},
                          &is_no_kernel, ProgramFor::kDevice);
  return called;
}

size_t DeviceKernels::num_library_calls() const {
  return static_cast<size_t>(std::count_if(launches_.begin(), launches_.end(),
                                           [](const Launch& l) { return l.call != nullptr; }));
}

void DeviceKernels::AddCall(const GraphStep& step, Launch launch) {
  for (const std::vector<int>* values : {&step.inputs, &step.outputs}) {
    for (const int v : *values) {
      const int array = program_.array_of[static_cast<size_t>(v)];
      const ProgramArray& in_program = program_.arrays[static_cast<size_t>(array)];
      launch.arguments.push_back(
          {array, FirstByte(in_program) + program_.first_of[static_cast<size_t>(v)] *
                                              static_cast<int64_t>(SizeOf(in_program.spec.type))});
    }
  }
  launches_.push_back(std::move(launch));
}

void DeviceKernels::Print(const Graph& graph, const std::vector<Launch>& called,
                          std::vector<std::string>* kernels) {
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
  for (size_t step = 0; step < code.launches.size(); ++step) {
    if (const int s = program_.steps[step].called; s >= 0) {
      AddCall(graph.steps()[static_cast<size_t>(s)], called[static_cast<size_t>(s)]);
    }
    for (const CudaLaunch& launch : code.launches[step]) {
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

BoundLaunches DeviceKernels::Bind(std::span<void* const> inputs,
                                  std::span<void* const> outputs) const {
  BoundLaunches bound;
  bound.inputs_.assign(inputs.begin(), inputs.end());
  bound.outputs_.assign(outputs.begin(), outputs.end());
  for (const ProgramArray& a : program_.arrays) {
    const auto index = static_cast<size_t>(a.index);
    switch (a.role) {
      case ProgramArray::kInput:
        bound.arrays_.push_back(inputs[index]);
        break;
      case ProgramArray::kOutput:
        // Those of checks were added to the graph's.
        bound.arrays_.push_back(index < outputs.size() ? outputs[index] : device_->Notes());
        break;
      case ProgramArray::kScratch:
        bound.arrays_.push_back(scratch_[static_cast<int>(a.spec.type)]->data());
        break;
      case ProgramArray::kConstant:  // Stands in the source.
        bound.arrays_.push_back(nullptr);
        break;
    }
  }
  return bound;
}

void DeviceKernels::LaunchStretch(const Stretch& stretch, std::span<void* const> arrays) const {
  std::vector<void*> values, arguments;
  for (size_t i = stretch.first; i < stretch.end; ++i) {
    const Launch& launch = launches_[i];
    values.clear();
    arguments.clear();
    for (const Argument& a : launch.arguments) {
      values.push_back(a.array < 0 ? joins_->data()
                                   : static_cast<char*>(arrays[static_cast<size_t>(a.array)]) +
                                         a.first_byte);
    }
    if (launch.call != nullptr) {
      device_->Start(*launch.call, values, workspace_ == nullptr ? nullptr : workspace_->data());
      continue;
    }
    if (launch.draw >= 0) {
      draws_->Launch(static_cast<size_t>(launch.draw), values[0]);
      continue;
    }
    if (launch.check >= 0) {
      checks_->Launch(launch.check, values[0], values[1]);
      continue;
    }
    for (void*& value : values) arguments.push_back(&value);
    if (launch.own != nullptr) {
      LaunchOwn(*launch.own, &arguments);
    } else {
      device_->Launch(*kernels_, launch.kernel, launch.size, arguments.data());
    }
  }
}

void DeviceKernels::LaunchOwn(const OwnLaunch& own, std::vector<void*>* arguments) const {
  if (own.size.blocks == 0) return;
  std::vector<long long> numbers(own.numbers.begin(), own.numbers.end());
  for (long long& number : numbers) arguments->push_back(&number);
  device_->Launch(*own.kernels, 0, own.size, arguments->data());
}

void DeviceKernels::Run(std::span<void* const> inputs, std::span<void* const> outputs) const {
  const std::lock_guard<std::mutex> lock(launching_);
  const auto found = std::find_if(bound_.begin(), bound_.end(), [&](const BoundLaunches& b) {
    return std::equal(inputs.begin(), inputs.end(), b.inputs_.begin(), b.inputs_.end()) &&
           std::equal(outputs.begin(), outputs.end(), b.outputs_.begin(), b.outputs_.end());
  });
  if (found == bound_.end()) {
    if (bound_.size() == kMaxBound) bound_.pop_back();
    bound_.insert(bound_.begin(), Bind(inputs, outputs));
    return StartStretches(bound_.front());
  }
  std::rotate(bound_.begin(), found, found + 1);
  StartRecorded(bound_.front());
}

void DeviceKernels::Start(BoundLaunches& bound) const {
  const std::lock_guard<std::mutex> lock(launching_);
  StartRecorded(bound);
}

void DeviceKernels::StartRecorded(BoundLaunches& bound) const {
  if (has_run_ && takes_records_ && bound.records_.empty()) Record(bound);
  StartStretches(bound);
}

void DeviceKernels::StartStretches(const BoundLaunches& bound) const {
  if (draws_ != nullptr) draws_->Take();
  const bool is_recorded = !bound.records_.empty();
  ++runs_.all;
  if (is_recorded || stretches_.size() == launches_.size()) ++runs_.recorded;
  for (size_t s = 0; s < stretches_.size(); ++s) {
    if (is_recorded && bound.records_[s] != nullptr) {
      device_->Start(*bound.records_[s]);
    } else {
      LaunchStretch(stretches_[s], bound.arrays_);
    }
  }
  has_run_ = true;
}

// All stretches or none, before anything of the run is started.
void DeviceKernels::Record(BoundLaunches& bound) const {
  try {
    std::vector<std::unique_ptr<LaunchRecord>> records(stretches_.size());
    for (size_t s = 0; s < stretches_.size(); ++s) {
      const Stretch& stretch = stretches_[s];
      if (stretch.end - stretch.first == 1) continue;
      records[s] = device_->Record([&] { LaunchStretch(stretch, bound.arrays_); });
    }
    bound.records_ = std::move(records);
  } catch (const Error& e) {
    if (e.identifier() != "gpu:Driver" && e.identifier() != "gpu:OutOfMemory") throw;
    takes_records_ = false;
  }
}

DeviceKernels::Runs DeviceKernels::runs() const {
  const std::lock_guard<std::mutex> lock(launching_);
  return runs_;
}

}  // namespace lamina::gpu
