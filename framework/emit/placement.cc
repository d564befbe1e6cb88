#include "framework/emit/placement.h"

#include <algorithm>
#include <map>
#include <set>

namespace lamina::internal {

std::vector<bool> NeededSteps(const Graph& graph, bool keep_random) {
  std::vector<bool> needed_values(graph.values().size()), needed(graph.steps().size());
  for (int v : graph.outputs()) needed_values[v] = true;
  for (size_t s = graph.steps().size(); s-- > 0;) {
    needed[s] = keep_random && graph.steps()[s].op->IsRandom();
    for (int v : graph.steps()[s].outputs) needed[s] = needed[s] || needed_values[v];
    if (!needed[s]) continue;
    for (int v : graph.steps()[s].inputs) needed_values[v] = true;
  }
  return needed;
}

int ViewedRoot(const std::vector<ValueForm>& forms, int value) {
  while (forms[value].form == Form::kView) value = forms[value].viewed;
  return value;
}

Sizes WithoutOnes(const Sizes& sizes) {
  Sizes out;
  for (int64_t s : sizes) {
    if (s != 1) out.push_back(s);
  }
  return out;
}

namespace {

// What costs at most this is rather computed again than stored and loaded.
constexpr int kCheap = 8;
// Operations in one loop: more cost the compiler more time than they save memory. What goes on and
// on (an elementwise recurrence over time) becomes some loops that are used again and again.
constexpr int kMostInALoop = 300;

class Placer {
 public:
  Placer(const Graph& graph, const std::vector<ValueForm>& forms,
         const std::vector<StepReads>& reads, const std::vector<bool>& needed)
      : graph_(graph),
        forms_(forms),
        reads_(reads),
        needed_(needed),
        num_values_(graph.values().size()) {
    readers_.resize(num_values_);
    is_output_.resize(num_values_);
    root_.resize(num_values_, -1);
    must_store_.resize(num_values_);
    sources_.resize(num_values_);
    loop_cost_.resize(num_values_);
    placement_.has_memory.resize(num_values_);
    placement_.num_reads.resize(num_values_);
    placement_.group_of.resize(num_values_, -1);
    for (size_t s = 0; s < graph.steps().size(); ++s) {
      if (!needed_[s]) continue;
      for (int v : graph.steps()[s].inputs) readers_[v].push_back(static_cast<int>(s));
    }
    for (int v : graph.outputs()) is_output_[ViewedRoot(forms, v)] = true;
  }

  Placement Run() {
    for (size_t s = graph_.steps().size(); s-- > 0;) {
      if (!needed_[s]) continue;
      for (int v : graph_.steps()[s].outputs) Absorb(v);
    }
    for (size_t s = 0; s < graph_.steps().size(); ++s) {
      if (needed_[s]) Assign(static_cast<int>(s));
    }
    for (size_t v = 0; v < num_values_; ++v) ComputeAgain(static_cast<int>(v));
    return std::move(placement_);
  }

 private:
  bool IsLoops(int v) const {
    return forms_[v].form == Form::kLoops || forms_[v].form == Form::kCalled;
  }
  bool IsUsed(int v) const { return placement_.num_reads[v] > 0 || is_output_[v]; }
  const Sizes& SizesOf(int v) const { return graph_.values()[v].spec.sizes; }

  // Is v computed where it is read?
  void Absorb(int v) {
    if (forms_[v].form == Form::kView) return;
    Uses uses;
    Collect(v, v, &uses);
    placement_.num_reads[v] = uses.count;
    must_store_[v] = uses.needs_memory;
    root_[v] = v;
    loop_cost_[v] += forms_[v].cost;
    if (forms_[v].form != Form::kDefined || uses.needs_memory || uses.roots.size() != 1 ||
        is_output_[v]) {
      return;
    }
    const int root = *uses.roots.begin();
    if (loop_cost_[root] + forms_[v].cost > kMostInALoop) return;
    loop_cost_[root] += forms_[v].cost;
    root_[v] = root;
  }

  struct Uses {
    std::set<int> roots;  // The values in whose loops v would be computed.
    bool needs_memory = false;
    int count = 0;
  };

  // What reads `v`, or its view `seen`.
  void Collect(int v, int seen, Uses* uses) const {
    const int64_t numel = graph_.values()[v].spec.numel();
    for (int s : readers_[seen]) {
      const GraphStep& step = graph_.steps()[s];
      if (forms_[step.outputs[0]].form == Form::kView) {
        const int view = step.outputs[0];
        if (WithoutOnes(SizesOf(view)) != WithoutOnes(SizesOf(v))) uses->needs_memory = true;
        Collect(v, view, uses);
        continue;
      }
      ++uses->count;
      for (int o : step.outputs) {
        if (IsLoops(o)) {
          uses->roots.insert(step.outputs[0]);
          if (!reads_[s].once) uses->needs_memory = true;
          for (size_t i = 0; i < reads_[s].in_memory.size(); ++i) {
            if (reads_[s].in_memory[i] && step.inputs[i] == seen) uses->needs_memory = true;
          }
          continue;
        }
        if (root_[o] < 0 || !IsUsed(o)) continue;
        uses->roots.insert(root_[o]);
        // Repeated elements would be computed again and again.
        if (numel < NumElements(forms_[o].space)) uses->needs_memory = true;
      }
    }
  }

  // Calls found(source, aligned) for each value of a group that the step reads, directly or through
  // absorbed values. Aligned: only at the indices of the step's loops.
  template <class F>
  void ForEachSource(int s, bool aligned, const F& found) const {
    const GraphStep& step = graph_.steps()[s];
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const int r = ViewedRoot(forms_, step.inputs[i]);
      if (forms_[r].form == Form::kGiven) continue;
      const bool here = aligned && i < reads_[s].aligned.size() && reads_[s].aligned[i] &&
                        WithoutOnes(SizesOf(r)) == WithoutOnes(SizesOf(step.inputs[i]));
      if (root_[r] == r) {
        found(r, here);
      } else {
        ForEachSource(forms_[r].step, here, found);
      }
    }
  }

  // Puts what the step computes into groups.
  void Assign(int s) {
    const GraphStep& step = graph_.steps()[s];
    if (forms_[step.outputs[0]].form == Form::kView) return;
    if (IsLoops(step.outputs[0])) {
      const int group = static_cast<int>(placement_.groups.size());
      placement_.groups.emplace_back();
      placement_.groups[group].step = s;
      for (int v : step.outputs) {
        placement_.group_of[v] = group;
        placement_.has_memory[v] = IsUsed(v);
      }
      ForEachSource(s, false, [&](int r, bool) { Read(r, group); });
      return;
    }
    for (int v : step.outputs) {
      if (root_[v] != v || !IsUsed(v)) continue;
      int first = 0;
      ForEachSource(s, true, [&](int r, bool aligned) {
        sources_[v].push_back(r);
        const bool may_stand_beside =
            aligned && forms_[r].form == Form::kDefined && forms_[r].space == forms_[v].space;
        first = std::max(first, placement_.group_of[r] + (may_stand_beside ? 0 : 1));
      });
      const int group = FindGroup(v, first);
      placement_.groups[group].members.push_back(v);
      placement_.group_of[v] = group;
      placement_.has_memory[v] = is_output_[v] || forms_[v].form == Form::kSummed;
      for (int r : sources_[v]) Read(r, group);
    }
  }

  void Read(int r, int group) {
    if (placement_.group_of[r] != group) placement_.has_memory[r] = true;
  }

  // The first group from `first` on in whose loops such a value can be computed.
  int FindGroup(int v, int first) {
    const ValueForm& form = forms_[v];
    std::vector<int>& same =
        groups_over_[std::vector<int64_t>(form.space.begin(), form.space.end())];
    for (auto g = std::lower_bound(same.begin(), same.end(), first); g != same.end(); ++g) {
      Group& group = placement_.groups[*g];
      if (form.summed_dims != 0 && group.summed_dims != 0 &&
          form.summed_dims != group.summed_dims) {
        continue;
      }
      if (group_cost_[*g] + loop_cost_[v] > kMostInALoop) continue;
      group_cost_[*g] += loop_cost_[v];
      group.summed_dims |= form.summed_dims;
      return *g;
    }
    const int made = static_cast<int>(placement_.groups.size());
    Group& group = placement_.groups.emplace_back();
    group.space = form.space;
    group.summed_dims = form.summed_dims;
    group_cost_[made] = loop_cost_[v];
    same.push_back(made);
    return made;
  }

  void ComputeAgain(int v) {
    if (!placement_.has_memory[v] || is_output_[v] || must_store_[v] ||
        forms_[v].form != Form::kDefined || Cost(v) > kCheap) {
      return;
    }
    for (int r : sources_[v]) {
      if (!placement_.has_memory[r]) return;
    }
    placement_.has_memory[v] = false;
  }

  int Cost(int v) const {
    int cost = forms_[v].cost;
    for (int u : graph_.steps()[forms_[v].step].inputs) {
      const int r = ViewedRoot(forms_, u);
      if (forms_[r].form != Form::kGiven && !placement_.has_memory[r]) cost += Cost(r);
      if (cost > kCheap) break;
    }
    return cost;
  }

  const Graph& graph_;
  const std::vector<ValueForm>& forms_;
  const std::vector<StepReads>& reads_;
  const std::vector<bool>& needed_;
  const size_t num_values_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> is_output_;
  std::vector<int> root_;                  // The value in whose loops a value is computed.
  std::vector<bool> must_store_;           // Read in a way that needs memory.
  std::vector<std::vector<int>> sources_;  // Of values in groups: the values of groups they read.
  std::vector<int> loop_cost_;             // Of a value with what it absorbed.
  std::map<std::vector<int64_t>, std::vector<int>> groups_over_;
  std::map<int, int> group_cost_;
  Placement placement_;
};

}  // namespace

Placement Place(const Graph& graph, const std::vector<ValueForm>& forms,
                const std::vector<StepReads>& reads, const std::vector<bool>& needed) {
  return Placer(graph, forms, reads, needed).Run();
}

}  // namespace lamina::internal
