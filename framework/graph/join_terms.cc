#include "framework/graph/join_terms.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/graph/optimize.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/dims_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/matmul.h"
#include "framework/ops/matmul_op.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/shape.h"

namespace lamina {

using internal::Rewriter;

namespace {

// Trees of additions of arrays that are alike.
class Additions {
 public:
  explicit Additions(const Graph& graph)
      : graph_(graph), maker_(graph.values().size(), nullptr), uses_(graph.values().size(), 0) {
    for (const GraphStep& step : graph.steps()) {
      for (int v : step.outputs) maker_[v] = &step;
      for (int v : step.inputs) ++uses_[v];
    }
    for (int v : graph.outputs()) ++uses_[v];
  }

  const ArraySpec& SpecOf(int v) const { return graph_.values()[v].spec; }
  // Null for inputs and constants.
  const GraphStep* StepOf(int v) const { return maker_[v]; }
  bool IsReadOnce(int v) const { return uses_[v] == 1; }

  bool IsAddition(int v) const {
    if (maker_[v] == nullptr) return false;
    const auto* op = dynamic_cast<const ElementwiseOp*>(maker_[v]->op.get());
    if (op == nullptr || op->function() != cpu::ScalarFunction::kPlus) return false;
    for (int x : maker_[v]->inputs) {
      if (!(SpecOf(x) == SpecOf(v))) return false;
    }
    return true;
  }

  // What is added up, in order. Not by recursion: a sum over time is as deep as it is long.
  std::vector<int> TermsOf(int v) const {
    std::vector<int> terms, open{v};
    while (!open.empty()) {
      const int x = open.back();
      open.pop_back();
      if (x == v || (IsAddition(x) && IsReadOnce(x))) {
        for (int i : {1, 0}) open.push_back(maker_[x]->inputs[i]);
      } else {
        terms.push_back(x);
      }
    }
    return terms;
  }

 private:
  const Graph& graph_;
  std::vector<const GraphStep*> maker_;
  std::vector<int> uses_;
};

// Which terms can be computed together: those of one kind. Empty for a term that stays.
using KindOf = std::function<std::string(const Additions&, int term)>;
// The new value that is the sum of the terms.
using Join = std::function<int(const Additions&, std::span<const int> terms, Rewriter* out)>;

Graph JoinTerms(const Graph& graph, const KindOf& kind_of, const Join& join) {
  // Fewer are hardly worth the copies of what they read.
  constexpr size_t kFewest = 4;
  const Additions additions(graph);
  // Additions inside of larger trees go with these.
  std::vector<bool> is_inner(graph.values().size(), false);
  for (const GraphStep& step : graph.steps()) {
    if (!additions.IsAddition(step.outputs[0])) continue;
    for (int v : step.inputs) is_inner[v] = additions.IsAddition(v) && additions.IsReadOnce(v);
  }
  Rewriter out(graph);
  for (const GraphStep& step : graph.steps()) {
    const int sum = step.outputs[0];
    if (!additions.IsAddition(sum) || is_inner[sum]) {
      out.Copy(step);
      continue;
    }
    std::map<std::string, std::vector<int>> kinds;
    std::vector<int> rest;
    for (int v : additions.TermsOf(sum)) {
      const std::string kind = additions.IsReadOnce(v) ? kind_of(additions, v) : "";
      if (kind.empty()) {
        rest.push_back(out.Map(v));
      } else {
        kinds[kind].push_back(v);
      }
    }
    bool any = false;
    for (auto& [kind, terms] : kinds) {
      // A derivative is added up from the last time step to the first. In the order of time what
      // the terms read is put together as it is elsewhere, and that is shared.
      std::reverse(terms.begin(), terms.end());
      if (terms.size() < kFewest) {
        for (int v : terms) rest.push_back(out.Map(v));
        continue;
      }
      any = true;
      rest.push_back(join(additions, terms, &out));
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

// What was rounded to bfloat16 to give the value; -1 for any other.
int RoundedBy(const Additions& additions, int v) {
  const GraphStep* step = additions.StepOf(v);
  return step != nullptr && IsRoundToBfloat16(*step->op) ? step->inputs[0] : -1;
}

bool AreFactorsRounded(const Additions& additions, const GraphStep& product) {
  return RoundedBy(additions, product.inputs[0]) >= 0 &&
         RoundedBy(additions, product.inputs[1]) >= 0;
}

// Products of two matrices: what they transpose, and whether both factors are rounded to bfloat16.
std::string KindOfProduct(const Additions& additions, int v) {
  const GraphStep* step = additions.StepOf(v);
  if (step == nullptr) return "";
  const auto* op = dynamic_cast<const MatMulOp*>(step->op.get());
  if (op == nullptr) return "";
  for (int x : {step->inputs[0], step->inputs[1], v}) {
    if (additions.SpecOf(x).rank() != 2) return "";
  }
  return absl::StrCat(op->Attributes(), AreFactorsRounded(additions, *step) ? " rounded" : "");
}

int JoinedProduct(const Additions& additions, std::span<const int> terms, Rewriter* out) {
  const GraphStep& first = *additions.StepOf(terms[0]);
  const bool rounded = AreFactorsRounded(additions, first);
  std::vector<int> factors;
  for (int side : {0, 1}) {
    for (int v : terms) {
      const int factor = additions.StepOf(v)->inputs[side];
      factors.push_back(out->Map(rounded ? RoundedBy(additions, factor) : factor));
    }
  }
  const auto& op = dynamic_cast<const MatMulOp&>(*first.op);
  const auto product = [&](Arrays f) {
    // As the terms were, whatever holds where this runs.
    const ScopedProductPrecision precision(rounded ? ProductPrecision::kBfloat16
                                                   : ProductPrecision::kSingle);
    const bool tx = op.transpose_x(), ty = op.transpose_y();
    return DlArrays{MatMul(Cat(tx ? 0 : 1, f.first(terms.size())),
                           Cat(ty ? 1 : 0, f.subspan(terms.size())), tx, ty)};
  };
  return out->Splice(product, factors)[0];
}

// A sum over dims; with other sizes or labels afterwards, as a derivative has those of its
// parameter.
struct SumTerm {
  const GraphStep* sum = nullptr;
  const GraphStep* reshape = nullptr;
};

SumTerm SumOf(const Additions& additions, int v) {
  SumTerm term{additions.StepOf(v)};
  if (term.sum != nullptr && term.sum->op->Name() == "reshape") {
    term.reshape = term.sum;
    v = term.sum->inputs[0];
    term.sum = additions.IsReadOnce(v) ? additions.StepOf(v) : nullptr;
  }
  return term.sum != nullptr && term.sum->op->Name() == "sum" ? term : SumTerm();
}

// The last of the dims that are summed, along which longer arrays have their parts one after
// another, as far as that can be; -1 for none.
int LastSummed(const GraphStep& sum, const ArraySpec& spec) {
  const uint32_t dims = dynamic_cast<const DimsOp&>(*sum.op).dims();
  int last = -1;
  for (int d = 0; d < spec.rank(); ++d) {
    if (dims >> d & 1) last = d;
  }
  return last;
}

// Sums of arrays of one spec over the same dims.
std::string KindOfSum(const Additions& additions, int v) {
  // A joined term is written to memory and read again: up to 0.5 MiB of single, which takes a
  // device a tenth of the start of a kernel. All are kept until the last one is there, too: 128 MiB
  // for 512 time steps.
  constexpr int64_t kLargest = 1 << 16;
  const SumTerm term = SumOf(additions, v);
  if (term.sum == nullptr) return "";
  const ArraySpec& spec = additions.SpecOf(term.sum->inputs[0]);
  if (spec.numel() > kLargest || LastSummed(*term.sum, spec) < 0) return "";
  return absl::StrCat(ToString(spec), " ", term.sum->op->Attributes(), " ",
                      term.reshape == nullptr ? "" : term.reshape->op->Attributes());
}

int JoinedSum(const Additions& additions, std::span<const int> terms, Rewriter* out) {
  const SumTerm first = SumOf(additions, terms[0]);
  std::vector<int> summed;
  for (int v : terms) summed.push_back(out->Map(SumOf(additions, v).sum->inputs[0]));
  const int dim = LastSummed(*first.sum, additions.SpecOf(first.sum->inputs[0]));
  const std::vector<int> all =
      out->Splice([dim](Arrays x) { return DlArrays{Cat(dim, x)}; }, summed);
  const std::vector<int> sum = out->Append(first.sum->op, all);
  return (first.reshape == nullptr ? sum : out->Append(first.reshape->op, sum))[0];
}

}  // namespace

Graph JoinProducts(const Graph& graph) { return JoinTerms(graph, KindOfProduct, JoinedProduct); }

Graph JoinSums(const Graph& graph) { return JoinTerms(graph, KindOfSum, JoinedSum); }

}  // namespace lamina
