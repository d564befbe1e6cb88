#include "framework/graph/optimize.h"

#include <algorithm>
#include <compare>
#include <cstring>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/graph/batch_norm_gradients.h"
#include "framework/graph/channel_blocks.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/matmul.h"
#include "framework/ops/matmul_op.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/shape.h"

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

namespace {

// Sums of products: the terms of each sum that no other reads.
class ProductSums {
 public:
  explicit ProductSums(const Graph& graph)
      : graph_(graph), maker_(graph.values().size(), -1), uses_(graph.values().size(), 0) {
    for (size_t s = 0; s < graph.steps().size(); ++s) {
      for (int v : graph.steps()[s].outputs) maker_[v] = static_cast<int>(s);
      for (int v : graph.steps()[s].inputs) ++uses_[v];
    }
    for (int v : graph.outputs()) ++uses_[v];
  }

  // The product that made the value, if it is one of two matrices.
  const MatMulOp* ProductOf(int v) const {
    if (maker_[v] < 0) return nullptr;
    const GraphStep& step = graph_.steps()[maker_[v]];
    const auto* op = dynamic_cast<const MatMulOp*>(step.op.get());
    if (op == nullptr) return nullptr;
    for (int x : {step.inputs[0], step.inputs[1], v}) {
      if (graph_.values()[x].spec.rank() != 2) return nullptr;
    }
    return op;
  }
  const GraphStep& StepOf(int v) const { return graph_.steps()[maker_[v]]; }
  // What was rounded to bfloat16 to give the value; -1 for any other.
  int RoundedBy(int v) const {
    if (maker_[v] < 0 || !IsRoundToBfloat16(*StepOf(v).op)) return -1;
    return StepOf(v).inputs[0];
  }

  bool IsSum(int v) const {
    if (maker_[v] < 0) return false;
    const auto* op = dynamic_cast<const ElementwiseOp*>(StepOf(v).op.get());
    if (op == nullptr || op->function() != cpu::ScalarFunction::kPlus) return false;
    for (int x : StepOf(v).inputs) {
      if (!(graph_.values()[x].spec == graph_.values()[v].spec)) return false;
    }
    return true;
  }
  bool IsPartOfOneSum(int v) const { return uses_[v] == 1; }

  // What is added up, in order. Not by recursion: a sum over time is as deep as it is long.
  std::vector<int> TermsOf(int v) const {
    std::vector<int> terms, open{v};
    while (!open.empty()) {
      const int x = open.back();
      open.pop_back();
      if (x == v || (IsSum(x) && IsPartOfOneSum(x))) {
        for (int i : {1, 0}) open.push_back(StepOf(x).inputs[i]);
      } else {
        terms.push_back(x);
      }
    }
    return terms;
  }

 private:
  const Graph& graph_;
  std::vector<int> maker_, uses_;
};

}  // namespace

Graph JoinProducts(const Graph& graph) {
  constexpr size_t kFewest = 4;
  const ProductSums sums(graph);
  // Sums inside of larger sums go with these.
  std::vector<bool> is_inner(graph.values().size(), false);
  for (const GraphStep& step : graph.steps()) {
    if (!sums.IsSum(step.outputs[0])) continue;
    for (int v : step.inputs) is_inner[v] = sums.IsSum(v) && sums.IsPartOfOneSum(v);
  }
  Rewriter out(graph);
  for (const GraphStep& step : graph.steps()) {
    const int sum = step.outputs[0];
    if (!sums.IsSum(sum) || is_inner[sum]) {
      out.Copy(step);
      continue;
    }
    struct Kind {  // What they transpose, and whether both factors are rounded to bfloat16.
      bool tx, ty, is_rounded;
      auto operator<=>(const Kind&) const = default;
    };
    std::map<Kind, std::vector<int>> products;
    std::vector<int> rest;
    for (int v : sums.TermsOf(sum)) {
      const MatMulOp* op = sums.ProductOf(v);
      if (op != nullptr && sums.IsPartOfOneSum(v)) {
        const std::vector<int>& factors = sums.StepOf(v).inputs;
        products[{op->transpose_x(), op->transpose_y(),
                  sums.RoundedBy(factors[0]) >= 0 && sums.RoundedBy(factors[1]) >= 0}]
            .push_back(v);
      } else {
        rest.push_back(out.Map(v));
      }
    }
    bool any = false;
    for (auto& [kind, terms] : products) {
      // A derivative is added up from the last time step to the first. In the order of time its
      // factors are put together as they are elsewhere, and that is shared.
      std::reverse(terms.begin(), terms.end());
      if (terms.size() < kFewest) {
        for (int v : terms) rest.push_back(out.Map(v));
        continue;
      }
      any = true;
      std::vector<int> factors;
      for (int side : {0, 1}) {
        for (int v : terms) {
          const int factor = sums.StepOf(v).inputs[side];
          factors.push_back(out.Map(kind.is_rounded ? sums.RoundedBy(factor) : factor));
        }
      }
      const size_t n = terms.size();
      rest.push_back(out.Splice(
          [n, tx = kind.tx, ty = kind.ty, rounded = kind.is_rounded](Arrays f) {
            // As the terms were, whatever holds where this runs.
            const ScopedProductPrecision precision(rounded ? ProductPrecision::kBfloat16
                                                           : ProductPrecision::kSingle);
            const DlArrays x(f.begin(), f.begin() + n), y(f.begin() + n, f.end());
            return DlArrays{MatMul(Cat(tx ? 0 : 1, x), Cat(ty ? 1 : 0, y), tx, ty)};
          },
          factors)[0]);
    }
    if (!any) {
      out.Copy(step);
      continue;
    }
    int total = rest[0];
    for (size_t i = 1; i < rest.size(); ++i) {
      total = out.Splice([](Arrays x) { return DlArrays{x[0] + x[1]}; }, {total, rest[i]})[0];
    }
    out.Set(sum, total);
  }
  return RemoveDeadSteps(out.Finish());
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
  Graph out = JoinProducts(ShareEqualSteps(SkipIdentities(FoldConstants(graph))));
  if (layouts == ImageLayouts::kOfProcessor) {
    out = KeepChannelBlocks(TakeApartBatchNormGradients(out));
  }
  return RemoveDeadSteps(ShareEqualSteps(out));
}

}  // namespace lamina
