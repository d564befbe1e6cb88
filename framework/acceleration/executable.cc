#include "framework/acceleration/executable.h"

#include <chrono>
#include <exception>
#include <new>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/allocator.h"
#include "framework/cpu/threads.h"

namespace lamina {
namespace {

using internal::Arena;
using internal::KernelPlan;
using internal::ThreadChoice;

// All executables of the process, for the sake of their idle arenas.
struct Registry {
  std::mutex mutex;
  std::set<const Executable*> all;

  static Registry& Get() {
    static auto* const registry = [] {
      cpu::SetReclaimer(Executable::ReleaseIdleArenas);
      return new Registry;
    }();
    return *registry;
  }
};

}  // namespace

// What the thread that compiles writes to, also after the executable is gone.
struct Executable::Background {
  std::shared_ptr<const KernelLoading> loading;
  KernelProgram program;  // Read after the loading is ready.
};

Executable::Executable(Graph graph, Writer writer)
    : graph_(std::make_shared<const Graph>(std::move(graph))), writer_(std::move(writer)) {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  registry.all.insert(this);
}

Executable::~Executable() {
  {
    Registry& registry = Registry::Get();
    const std::lock_guard<std::mutex> lock(registry.mutex);
    registry.all.erase(this);
  }
  ReleaseArenas();
}

void Executable::Compile(const CompilerSettings& settings) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (background_ != nullptr) return;
  background_ = std::make_shared<Background>();
  // A weak pointer: a trace that was given up before its turn is not compiled.
  const std::weak_ptr<Background> weak = background_;
  background_->loading = KernelLoading::Start(
      [weak, graph = graph_, writer = writer_]() -> absl::StatusOr<KernelSource> {
        const std::shared_ptr<Background> background = weak.lock();
        if (background == nullptr) return absl::CancelledError("the trace is no longer needed");
        try {
          background->program = writer(*graph);
        } catch (const std::exception& e) {
          return absl::InternalError(absl::StrCat("no kernels were written: ", e.what()));
        }
        return KernelSource{background->program.source, background->program.num_kernels};
      },
      settings);
  loading_.store(background_->loading.get(), std::memory_order_release);
}

absl::Status Executable::Wait() const {
  const KernelLoading* const loading = loading_.load(std::memory_order_acquire);
  if (loading == nullptr) return absl::FailedPreconditionError("nothing is compiled");
  return loading->Wait().status();
}

bool Executable::IsSettled() const {
  const KernelLoading* const loading = loading_.load(std::memory_order_acquire);
  return loading != nullptr && loading->Ready();
}

const KernelPlan* Executable::plan() const {
  if (const KernelPlan* plan = plan_.load(std::memory_order_acquire)) return plan;
  if (!IsSettled()) return nullptr;
  const std::lock_guard<std::mutex> lock(mutex_);
  const KernelLoading::Result& result = background_->loading->Wait();
  if (owned_plan_ == nullptr && result.ok()) {
    owned_plan_ =
        std::make_unique<const KernelPlan>(graph_, std::move(background_->program), *result);
    plan_.store(owned_plan_.get(), std::memory_order_release);
  }
  return owned_plan_.get();
}

DlArrays Executable::Run(Arrays inputs) const {
  DlArrays outputs(graph_->outputs().size());
  Run(inputs, outputs);
  return outputs;
}

void Executable::Run(Arrays inputs, std::span<DlArray> outputs) const {
  LAMINA_CHECK(outputs.size() == graph_->outputs().size());
  const KernelPlan* const plan = this->plan();
  bool fits = plan != nullptr && inputs.size() == graph_->inputs().size();
  for (size_t i = 0; fits && i < inputs.size(); ++i) {
    fits = inputs[i].has_values() && inputs[i].spec() == graph_->values()[graph_->inputs()[i]].spec;
  }
  if (!fits) {  // Evaluate has the errors, and is heard by whoever records.
    DlArrays found = graph_->Evaluate(inputs);
    for (size_t i = 0; i < outputs.size(); ++i) outputs[i] = std::move(found[i]);
    return;
  }
  std::unique_ptr<Arena> arena = TakeArena(*plan);
  try {
    RunPlan(*plan, inputs, outputs, *arena);
  } catch (...) {
    num_arenas_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
  PutBack(std::move(arena));
}

void Executable::RunPlan(const KernelPlan& plan, Arrays inputs, std::span<DlArray> outputs,
                         Arena& arena) const {
  using Clock = std::chrono::steady_clock;
  const int threads = plan.CanShare() ? cpu::NumThreads() : 1;
  const ThreadChoice::Turn turn = threads > 1 ? choice_.Next(threads) : ThreadChoice::Turn();
  const Clock::time_point start = turn.is_timed ? Clock::now() : Clock::time_point();
  plan.Run(inputs, outputs, arena, turn.way);
  if (turn.is_timed) {
    choice_.Note(turn.way, std::chrono::duration<double>(Clock::now() - start).count());
  }
}

std::unique_ptr<Arena> Executable::TakeArena(const KernelPlan& plan) const {
  if (Arena* arena = next_.exchange(nullptr, std::memory_order_acquire)) {
    return std::unique_ptr<Arena>(arena);
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<Arena> arena = std::move(idle_.back());
      idle_.pop_back();
      return arena;
    }
  }
  try {
    auto arena = std::make_unique<Arena>(plan);
    num_arenas_.fetch_add(1, std::memory_order_relaxed);
    return arena;
  } catch (const std::bad_alloc&) {
    throw Error("dlarray:OutOfMemory", "Memory for the intermediate values of a trace was needed.",
                absl::StrCat("The system has no ", plan.scratch_bytes(), " bytes."),
                "Make the batch smaller, or free arrays that are no longer needed.");
  }
}

void Executable::PutBack(std::unique_ptr<Arena> arena) const {
  Arena* none = nullptr;
  if (next_.compare_exchange_strong(none, arena.get(), std::memory_order_release)) {
    (void)arena.release();
    return;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(arena));
}

void Executable::ReleaseArenas() const {
  std::vector<std::unique_ptr<Arena>> idle;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    idle.swap(idle_);
  }
  int released = static_cast<int>(idle.size());
  if (Arena* arena = next_.exchange(nullptr, std::memory_order_acquire)) {
    delete arena;
    ++released;
  }
  num_arenas_.fetch_sub(released, std::memory_order_relaxed);
}

void Executable::ReleaseIdleArenas() {
  Registry& registry = Registry::Get();
  const std::lock_guard<std::mutex> lock(registry.mutex);
  for (const Executable* e : registry.all) e->ReleaseArenas();
}

int64_t Executable::bytes() const {
  int64_t bytes = 0;
  for (const GraphValue& v : graph_->values()) {
    if (v.constant.empty()) continue;
    bytes += v.constant.numel() * static_cast<int64_t>(SizeOf(v.spec.type));
  }
  if (const KernelPlan* plan = plan_.load(std::memory_order_acquire)) {
    bytes += plan->scratch_bytes() * num_arenas_.load(std::memory_order_relaxed);
  }
  return bytes;
}

}  // namespace lamina
