#include "framework/graph/optimize.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/graph/batch_norm_gradients.h"
#include "framework/graph/channel_blocks.h"
#include "framework/graph/direct_parts.h"
#include "framework/graph/join_terms.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/bfloat16.h"

namespace lamina {

using internal::Rewriter;

namespace {

int64_t Elements(const Graph& graph, const std::vector<int>& values) {
  int64_t n = 0;
  for (int v : values) n += graph.values()[v].spec.numel();
  return n;
}

}  // namespace

Graph FoldConstants(const Graph& graph) {
  Rewriter out(graph);
  // Old values that are constants by now.
  std::vector<DlArray> constant;
  for (const GraphValue& v : graph.values()) constant.push_back(v.constant);
  for (const GraphStep& step : graph.steps()) {
    bool fold = !step.op->IsRandom() && Elements(graph, step.outputs) <=
                                            std::max<int64_t>(Elements(graph, step.inputs), 64);
    DlArrays inputs;
    for (int v : step.inputs) {
      fold = fold && !constant[v].empty();
      inputs.push_back(constant[v]);
    }
    if (!fold) {
      out.Copy(step);
      continue;
    }
    const DlArrays outputs = ApplyAll(step.op, inputs);
    for (size_t k = 0; k < outputs.size(); ++k) {
      constant[step.outputs[k]] = outputs[k];
      out.Set(step.outputs[k], out.New({outputs[k].spec(), outputs[k]}));
    }
  }
  return out.Finish();
}

Graph ShareEqualSteps(const Graph& graph) {
  Rewriter out(graph);
  absl::flat_hash_map<std::pair<std::string, std::string_view>, int> constants;
  for (size_t v = 0; v < graph.values().size(); ++v) {
    const DlArray& x = graph.values()[v].constant;
    if (x.empty()) continue;
    const std::string_view elements(static_cast<const char*>(x.data()->bytes()),
                                    static_cast<size_t>(x.numel()) * SizeOf(x.type()));
    const auto [found, is_new] = constants.try_emplace(std::pair(ToString(x.spec()), elements), -1);
    if (is_new) found->second = out.New(graph.values()[v]);
    out.Set(static_cast<int>(v), found->second);
  }
  absl::flat_hash_map<std::string, std::vector<int>> known;
  for (const GraphStep& step : graph.steps()) {
    if (step.op->IsRandom()) {
      out.Copy(step);
      continue;
    }
    std::vector<int> inputs = out.Map(step.inputs);
    const std::string key = absl::StrCat(std::string(step.op->Name()), "{", step.op->Attributes(),
                                         "}(", absl::StrJoin(inputs, ","), ")");
    const auto [found, is_new] = known.emplace(key, std::vector<int>());
    if (is_new) {
      out.Add(step, std::move(inputs));
      found->second = out.Map(step.outputs);
    } else {
      for (size_t k = 0; k < step.outputs.size(); ++k) out.Set(step.outputs[k], found->second[k]);
    }
  }
  return out.Finish();
}

Graph SkipIdentities(const Graph& graph) {
  Rewriter out(graph);
  std::vector<int> reshaped(graph.values().size(), -1);  // Of a reshape: what it reshapes.
  std::vector<bool> is_rounded(graph.values().size(), false);
  for (const GraphStep& step : graph.steps()) {
    const std::string_view name = step.op->Name();
    if (IsRoundToBfloat16(*step.op)) {
      // Derivatives multiply by what the product had rounded.
      const int x = step.inputs[0], y = step.outputs[0];
      is_rounded[y] = true;
      if (is_rounded[x]) {
        out.Set(y, out.Map(x));
        continue;
      }
    }
    const bool is_reshape = name == "reshape";
    if (is_reshape || name == "broadcast" || name == "cast") {
      const int y = step.outputs[0];
      int x = step.inputs[0];
      if (is_reshape && reshaped[x] >= 0) x = reshaped[x];
      if (graph.values()[x].spec == graph.values()[y].spec) {
        out.Set(y, out.Map(x));
        continue;
      }
      if (is_reshape) {
        reshaped[y] = x;
        out.Add(step, {out.Map(x)});
        continue;
      }
    }
    out.Copy(step);
  }
  return out.Finish();
}

Graph RemoveDeadSteps(const Graph& graph) {
  std::vector<bool> wanted(graph.values().size(), false), alive(graph.steps().size(), false);
  for (int v : graph.outputs()) wanted[v] = true;
  for (size_t s = graph.steps().size(); s-- > 0;) {
    const GraphStep& step = graph.steps()[s];
    // What is drawn moves the generator on.
    alive[s] = step.op->IsRandom();
    for (int v : step.outputs) alive[s] = alive[s] || wanted[v];
    if (!alive[s]) continue;
    for (int v : step.inputs) wanted[v] = true;
  }
  Rewriter out(graph);
  for (size_t s = 0; s < graph.steps().size(); ++s) {
    if (alive[s]) out.Copy(graph.steps()[s]);
  }
  return out.Finish();
}

Graph Optimize(const Graph& graph, ImageLayouts layouts) {
  // Parts are found where no identity stands between them, and leave reshapes of reshapes.
  Graph out = TakePartsDirectly(SkipIdentities(FoldConstants(graph)));
  out = JoinProducts(ShareEqualSteps(SkipIdentities(out)));
  if (layouts == ImageLayouts::kOfProcessor) {
    out = KeepChannelBlocks(TakeApartBatchNormGradients(out));
  } else {
    out = JoinSums(out);
  }
  return RemoveDeadSteps(ShareEqualSteps(out));
}

}  // namespace lamina
