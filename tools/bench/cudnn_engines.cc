#include "tools/bench/cudnn_engines.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lamina::bench {
namespace {

using gpu::Cudnn;
using gpu::CudnnDescriptor;
namespace dnn = gpu::cudnn;

constexpr int64_t kMostWorkspace = int64_t{4} << 30;
constexpr int kMostNotes = 16, kMostConfigs = 64;

}  // namespace

std::vector<CudnnEngine> EnginesFor(const Cudnn& cudnn, void* handle,
                                    const CudnnDescriptor& operation) {
  std::vector<CudnnEngine> engines;
  CudnnDescriptor graph(cudnn, dnn::kOperationGraph);
  graph.Set(dnn::kHandleOfGraph, dnn::kHandle, 1, &handle)
      .Set(dnn::kOperationsOfGraph, operation)
      .Finalize();
  for (const auto& [name, mode] :
       {std::pair{"engine", dnn::kByModel}, {"fallback", dnn::kFallback}}) {
    CudnnDescriptor heuristics(cudnn, dnn::kHeuristics);
    heuristics.Set(dnn::kHeuristicsGraph, graph)
        .SetEnum(dnn::kHeuristicsModeOf, dnn::kHeuristicsMode, mode)
        .Finalize();
    std::vector<CudnnDescriptor> configs;
    std::vector<void*> places;
    for (int i = 0; i < kMostConfigs; ++i) {
      configs.emplace_back(cudnn, dnn::kEngineConfig);
      places.push_back(configs.back().get());
    }
    const int64_t count =
        heuristics.Get(dnn::kHeuristicsConfigs, dnn::kDescriptor, kMostConfigs, places.data());
    for (int64_t i = 0; i < count; ++i) {
      const CudnnDescriptor& config = configs[static_cast<size_t>(i)];
      const CudnnDescriptor engine(cudnn, dnn::kEngine);
      void* place = engine.get();
      int notes[kMostNotes] = {};
      if (config.Get(dnn::kEngineOfConfig, dnn::kDescriptor, 1, &place) != 1) continue;
      const int64_t noted = engine.Get(dnn::kNotesOfEngine, dnn::kNote, kMostNotes, notes);
      std::string text = absl::StrCat(name, " ", i + 1, " of ", count);
      bool keeps_precision = true;
      for (int64_t n = 0; n < noted; ++n) {
        keeps_precision = keeps_precision && notes[n] > dnn::kReducedSum;
        if (notes[n] == dnn::kFourier) text += ", by Fourier transforms";
        if (notes[n] == dnn::kNondeterministic) text += ", not the same each time";
      }
      if (!keeps_precision) continue;
      auto plan = std::make_shared<CudnnDescriptor>(cudnn, dnn::kPlan);
      int64_t bytes = 0;
      plan->Set(dnn::kHandleOfPlan, dnn::kHandle, 1, &handle)
          .Set(dnn::kConfigOfPlan, config)
          .Finalize();
      if (!plan->ok() || plan->Get(dnn::kWorkspaceOfPlan, dnn::kInt64, 1, &bytes) != 1 ||
          bytes > kMostWorkspace) {
        continue;
      }
      engines.push_back({text, std::move(plan), bytes});
    }
  }
  return engines;
}

std::function<int()> Execution(const Cudnn& cudnn, void* handle, const CudnnEngine& engine,
                               const std::vector<int64_t>& numbers,
                               const std::vector<void*>& arrays, void* workspace) {
  auto pack = std::make_shared<CudnnDescriptor>(cudnn, dnn::kVariantPack);
  const auto count = static_cast<int64_t>(arrays.size());
  pack->Set(dnn::kPointersOfPack, dnn::kPointer, count, arrays.data())
      .Set(dnn::kNumbersOfPack, dnn::kInt64, count, numbers.data())
      .Set(dnn::kWorkspaceOfPack, dnn::kPointer, 1, &workspace)
      .Finalize();
  return [&cudnn, handle, pack, plan = engine.plan] {
    return pack->ok() ? cudnn.Execute(handle, plan->get(), pack->get()) : -1;
  };
}

}  // namespace lamina::bench
