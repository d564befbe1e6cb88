#include "framework/graph/expand_composed.h"

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

using internal::Rewriter;

class Expansion {
 public:
  explicit Expansion(const Graph& graph) : graph_(graph), out_(graph) {}

  Graph Run(const IsExpanded& which, std::vector<int>* origin) {
    if (origin != nullptr) origin->clear();
    for (size_t s = 0; s < graph_.steps().size(); ++s) {
      const GraphStep& step = graph_.steps()[s];
      const auto* composed = dynamic_cast<const ComposedOp*>(step.op.get());
      if (composed != nullptr && which(graph_, step)) {
        const std::vector<int> outputs =
            out_.Inline(PartOf(step, *composed, which), out_.Map(step.inputs), &constants_);
        for (size_t k = 0; k < outputs.size(); ++k) out_.Set(step.outputs[k], outputs[k]);
      } else {
        out_.Copy(step);
      }
      if (origin != nullptr) origin->resize(out_.num_steps(), static_cast<int>(s));
    }
    return out_.Finish();
  }

 private:
  // What a step is composed of.
  const Graph& PartOf(const GraphStep& step, const ComposedOp& composed, const IsExpanded& which) {
    std::string key = absl::StrCat(std::string(step.op->Name()), "{", step.op->Attributes(), "}");
    std::vector<ArraySpec> specs;
    for (int v : step.inputs) {
      specs.push_back(graph_.values()[v].spec);
      absl::StrAppend(&key, "|", ToString(specs.back()));
    }
    const auto [found, is_new] = parts_.try_emplace(std::move(key));
    if (is_new) {
      // It stands for the op, which multiplies in single, whatever holds where this runs.
      const ScopedProductPrecision precision(ProductPrecision::kSingle);
      found->second =
          ExpandComposed(RecordGraph([&](Arrays x) { return composed.Compose(x); }, specs), which);
    }
    return found->second;
  }

  const Graph& graph_;
  Rewriter out_;
  std::map<std::string, Graph> parts_;
  std::map<const void*, int> constants_;
};

}  // namespace

bool IsUnwritten(const Graph&, const GraphStep& step) {
  return dynamic_cast<const WrittenOp*>(step.op.get()) == nullptr;
}

Graph ExpandComposed(const Graph& graph, const IsExpanded& which, std::vector<int>* origin) {
  return Expansion(graph).Run(which, origin);
}

}  // namespace lamina
