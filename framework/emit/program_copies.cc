#include "framework/emit/program_copies.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "framework/emit/linear_form.h"
#include "framework/emit/places.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// So many neighbours of one array, copied to neighbours of another one.
struct Copy {
  std::string from, to;
  int64_t first_from = 0, first_to = 0, numel = 0;
};

// Loops that do nothing but copy neighbours.
std::optional<Copy> CopyOf(const Statement& nest) {
  Digits digits;
  const Statement* s = &nest;
  std::map<std::string, int64_t> extent_of;
  for (; s->kind == Statement::kFor; s = &s->body[0]) {
    if (s->body.size() != 1 || s->extent < 1 || !s->first.is_number(0)) return std::nullopt;
    extent_of[s->name] = s->extent;
  }
  if (s->kind != Statement::kStore || s->value.operation() != Operation::kLoad) return std::nullopt;
  const std::optional<Linear> from = LinearForm(s->value.node().operands[0]),
                              to = LinearForm(s->index);
  if (!from || !to || from->of != to->of) return std::nullopt;
  for (const auto& [name, extent] : extent_of) {
    const auto term = from->of.find(name);
    digits.emplace_back(term == from->of.end() ? 0 : term->second, extent);
  }
  if (!AreDigits(&digits)) return std::nullopt;
  Copy copy{s->value.node().name, s->name, from->constant, to->constant, 1};
  for (const auto& [coefficient, extent] : digits) {
    if (coefficient != copy.numel) return std::nullopt;
    copy.numel *= extent;
  }
  return copy;
}

Statement LoopOf(const Copy& copy, DataType type) {
  const Expression i = Expression::Variable("i");
  const Statement store{
      .kind = Statement::kStore,
      .name = copy.to,
      .index = i + Expression(copy.first_to),
      .value = Expression::Load(copy.from, type, i + Expression(copy.first_from))};
  return {.kind = Statement::kFor, .name = "i", .extent = copy.numel, .body = {store}};
}

class CopyPlacer {
 public:
  CopyPlacer(const Graph& graph, Program& program) : graph_(graph), program_(program) {
    for (size_t a = 0; a < program.arrays.size(); ++a) {
      array_by_name_[program.arrays[a].name] = static_cast<int>(a);
    }
    uses_.resize(program.arrays.size());
    places_.resize(program.arrays.size());
  }

  void Run() {
    for (size_t s = 0; s < program_.steps.size(); ++s) FindUses(static_cast<int>(s));
    for (size_t s = 0; s < program_.steps.size(); ++s) TakeOut(static_cast<int>(s));
    for (ProgramStep& step : program_.steps) {
      ReplacePlaces(&step.code, [this](const std::string& array, const Expression& index) {
        const Place place = PlaceOf(array_by_name_.at(array));
        return std::pair(program_.arrays[place.array].name, index + Expression(place.first));
      });
      JoinNeighbours(&step.code);
    }
    std::erase_if(program_.steps,
                  [](const ProgramStep& step) { return step.called < 0 && step.code.empty(); });
    for (size_t v = 0; v < program_.array_of.size(); ++v) {
      if (program_.array_of[v] < 0) continue;
      const Place place = PlaceOf(program_.array_of[v]);
      program_.array_of[v] = place.array;
      program_.first_of[v] += place.first;
    }
  }

 private:
  struct Use {
    int first_step = std::numeric_limits<int>::max();
    int first_stored = std::numeric_limits<int>::max(), last_stored = -1;
    bool is_called = false;
  };
  struct Place {
    int array = -1;
    int64_t first = 0;
  };

  void FindUses(int s) {
    const auto touch = [&](int array, bool is_stored) {
      Use& use = uses_[array];
      use.first_step = std::min(use.first_step, s);
      if (!is_stored) return;
      use.first_stored = std::min(use.first_stored, s);
      use.last_stored = s;
    };
    const ProgramStep& step = program_.steps[s];
    ForEachPlace(
        step.code,
        [&](const std::string& name, const Expression&) { touch(array_by_name_.at(name), false); },
        [&](const std::string& name, const Expression&) { touch(array_by_name_.at(name), true); });
    if (step.called < 0) return;
    const GraphStep& called = graph_.steps()[step.called];
    for (const std::vector<int>* values : {&called.inputs, &called.outputs}) {
      for (const int v : *values) {
        const int array = program_.array_of[v];
        if (array < 0) continue;
        touch(array, values == &called.outputs);
        uses_[array].is_called = true;
      }
    }
  }

  // Takes the copies of a step out that can be.
  void TakeOut(int s) {
    Block& code = program_.steps[s].code;
    std::vector<std::optional<Copy>> copies;
    for (const Statement& nest : code) copies.push_back(CopyOf(nest));
    std::vector<bool> is_out(code.size(), false);
    for (size_t i = 0; i < code.size(); ++i) {
      const std::optional<Copy>& copy = copies[i];
      if (!copy || !CanLieThere(*copy, s)) continue;
      bool is_alone = true;
      for (size_t k = 0; k < code.size() && is_alone; ++k) {
        is_alone = k == i || !(copies[k] ? Meet(*copies[k], *copy) : StoresIn(code[k], *copy));
      }
      if (!is_alone) continue;
      const int from = array_by_name_.at(copy->from), to = array_by_name_.at(copy->to);
      places_[from] = {to, copy->first_to};
      uses_[to].first_step = std::min(uses_[to].first_step, uses_[from].first_step);
      uses_[to].is_called = uses_[to].is_called || uses_[from].is_called;
      is_out[i] = true;
    }
    Block kept;
    for (size_t i = 0; i < code.size(); ++i) {
      if (!is_out[i]) kept.push_back(std::move(code[i]));
    }
    code = std::move(kept);
  }

  bool CanLieThere(const Copy& copy, int s) const {
    const int from = array_by_name_.at(copy.from), to = array_by_name_.at(copy.to);
    const ProgramArray &source = program_.arrays[from], &target = program_.arrays[to];
    const Use &of_source = uses_[from], &of_target = uses_[to];
    const bool is_whole = copy.first_from == 0 && copy.numel == source.spec.numel();
    if (!is_whole || source.role != ProgramArray::kScratch || places_[from].array >= 0 ||
        source.spec.type != target.spec.type || of_source.last_stored >= s ||
        of_target.first_stored != s || of_target.last_stored != s) {
      return false;
    }
    // Then nothing of the target is touched before but what was placed in it.
    return !of_source.is_called || copy.first_to % kCallAlignment == 0;
  }

  static bool Meet(const Copy& a, const Copy& b) {
    return a.to == b.to && a.first_to < b.first_to + b.numel && b.first_to < a.first_to + a.numel;
  }

  // May loops store where the copy goes?
  static bool StoresIn(const Statement& code, const Copy& copy) {
    bool stores = false;
    ForEachPlace(
        {code}, [](const std::string&, const Expression&) {},
        [&](const std::string& name, const Expression& index) {
          stores = stores || (name == copy.to && MayReach(code, index, copy));
        });
    return stores;
  }

  // May an index of these loops reach the elements that are copied to?
  static bool MayReach(const Statement& code, const Expression& index, const Copy& copy) {
    const std::optional<Linear> form = LinearForm(index);
    if (!form) return true;
    int64_t least = form->constant, most = form->constant;
    std::map<std::string, int64_t> extents;
    const Statement* s = &code;
    while (s->kind == Statement::kFor && s->extent >= 1 && s->first.is_number(0)) {
      extents[s->name] = s->extent;
      if (s->body.size() != 1) break;
      s = &s->body[0];
    }
    for (const auto& [name, coefficient] : form->of) {
      const auto extent = extents.find(name);
      if (extent == extents.end()) return true;
      const int64_t reach = coefficient * (extent->second - 1);
      (reach < 0 ? least : most) += reach;
    }
    return least < copy.first_to + copy.numel && copy.first_to <= most;
  }

  Place PlaceOf(int array) const {
    Place place{array, 0};
    while (places_[place.array].array >= 0) {
      const Place& next = places_[place.array];
      place = {next.array, place.first + next.first};
    }
    return place;
  }

  void JoinNeighbours(Block* code) const {
    Block joined;
    std::optional<Copy> last;
    for (Statement& s : *code) {
      const std::optional<Copy> copy = CopyOf(s);
      const bool goes_on = copy && last && copy->from == last->from && copy->to == last->to &&
                           copy->first_from == last->first_from + last->numel &&
                           copy->first_to == last->first_to + last->numel;
      if (goes_on) {
        last->numel += copy->numel;
        joined.back() = LoopOf(*last, program_.arrays[array_by_name_.at(last->to)].spec.type);
      } else {
        joined.push_back(std::move(s));
        last = copy;
      }
    }
    *code = std::move(joined);
  }

  const Graph& graph_;
  Program& program_;
  std::map<std::string, int> array_by_name_;
  std::vector<Use> uses_;      // Of each array.
  std::vector<Place> places_;  // Of each array, in another one.
};

}  // namespace

void PlaceCopies(const Graph& graph, Program* program) { CopyPlacer(graph, *program).Run(); }

}  // namespace lamina::internal
