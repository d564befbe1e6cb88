#include "framework/emit/joined_steps.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/emit/fused_steps.h"
#include "framework/emit/places.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Statement;

namespace {

// Of all items together: more of them are better computed four at a time, by a kernel of their own.
constexpr int64_t kMostItems = 1 << 16;
constexpr size_t kMostArrays = 64;

// No variable of a nest has this name.
constexpr char kItem[] = "item_of_all";

struct TouchedArrays {
  std::set<std::string> loaded, stored;

  explicit TouchedArrays(const Block& code)
      : loaded(LoadedArrays(code)), stored(StoredArrays(code)) {}
  size_t Count() const {
    std::set<std::string> all = loaded;
    all.insert(stored.begin(), stored.end());
    return all.size();
  }
  void Add(const TouchedArrays& other) {
    loaded.insert(other.loaded.begin(), other.loaded.end());
    stored.insert(other.stored.begin(), other.stored.end());
  }
  // Does neither touch what the other one stores?
  bool IsApartFrom(const TouchedArrays& other) const {
    return AreApart(stored, other.stored) && AreApart(stored, other.loaded) &&
           AreApart(loaded, other.stored);
  }

 private:
  static bool AreApart(const std::set<std::string>& a, const std::set<std::string>& b) {
    return std::none_of(a.begin(), a.end(), [&](const std::string& x) { return b.count(x) > 0; });
  }
};

Block If(const Expression& condition, Block body) {
  Statement when{.kind = Statement::kIf, .name = {}, .value = condition};
  when.body = std::move(body);
  return {std::move(when)};
}

}  // namespace

ParallelNest Joined(const ParallelNest& first, const ParallelNest& second) {
  const int64_t before = first.loops[0].extent, own = second.loops[0].extent;
  const Expression item = Expression::Variable(kItem);
  ParallelNest joined{
      {{.kind = Statement::kFor, .name = kItem, .extent = before + own}}, first.body, true};
  // The conditions of nests that were joined before stay as they are.
  if (first.loops[0].name != kItem) {
    loops::Substitute(joined.body, first.loops[0].name, item);
    joined.body = If(item < Expression(before), std::move(joined.body));
  }
  Block body = second.body;
  loops::Substitute(body, second.loops[0].name, item - Expression(before));
  body = If(item < Expression(before + own), std::move(body));
  joined.body.push_back(If(item >= Expression(before), std::move(body))[0]);
  return joined;
}

void JoinSteps(const Graph& graph, Program* program) {
  std::set<std::string> results;
  for (const ProgramArray& a : program->arrays) {
    if (a.role == ProgramArray::kOutput) results.insert(a.name);
  }
  struct Candidate {
    size_t step;
    ParallelNest nest;
    TouchedArrays arrays, after;  // Its own, and those of the steps that come after it.
  };
  std::vector<ProgramStep> steps;
  std::optional<Candidate> last;
  for (ProgramStep& step : program->steps) {
    if (step.called >= 0) last.reset();  // What it touches is not told by code.
    const TouchedArrays arrays(step.code);
    std::vector<ParallelNest> nests;
    if (step.called < 0 &&
        std::includes(results.begin(), results.end(), arrays.stored.begin(), arrays.stored.end())) {
      nests = ParallelNests(step.code);
    }
    const bool fits = nests.size() == 1 && nests[0].loops.size() == 1 && IsStraight(nests[0]) &&
                      nests[0].loops[0].extent < kMostItems;
    if (fits && last && arrays.IsApartFrom(last->arrays) && arrays.IsApartFrom(last->after) &&
        last->nest.loops[0].extent + nests[0].loops[0].extent < kMostItems) {
      TouchedArrays all = last->arrays;
      all.Add(arrays);
      if (all.Count() <= kMostArrays) {
        last->nest = Joined(last->nest, nests[0]);
        last->arrays = std::move(all);
        steps[last->step].code = CodeOf(last->nest);
        absl::StrAppend(&steps[last->step].comment, "; ", step.comment);
        continue;
      }
    }
    if (fits) {
      last = Candidate{steps.size(), nests[0], arrays, TouchedArrays({})};
    } else if (last) {
      last->after.Add(arrays);
    }
    steps.push_back(std::move(step));
  }
  program->steps = std::move(steps);
  FindLives(graph, program);
}

}  // namespace lamina::internal
