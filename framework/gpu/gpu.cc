#include "framework/gpu/gpu.h"

#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/device_graph.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/position_checks.h"
#include "framework/graph/graph.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/positions.h"

namespace lamina::gpu {
namespace {

size_t BytesOf(const ArraySpec& spec) {
  return static_cast<size_t>(spec.numel()) * SizeOf(spec.type);
}

class Elements : public GraphDeviceElements {
 public:
  Elements(std::shared_ptr<Gpu> gpu, size_t bytes)
      : gpu_(std::move(gpu)), memory_(gpu_->device(), bytes) {}

  std::string DeviceName() const override { return gpu_->device()->Name(); }
  const void* Device() const override { return gpu_.get(); }
  void CopyTo(void* memory, size_t bytes) const override {
    if (bytes == 0) return;
    gpu_->device()->CopyOut(memory, memory_.data(), bytes);
    ThrowIfOutOfRange(*gpu_->device());
  }
  void Run(const OpPtr& op, Arrays inputs, const SpecList& specs,
           std::span<DlArray> outputs) const override {
    gpu_->Run(op, inputs, specs, outputs);
  }
  DlArray BringOver(const DlArray& x) const override { return gpu_->ToDevice(x); }
  std::shared_ptr<GraphDevice> graph_device() const override { return gpu_; }
  void* data() const { return memory_.data(); }

 private:
  const std::shared_ptr<Gpu> gpu_;
  const DeviceMemory memory_;
};

// A random op draws on the processor, from inputs of which it may read anything.
void RunHere(Gpu& gpu, const Op& op, Arrays inputs, const SpecList& specs,
             std::span<DlArray> outputs) {
  DlArrays here;
  for (const DlArray& x : inputs) here.push_back(Gather(x));
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i] = DlArray(internal::ArrayData::MakeAbstract(specs[i]));
  }
  op.Run(here, Results(outputs));
  for (DlArray& y : outputs) y = gpu.ToDevice(y);
}

thread_local std::shared_ptr<Gpu> current;

// Each rank has a device of its own: that of its number, or the only one that it was given.
absl::StatusOr<std::shared_ptr<Device>> OpenDeviceOfRank() {
  int rank = 0;
  try {
    rank = parallel::RankOptionsFromEnvironment().rank;
  } catch (const Error& e) {
    return absl::FailedPreconditionError(e.what());
  }
  absl::StatusOr<int> count = CountCudaDevices();
  if (!count.ok()) return count.status();
  const bool is_given = *count == 1 && std::getenv("CUDA_VISIBLE_DEVICES") != nullptr;
  return OpenCudaDevice(is_given ? 0 : rank);
}

const absl::StatusOr<std::shared_ptr<Gpu>>& FirstCudaGpu() {
  // Never destroyed: arrays on it may live as long as the program.
  static const auto* const kFirst = new absl::StatusOr<std::shared_ptr<Gpu>>([] {
    absl::StatusOr<std::shared_ptr<Device>> device = OpenDeviceOfRank();
    return device.ok() ? absl::StatusOr<std::shared_ptr<Gpu>>(Gpu::Make(*std::move(device)))
                       : absl::StatusOr<std::shared_ptr<Gpu>>(device.status());
  }());
  return *kFirst;
}

const bool is_open = internal::OpenGpuRoom(
    {.can_use = [] { return current != nullptr ? absl::OkStatus() : FirstCudaGpu().status(); },
     .bring_over = [](const DlArray& x) { return CurrentGpu()->ToDevice(x); }});

}  // namespace

std::shared_ptr<Gpu> Gpu::Make(std::shared_ptr<Device> device) {
  return std::shared_ptr<Gpu>(new Gpu(std::move(device)));
}

DlArray Gpu::Room(ArraySpec spec) {
  auto elements = std::make_shared<Elements>(shared_from_this(), BytesOf(spec));
  return DlArray(internal::ArrayData::MakeRemote(std::move(spec), std::move(elements)));
}

DlArray Gpu::ToDevice(const DlArray& x) {
  if (Has(x)) return x;
  const DlArray here = Gather(x);
  DlArray there = Room(here.spec());
  const size_t bytes = BytesOf(here.spec());
  if (bytes > 0) device_->CopyIn(Address(there), here.data()->bytes(), bytes);
  return there;
}

bool Gpu::Has(const DlArray& x) const {
  return x.on_device() && x.data()->remote->Device() == this;
}

void* Gpu::Address(const DlArray& x) const {
  LAMINA_CHECK(Has(x));
  return static_cast<const Elements&>(*x.data()->remote).data();
}

std::shared_ptr<const Gpu::OpKernels> Gpu::Compiled(const OpPtr& op, Arrays inputs,
                                                    const SpecList& specs) {
  std::vector<GraphValue> values;
  GraphStep step{.op = op, .inputs = {}, .outputs = {}};
  const auto add = [&values](const ArraySpec& spec, std::vector<int>* numbers) {
    numbers->push_back(static_cast<int>(values.size()));
    values.push_back({spec, DlArray()});
  };
  for (const DlArray& x : inputs) add(x.spec(), &step.inputs);
  for (const ArraySpec& spec : specs) add(spec, &step.outputs);
  const DeviceParts parts =
      PartsForDevice(Graph(std::move(values), {step}, step.inputs, step.outputs), *device_);
  auto made = std::make_shared<OpKernels>();
  made->kernels = std::make_unique<const DeviceKernels>(parts.graph, device_);
  for (const DlArray& x : parts.constants) {
    made->constants.push_back(std::make_unique<DeviceMemory>(device_, BytesOf(x.spec())));
    device_->CopyIn(made->constants.back()->data(), x.data()->bytes(), BytesOf(x.spec()));
  }
  return made;
}

std::shared_ptr<const Gpu::OpKernels> Gpu::KernelsOf(const OpPtr& op, Arrays inputs,
                                                     const SpecList& specs) {
  std::string key = absl::StrCat(std::string(op->Name()), "|", op->Attributes());
  for (const DlArray& x : inputs) absl::StrAppend(&key, "|", ToString(x.spec()));
  const std::lock_guard<std::mutex> lock(mutex_);
  std::shared_ptr<const OpKernels>& kernels = kernels_[key];
  if (kernels != nullptr) return kernels;
  try {
    kernels = Compiled(op, inputs, specs);
  } catch (const Error& e) {
    if (e.identifier() != "emit:CannotPrint") throw;
    const auto text = [](std::string* t, const DlArray& x) { t->append(ToString(x.spec())); };
    throw Error("gpu:NoKernels",
                absl::StrCat(device_->Name(), " was asked for ", std::string(op->Name()), " of ",
                             absl::StrJoin(inputs, ", ", text), "."),
                "There are no kernels for it.", "Gather its inputs, and compute it here.");
  }
  return kernels;
}

void Gpu::Run(const OpPtr& op, Arrays inputs, const SpecList& specs, std::span<DlArray> outputs) {
  // Sums over ranks are the device's in every form, so that ranks meet in one way.
  const bool is_sum = dynamic_cast<const lamina::internal::AllReduceOp*>(op.get()) != nullptr;
  if (op->IsRandom() && !is_sum) return RunHere(*this, *op, inputs, specs, outputs);
  if (op->Name() == "reshape") {  // The same elements.
    outputs[0] = DlArray(internal::ArrayData::Alias(*ToDevice(inputs[0]).data(), specs[0]));
    return;
  }
  if (const auto* const taker = dynamic_cast<const lamina::internal::TakesPositions*>(op.get())) {
    const lamina::internal::Positions positions = taker->PositionsIn(Specs(inputs));
    const DlArray& values = inputs[static_cast<size_t>(positions.input)];
    if (!values.on_device()) lamina::internal::CheckPositions(positions, values);
  }
  const std::shared_ptr<const OpKernels> made = KernelsOf(op, inputs, specs);
  DlArrays there;
  std::vector<void*> from, to;
  for (const DlArray& x : inputs) {
    there.push_back(ToDevice(x));
    from.push_back(Address(there.back()));
  }
  for (const auto& constant : made->constants) from.push_back(constant->data());
  for (size_t i = 0; i < outputs.size(); ++i) {
    outputs[i] = Room(specs[i]);
    to.push_back(Address(outputs[i]));
  }
  made->kernels->Run(from, to);
}

std::unique_ptr<GraphRunner> Gpu::Prepare(const Graph& graph, std::string* why_not) {
  try {
    return std::make_unique<DeviceGraph>(graph, shared_from_this());
  } catch (const Error& e) {
    if (e.identifier() != "emit:CannotPrint" && e.identifier() != "emit:TooLarge") throw;
    *why_not = e.what();
    return nullptr;
  }
}

std::shared_ptr<Gpu> CurrentGpu() {
  if (current != nullptr) return current;
  const absl::StatusOr<std::shared_ptr<Gpu>>& first = FirstCudaGpu();
  if (!first.ok()) {
    throw Error("gpu:NoDevice", "An array was to go to a device.",
                std::string(first.status().message()), "Compute here, or see docs/gpu.md.");
  }
  return *first;
}

ScopedGpu::ScopedGpu(std::shared_ptr<Gpu> gpu) : outer_(std::exchange(current, std::move(gpu))) {}
ScopedGpu::~ScopedGpu() { current = std::move(outer_); }

}  // namespace lamina::gpu
