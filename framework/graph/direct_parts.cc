#include "framework/graph/direct_parts.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "framework/graph/optimize.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/parts_op.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using internal::Rewriter;

// The dim along which the step puts arrays side by side; -1 for another step, or none.
int DimOfCat(const GraphStep* step) {
  const auto* cat = step == nullptr ? nullptr : dynamic_cast<const CatOp*>(step->op.get());
  return cat == nullptr ? -1 : cat->dim();
}

class Parts {
 public:
  explicit Parts(const Graph& graph)
      : graph_(graph),
        maker_(graph.values().size(), nullptr),
        is_inner_(graph.values().size(), false),
        out_(graph) {
    std::vector<int> uses(graph.values().size(), 0);
    for (const GraphStep& step : graph.steps()) {
      for (int v : step.outputs) maker_[v] = &step;
      for (int v : step.inputs) ++uses[v];
    }
    for (int v : graph.outputs()) ++uses[v];
    for (const GraphStep& step : graph.steps()) {
      const int dim = DimOfCat(&step);
      if (dim < 0) continue;
      for (int v : step.inputs) is_inner_[v] = uses[v] == 1 && DimOfCat(maker_[v]) == dim;
    }
  }

  Graph Rewrite() {
    for (const GraphStep& step : graph_.steps()) {
      if (DimOfCat(&step) >= 0) {
        if (!is_inner_[step.outputs[0]]) PutSideBySide(step);
      } else if (const auto* slice = dynamic_cast<const SliceOp*>(step.op.get())) {
        Take(step, slice->range());
      } else {
        out_.Copy(step);
      }
    }
    return RemoveDeadSteps(out_.Finish());
  }

 private:
  // Of new values: what is known of those that are parts, or have them.
  struct Slice {
    int of;
    SliceRange range;
  };
  struct Cat {
    int dim;
    std::vector<int> parts;
    std::vector<int64_t> ends;  // Of each along the dim.
  };

  // All parts, in order. Not by recursion: it is as deep as a loop is long.
  void PutSideBySide(const GraphStep& step) {
    Cat cat{.dim = DimOfCat(&step), .parts = {}, .ends = {}};
    std::vector<int> open(step.inputs.rbegin(), step.inputs.rend());
    int64_t end = 0;
    while (!open.empty()) {
      const int v = open.back();
      open.pop_back();
      if (is_inner_[v]) {
        open.insert(open.end(), maker_[v]->inputs.rbegin(), maker_[v]->inputs.rend());
        continue;
      }
      end += graph_.values()[v].spec.size(cat.dim);
      cat.parts.push_back(out_.Map(v));
      cat.ends.push_back(end);
    }
    out_.Add(step, cat.parts);
    cats_.emplace(out_.Map(step.outputs[0]), std::move(cat));
  }

  // Where the slice comes from: one of a slice or of a Cat, if it is that.
  std::optional<Slice> Before(const Slice& slice) const {
    const SliceRange& r = slice.range;
    if (const auto found = slices_.find(slice.of); found != slices_.end()) {
      const SliceRange& whole = found->second.range;
      if (whole.dim != r.dim) return std::nullopt;
      return Slice{found->second.of,
                   {r.dim, whole.start + r.start * whole.step, r.count, r.step * whole.step}};
    }
    const auto found = cats_.find(slice.of);
    if (found == cats_.end() || found->second.dim != r.dim || r.count == 0) return std::nullopt;
    const Cat& cat = found->second;
    const int64_t last = r.start + (r.count - 1) * r.step;
    const auto part = std::upper_bound(cat.ends.begin(), cat.ends.end(), r.start);
    const auto p = static_cast<size_t>(part - cat.ends.begin());
    const int64_t begin = p == 0 ? 0 : cat.ends[p - 1];
    if (last < begin || last >= *part) return std::nullopt;
    return Slice{cat.parts[p], {r.dim, r.start - begin, r.count, r.step}};
  }

  void Take(const GraphStep& step, const SliceRange& range) {
    Slice slice{out_.Map(step.inputs[0]), range};
    bool any = false;
    while (const std::optional<Slice> before = Before(slice)) {
      slice = *before;
      any = true;
    }
    const int y = step.outputs[0];
    const ArraySpec& spec = graph_.values()[y].spec;
    const SliceRange& r = slice.range;
    int value = slice.of;
    if (!any) {
      out_.Copy(step);
      value = out_.Map(y);
    } else if (r.start != 0 || r.count != out_.values()[value].spec.size(r.dim)) {
      value = out_.Append(std::make_shared<SliceOp>(r), {value})[0];
    }
    if (value != slice.of) slices_.emplace(value, slice);
    // A part of a Cat may lack dims of size 1 at its end.
    if (!(out_.values()[value].spec == spec)) {
      const auto reshape = [&spec](Arrays x) {
        return DlArrays{Reshape(x[0], spec.sizes, spec.format.str())};
      };
      value = out_.Splice(reshape, {value})[0];
    }
    out_.Set(y, value);
  }

  const Graph& graph_;
  std::vector<const GraphStep*> maker_;  // Null for inputs and constants.
  std::vector<bool> is_inner_;           // Of a Cat whose parts go into another.
  Rewriter out_;
  absl::flat_hash_map<int, Slice> slices_;
  absl::flat_hash_map<int, Cat> cats_;
};

}  // namespace

Graph TakePartsDirectly(const Graph& graph) { return Parts(graph).Rewrite(); }

}  // namespace lamina
