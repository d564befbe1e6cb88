#include "framework/emit/kernel_in_place.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>

#include "framework/emit/call_ranges.h"
#include "framework/emit/linear_form.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// Finds where arrays are read and stored.
class PlaceCollector {
 public:
  struct Place {
    const Block* block;  // And so the loops around it.
    size_t statement;
    std::optional<Linear> index;
    bool is_own;  // No two iterations have the same place.
  };

  explicit PlaceCollector(const Block& code) { Collect(code); }

  std::map<std::string, std::vector<Place>> read, stored;

 private:
  void Collect(const Block& block) {
    for (size_t i = 0; i < block.size(); ++i) {
      const Statement& s = block[i];
      const auto note = [&](const Expression& x) {
        if (x.operation() == Operation::kLoad) {
          read[x.node().name].push_back(At(block, i, x.node().operands[0]));
        }
      };
      Visit(s.value, note);
      Visit(s.index, note);
      if (s.kind == Statement::kStore) stored[s.name].push_back(At(block, i, s.index));
      if (s.kind != Statement::kFor) {
        Collect(s.body);
        continue;
      }
      Visit(s.first, note);
      Visit(s.variable_extent, note);
      open_.emplace_back(s.name, s.first.is_number(0) ? s.extent : Statement::kVariableExtent);
      Collect(s.body);
      open_.pop_back();
    }
  }

  Place At(const Block& block, size_t statement, const Expression& index) const {
    Place place{&block, statement, LinearForm(index), false};
    if (place.index) {
      std::erase_if(place.index->of, [](const auto& term) { return term.second == 0; });
      place.is_own = IsOwn(*place.index);
    }
    return place;
  }

  // As digits of a number: each step is longer than all that the smaller ones reach.
  bool IsOwn(const Linear& index) const {
    std::vector<std::pair<int64_t, int64_t>> steps;  // And how many there are.
    for (const auto& [name, extent] : open_) {
      const auto step = index.of.find(name);
      if (step == index.of.end() || extent == Statement::kVariableExtent) return false;
      steps.emplace_back(std::abs(step->second), extent);
    }
    if (steps.size() != index.of.size()) return false;  // Other variables.
    std::sort(steps.begin(), steps.end());
    int64_t reach = 0;
    for (const auto& [step, count] : steps) {
      if (step <= reach) return false;
      reach += step * (count - 1);
    }
    return true;
  }

  std::vector<std::pair<std::string, int64_t>> open_;  // Loops, and how many iterations.
};

}  // namespace

std::vector<std::pair<std::string, std::string>> InPlacePairs(const Block& code) {
  const PlaceCollector places(code);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [target, stores] : places.stored) {
    const PlaceCollector::Place& store = stores[0];
    if (stores.size() != 1 || !store.is_own || places.read.count(target) > 0) continue;
    for (const auto& [source, reads] : places.read) {
      const bool is_before =
          std::all_of(reads.begin(), reads.end(), [&](const PlaceCollector::Place& r) {
            return r.block == store.block && r.statement <= store.statement && r.is_own &&
                   r.index->constant == store.index->constant && r.index->of == store.index->of;
          });
      if (is_before && places.stored.count(source) == 0) pairs.emplace_back(source, target);
    }
  }
  return pairs;
}

namespace {

class ArrayJoiner {
 public:
  ArrayJoiner(const Graph& graph, KernelProgram& program) : graph_(graph), program_(program) {
    uses_.resize(program.arrays.size());
    for (size_t a = 0; a < uses_.size(); ++a) uses_[a].place = static_cast<int>(a);
    int range = 0;
    for (size_t c = 0; c < program.calls.size(); ++c) {
      const int call = static_cast<int>(c);
      if (range < num_ranges() && program.ranges[range].last < call) ++range;
      const bool is_inside = range < num_ranges() && program.ranges[range].first <= call;
      range_of_.push_back(is_inside ? range : -1);
      FindUses(call);
    }
  }

  void Run(const std::vector<std::vector<InPlaceArguments>>& pairs) {
    for (size_t c = 0; c < program_.calls.size(); ++c) {
      const KernelCall& call = program_.calls[c];
      if (call.kernel < 0) continue;
      for (const InPlaceArguments& pair : pairs[call.kernel]) {
        const KernelArgument &read = call.arguments[pair.read],
                             &stored = call.arguments[pair.stored];
        const int from = PlaceOf(read.array), to = PlaceOf(stored.array);
        if (read.offset == stored.offset && IsNamedOnce(call, from) && IsNamedOnce(call, to) &&
            MayBeOne(static_cast<int>(c), from, to)) {
          Join(from, to);
        }
      }
    }
    for (KernelCall& call : program_.calls) {
      for (KernelArgument& a : call.arguments) a.array = PlaceOf(a.array);
      for (KernelAccess& a : call.accesses) a.array = PlaceOf(a.array);
    }
    for (int& a : program_.array_of) {
      if (a >= 0) a = PlaceOf(a);
    }
  }

 private:
  // Of an array.
  struct Use {
    int place;                                       // The array that it has become a part of.
    int first = -1, last = -1;                       // The calls that touch it.
    std::map<int, std::vector<ItemWindow>> windows;  // By range, each once.
  };

  int num_ranges() const { return static_cast<int>(program_.ranges.size()); }

  int PlaceOf(int a) {
    while (uses_[a].place != a) a = uses_[a].place = uses_[uses_[a].place].place;
    return a;
  }

  bool IsNamedOnce(const KernelCall& call, int array) {
    return std::count_if(call.arguments.begin(), call.arguments.end(),
                         [&](const KernelArgument& a) { return PlaceOf(a.array) == array; }) == 1;
  }

  void FindUses(int c) {
    const KernelCall& call = program_.calls[c];
    const auto touch = [&](int array) {
      if (array < 0) return;
      Use& use = uses_[array];
      if (use.first < 0) use.first = c;
      use.last = c;
    };
    const int r = range_of_[c];
    for (const KernelAccess& a : call.accesses) {
      touch(a.array);
      if (r < 0) continue;
      Add(WindowOf(a, call.count, program_.ranges[r].items), &uses_[a.array].windows[r]);
    }
    for (const KernelArgument& a : call.arguments) touch(a.array);
    if (call.kernel >= 0) return;
    const GraphStep& step = graph_.steps()[call.op_step];
    for (const int v : step.inputs) touch(program_.array_of[v]);
    for (const int v : step.outputs) touch(program_.array_of[v]);
  }

  static void Add(const ItemWindow& window, std::vector<ItemWindow>* known) {
    if (std::find(known->begin(), known->end(), window) == known->end()) known->push_back(window);
  }

  bool MayBeOne(int call, int from, int to) const {
    const ProgramArray &a = program_.arrays[from], &b = program_.arrays[to];
    if (from == to || a.role != ProgramArray::kScratch ||
        (b.role != ProgramArray::kScratch && b.role != ProgramArray::kOutput) ||
        a.spec.type != b.spec.type || a.spec.numel() != b.spec.numel() ||
        uses_[from].last != call || uses_[to].first != call) {
      return false;
    }
    const int r = range_of_[call];
    if (r < 0) return true;
    // Threads are not at the same call of a range: what an item touches of one array, no other item
    // may touch of the other.
    for (const ItemWindow& x : uses_[from].windows.at(r)) {
      for (const ItemWindow& y : uses_[to].windows.at(r)) {
        if (!IsApart(x, y, program_.ranges[r].items)) return false;
      }
    }
    return true;
  }

  void Join(int from, int to) {
    Use &a = uses_[from], &b = uses_[to];
    a.place = to;
    b.first = a.first;
    for (const auto& [range, windows] : a.windows) {
      for (const ItemWindow& w : windows) Add(w, &b.windows[range]);
    }
  }

  const Graph& graph_;
  KernelProgram& program_;
  std::vector<int> range_of_;  // Of each call; -1: none.
  std::vector<Use> uses_;      // Of each array.
};

}  // namespace

void ComputeInPlace(const Graph& graph, const std::vector<std::vector<InPlaceArguments>>& pairs,
                    KernelProgram* program) {
  ArrayJoiner(graph, *program).Run(pairs);
}

}  // namespace lamina::internal
