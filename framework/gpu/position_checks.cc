#include "framework/gpu/position_checks.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/gpu/kernel_store.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/positions.h"

namespace lamina::gpu {
namespace {

using lamina::internal::Positions;
using lamina::internal::PositionsOf;

// What the numbers of a note are: who took the position, and 0 as long as there is none; then the
// range, which position it is, and its value.
enum Note : uint8_t { kOf, kSize, kNumber, kPosition };
static_assert(kPosition < Device::kNotes);

// Of several threads that find one the first writes. It is done before the host may read: who waits
// for a device waits for all of it.
constexpr char kKernel[] = R"(
template <class T>
__global__ void CheckPositions(const T *positions, unsigned long long *notes, long long count,
                               long long size, long long of) {
  const long long step = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < count; i += step) {
    const long long position = positions[i];
    if (position >= 0 && position < size) continue;
    if (atomicCAS(&notes[0], 0ull, (unsigned long long)of) != 0) continue;
    notes[1] = (unsigned long long)size;
    notes[2] = (unsigned long long)i;
    notes[3] = (unsigned long long)position;
  }
}
)";

class PositionCheckOp : public Op {
 public:
  PositionCheckOp(PositionsOf of, int64_t size) : of_(of), size_(size) {}
  std::string_view Name() const override { return "check_positions"; }
  std::string Attributes() const override {
    return absl::StrCat("of=", static_cast<int>(of_), " size=", size_);
  }
  void Infer(const Specs&, SpecList* out) const override { out->push_back(NotesSpec()); }
  void Run(Arrays, Results) const override { LAMINA_CHECK(false); }
  static ArraySpec NotesSpec() { return {DataType::kInt64, {Device::kNotes}, ""}; }
  PositionsOf of() const { return of_; }
  int64_t size() const { return size_; }

 private:
  const PositionsOf of_;
  const int64_t size_;
};

// What the step takes as positions, if anything.
const lamina::internal::TakesPositions* TakerOf(const GraphStep& step) {
  return dynamic_cast<const lamina::internal::TakesPositions*>(step.op.get());
}

}  // namespace

bool IsPositionCheck(const Op& op) { return dynamic_cast<const PositionCheckOp*>(&op) != nullptr; }

Graph WithPositionChecks(const Graph& graph) {
  std::vector<GraphValue> values = graph.values();
  std::vector<int> outputs = graph.outputs();
  std::map<int, std::vector<GraphStep>> checks_of;  // Of the values that are positions.
  std::set<std::pair<int, int64_t>> checked;  // A gradient takes the positions of its function.
  for (const GraphStep& step : graph.steps()) {
    const auto* const taker = TakerOf(step);
    if (taker == nullptr) continue;
    DlArrays inputs;
    for (const int v : step.inputs) {
      inputs.push_back(AbstractArray(values[static_cast<size_t>(v)].spec));
    }
    const Positions positions = taker->PositionsIn(Specs(inputs));
    const int value = step.inputs[static_cast<size_t>(positions.input)];
    const GraphValue& at = graph.values()[static_cast<size_t>(value)];
    if (at.is_constant()) {
      lamina::internal::CheckPositions(positions, at.constant);
      continue;
    }
    if (at.spec.numel() == 0 || !checked.emplace(value, positions.size).second) continue;
    outputs.push_back(static_cast<int>(values.size()));
    values.push_back({PositionCheckOp::NotesSpec(), DlArray()});
    checks_of[value].push_back(
        {.op = std::make_shared<PositionCheckOp>(positions.of, positions.size),
         .inputs = {value},
         .outputs = {outputs.back()}});
  }
  // They come as early as they can: elsewhere they would stand between steps that are fused, or by
  // themselves after a sum over ranks.
  std::vector<GraphStep> steps;
  const auto add_checks_of = [&](const std::vector<int>& made) {
    for (const int v : made) {
      const auto checks = checks_of.find(v);
      if (checks == checks_of.end()) continue;
      steps.insert(steps.end(), checks->second.begin(), checks->second.end());
    }
  };
  add_checks_of(graph.inputs());
  for (const GraphStep& step : graph.steps()) {
    steps.push_back(step);
    add_checks_of(step.outputs);
  }
  return Graph(std::move(values), std::move(steps), graph.inputs(), std::move(outputs));
}

PositionChecks::PositionChecks(std::shared_ptr<Device> device)
    : device_(std::move(device)),
      kernels_(device_->Load(CompiledKernels(
          *device_, {.text = absl::StrCat(CudaPreamble(), kKernel),
                     .kernels = {"CheckPositions<int32_t>", "CheckPositions<int64_t>"}}))) {}

int PositionChecks::Add(const Graph& graph, const GraphStep& step) {
  const auto& op = dynamic_cast<const PositionCheckOp&>(*step.op);
  const ArraySpec& spec = graph.values()[static_cast<size_t>(step.inputs[0])].spec;
  checks_.push_back({.kernel = spec.type == DataType::kInt32 ? 0u : 1u,
                     .count = spec.numel(),
                     .size = op.size(),
                     .of = static_cast<int64_t>(op.of()) + 1});
  return static_cast<int>(checks_.size()) - 1;
}

size_t PositionChecks::num_kernels() const {
  std::set<size_t> kernels;
  for (const Check& check : checks_) kernels.insert(check.kernel);
  return kernels.size();
}

void PositionChecks::Launch(int check, void* positions, void* notes) const {
  constexpr int64_t kThreads = 256, kMostBlocks = 4096;
  const Check& c = checks_[static_cast<size_t>(check)];
  long long count = c.count, size = c.size, of = c.of;  // NOLINT(runtime/int): as the kernel.
  void* arguments[] = {&positions, &notes, &count, &size, &of};
  const int64_t blocks = std::min((c.count + kThreads - 1) / kThreads, kMostBlocks);
  device_->Launch(*kernels_, c.kernel,
                  {.blocks = static_cast<unsigned>(blocks), .threads = kThreads}, arguments);
}

void ThrowIfOutOfRange(Device& device) {
  int64_t* const notes = device.Notes();
  const std::atomic_ref<int64_t> of(notes[kOf]);
  if (of.load() == 0) return;
  static std::mutex& mutex = *new std::mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  if (of.load() == 0) return;  // Another thread told it.
  device.Wait();               // It may be that of another thread, and not all of it be there.
  Error error = PositionError(static_cast<PositionsOf>(of.load() - 1), notes[kSize], notes[kNumber],
                              notes[kPosition]);
  of.store(0);
  error.AddPlace(absl::StrCat("Found on ", device.Name(), ", in what it computed before this"));
  throw error;
}

}  // namespace lamina::gpu
