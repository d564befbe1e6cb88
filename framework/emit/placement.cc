#include "framework/emit/placement.h"

namespace lamina::internal {

std::vector<bool> NeededSteps(const Graph& graph) {
  std::vector<bool> needed_values(graph.values().size()), needed(graph.steps().size());
  for (int v : graph.outputs()) needed_values[v] = true;
  for (size_t s = graph.steps().size(); s-- > 0;) {
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

bool SameButForOnes(const Sizes& a, const Sizes& b) {
  Sizes x, y;
  for (int64_t s : a) {
    if (s != 1) x.push_back(s);
  }
  for (int64_t s : b) {
    if (s != 1) y.push_back(s);
  }
  return x == y;
}

namespace {

class Placer {
 public:
  Placer(const Graph& graph, const std::vector<ValueForm>& forms,
         const std::vector<bool>& reads_once)
      : graph_(graph), forms_(forms), reads_once_(reads_once), readers_(graph.values().size()) {
    placement_.needed = NeededSteps(graph);
    placement_.has_memory.resize(graph.values().size());
    placement_.num_reads.resize(graph.values().size());
    root_.resize(graph.values().size(), -1);
    for (size_t s = 0; s < graph.steps().size(); ++s) {
      if (!placement_.needed[s]) continue;
      for (int v : graph.steps()[s].inputs) readers_[v].push_back(static_cast<int>(s));
    }
    for (int v : graph.outputs()) is_output_.insert(ViewedRoot(forms, v));
  }

  Placement Run() {
    for (size_t s = graph_.steps().size(); s-- > 0;) {
      if (!placement_.needed[s]) continue;
      for (int v : graph_.steps()[s].outputs) Decide(v);
    }
    return std::move(placement_);
  }

 private:
  void Decide(int v) {
    if (forms_[v].form == Form::kView) return;
    Uses uses;
    Collect(v, v, &uses);
    placement_.num_reads[v] = uses.count;
    const bool computed_where_read = forms_[v].form == Form::kDefined && !uses.needs_memory &&
                                     uses.roots.size() == 1 && is_output_.count(v) == 0;
    placement_.has_memory[v] = !computed_where_read && (uses.count > 0 || is_output_.count(v) > 0);
    root_[v] = computed_where_read ? *uses.roots.begin() : v;
  }

  struct Uses {
    std::set<int> roots;  // The values in whose loops v would be computed.
    bool needs_memory = false;
    int count = 0;
  };

  // What reads `v`, or its view `seen`.
  void Collect(int v, int seen, Uses* uses) const {
    for (int s : readers_[seen]) {
      const GraphStep& step = graph_.steps()[s];
      const Form form = forms_[step.outputs[0]].form;
      if (form == Form::kView) {
        const int view = step.outputs[0];
        if (!SameButForOnes(graph_.values()[view].spec.sizes, graph_.values()[v].spec.sizes)) {
          uses->needs_memory = true;
        }
        Collect(v, view, uses);
        continue;
      }
      ++uses->count;
      if (form == Form::kLoops) {
        uses->roots.insert(step.outputs[0]);
        if (!reads_once_[s]) uses->needs_memory = true;
        continue;
      }
      for (int o : step.outputs) {
        if (root_[o] < 0 || (placement_.num_reads[o] == 0 && is_output_.count(o) == 0)) continue;
        uses->roots.insert(root_[o]);
        // Repeated elements would be computed again and again.
        if (graph_.values()[v].spec.numel() < graph_.values()[o].spec.numel()) {
          uses->needs_memory = true;
        }
      }
    }
  }

  const Graph& graph_;
  const std::vector<ValueForm>& forms_;
  const std::vector<bool>& reads_once_;
  std::vector<std::vector<int>> readers_;
  std::set<int> is_output_;
  std::vector<int> root_;
  Placement placement_;
};

}  // namespace

Placement Place(const Graph& graph, const std::vector<ValueForm>& forms,
                const std::vector<bool>& reads_once) {
  return Placer(graph, forms, reads_once).Run();
}

}  // namespace lamina::internal
