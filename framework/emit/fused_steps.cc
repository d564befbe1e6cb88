#include "framework/emit/fused_steps.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/emit/linear_form.h"
#include "framework/emit/places.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// Beyond so many items a launch costs less than what it computes, and beyond so many statements or
// arrays a kernel has too few registers or too many parameters.
constexpr int64_t kMostItems = 1 << 20;
constexpr size_t kMostStatements = 128, kMostArrays = 64;

Statement Loop(const std::string& name, int64_t extent) {
  return {.kind = Statement::kFor, .name = name, .extent = extent};
}

// Names that are not taken.
class Names {
 public:
  explicit Names(const ParallelNest& nest) {
    taken_ = LoadedArrays(nest.body);
    taken_.merge(StoredArrays(nest.body));
    for (const Statement& loop : nest.loops) taken_.insert(loop.name);
    for (const Statement& s : nest.body) {
      if (s.kind == Statement::kLet) taken_.insert(s.name);
    }
  }
  void Add(const Names& other) { taken_.insert(other.taken_.begin(), other.taken_.end()); }
  bool IsTaken(const std::string& name) const { return taken_.count(name) > 0; }
  std::string New(const std::string& hint) {
    std::string name = hint;
    for (int n = 2; !taken_.insert(name).second; ++n) name = absl::StrCat(hint, "_", n);
    return name;
  }

 private:
  std::set<std::string> taken_;
};

// Loops over the same items, in the same order, whose extents are parts of those of both nests.
class CommonLoops {
 public:
  // The bodies name these loops' variables then. False when there are none.
  bool Find(ParallelNest* a, ParallelNest* b, Names* names) {
    std::vector<Statement> common;  // Innermost first.
    Part of_a(a), of_b(b);
    while (of_a.Next() && of_b.Next()) {
      const int64_t extent = std::min(of_a.left, of_b.left);
      if (of_a.left % extent != 0 || of_b.left % extent != 0) return false;
      const std::string name = names->New("i");
      of_a.Take(name, extent);
      of_b.Take(name, extent);
      common.push_back(Loop(name, extent));
    }
    if (of_a.Next() || of_b.Next()) return false;
    std::reverse(common.begin(), common.end());
    a->loops = common;
    b->loops = std::move(common);
    return true;
  }

 private:
  // How far the loops of a nest were taken apart.
  struct Part {
    explicit Part(ParallelNest* nest) : nest(nest), loop(nest->loops.size()) {}

    // Is there something left? Loops of one iteration have an index of 0.
    bool Next() {
      while (left == 1) {
        if (loop < nest->loops.size()) {
          loops::Substitute(nest->body, nest->loops[loop].name, index);
        }
        if (loop == 0) return false;
        left = nest->loops[--loop].extent;
        index = Expression(0);
        step = 1;
      }
      return true;
    }
    void Take(const std::string& name, int64_t extent) {
      index = index + Expression::Variable(name) * Expression(step);
      step *= extent;
      left /= extent;
    }

    ParallelNest* const nest;
    size_t loop;
    int64_t left = 1, step = 1;
    Expression index = Expression(0);
  };
};

// Gives the variables of the body that have taken names new ones.
void RenameVariables(const Names& taken, Names* names, Block* body) {
  for (size_t i = 0; i < body->size(); ++i) {
    Statement& let = (*body)[i];
    if (let.kind != Statement::kLet || !taken.IsTaken(let.name)) continue;
    const std::string name = names->New(let.name);
    const auto next = body->begin() + static_cast<std::ptrdiff_t>(i) + 1;
    Block rest(next, body->end());
    loops::Substitute(rest, let.name, Expression::Variable(name, let.value.type()));
    let.name = name;
    std::move(rest.begin(), rest.end(), next);
  }
}

// Where the items of a nest touch an array.
struct Places {
  std::vector<std::optional<Linear>> loaded, stored;
};

std::map<std::string, Places> PlacesOf(const Block& body) {
  std::map<std::string, Places> places;
  ForEachPlace(
      body,
      [&](const std::string& array, const Expression& index) {
        places[array].loaded.push_back(LinearForm(index));
      },
      [&](const std::string& array, const Expression& index) {
        places[array].stored.push_back(LinearForm(index));
      });
  return places;
}

class Fuser {
 public:
  Fuser(ParallelNest first, ParallelNest second)
      : first_(std::move(first)), second_(std::move(second)), names_(first_) {
    names_.Add(Names(second_));
  }

  std::optional<ParallelNest> Run() {
    const Names of_first(first_);
    if (!CommonLoops().Find(&first_, &second_, &names_)) return std::nullopt;
    RenameVariables(of_first, &names_, &second_.body);
    if (!ForwardStores()) return std::nullopt;
    const std::map<std::string, Places> before = PlacesOf(first_.body);
    for (const auto& [array, after] : PlacesOf(second_.body)) {
      const auto found = before.find(array);
      if (found == before.end()) continue;
      const Places& of_first = found->second;
      if (!AreApart(of_first.stored, after.loaded) || !AreApart(of_first.stored, after.stored) ||
          !AreApart(of_first.loaded, after.stored)) {
        return std::nullopt;
      }
    }
    ParallelNest fused{first_.loops, first_.body, true};
    fused.body.insert(fused.body.end(), second_.body.begin(), second_.body.end());
    return fused;
  }

 private:
  // Gives the second nest what the first one stores for the same item, as a variable.
  bool ForwardStores() {
    Block body;
    for (Statement& s : first_.body) {
      if (s.kind == Statement::kStore) {
        const std::optional<Linear> stored = LinearForm(s.index);
        std::vector<Expression> loads;
        for (const Statement& after : second_.body) {
          const auto note = [&](const Expression& x) {
            if (x.operation() == Operation::kLoad && x.node().name == s.name && stored &&
                IsSame(LinearForm(x.node().operands[0]), *stored)) {
              loads.push_back(x);
            }
          };
          Visit(after.value, note);
          Visit(after.index, note);
        }
        if (!loads.empty()) {
          // The array's type may be another one than the value's; of those of numbers they are one.
          const DataType type = loads[0].type();
          if (s.value.type() != type || !IsFloating(type)) return false;
          const std::string name = names_.New("stored");
          body.push_back({.kind = Statement::kLet, .name = name, .value = s.value});
          s.value = Expression::Variable(name, type);
          Forward(s.name, *stored, s.value);
        }
      }
      body.push_back(std::move(s));
    }
    first_.body = std::move(body);
    return true;
  }

  void Forward(const std::string& array, const Linear& place, const Expression& value) {
    const auto replace = [&](const Expression& x) {
      const bool is_it = x.operation() == Operation::kLoad && x.node().name == array &&
                         IsSame(LinearForm(x.node().operands[0]), place);
      return is_it ? value : x;
    };
    for (Statement& s : second_.body) {
      s.value = Rewrite(s.value, replace);
      s.index = Rewrite(s.index, replace);
    }
  }

  static bool IsSame(const std::optional<Linear>& a, const Linear& b) {
    return a && a->constant == b.constant && Terms(*a) == Terms(b);
  }
  static std::map<std::string, int64_t> Terms(const Linear& form) {
    std::map<std::string, int64_t> terms = form.of;
    std::erase_if(terms, [](const auto& term) { return term.second == 0; });
    return terms;
  }

  // Is no place of the one, for any item, a place of the other?
  bool AreApart(const std::vector<std::optional<Linear>>& some,
                const std::vector<std::optional<Linear>>& others) const {
    for (const auto& a : some) {
      for (const auto& b : others) {
        if (!a || !b || Terms(*a) != Terms(*b)) return false;
        Digits digits;
        for (const Statement& loop : first_.loops) {
          const auto term = a->of.find(loop.name);
          digits.emplace_back(term == a->of.end() ? 0 : term->second, loop.extent);
        }
        if (!AreDigits(&digits) || CanLieApart(digits, b->constant - a->constant)) return false;
      }
    }
    return true;
  }

  ParallelNest first_, second_;
  Names names_;
};

bool IsSmall(const ParallelNest& nest) {
  std::set<std::string> arrays = LoadedArrays(nest.body);
  arrays.merge(StoredArrays(nest.body));
  return nest.body.size() <= kMostStatements && arrays.size() <= kMostArrays &&
         NumItems(nest.loops) <= kMostItems;
}

// The step as one nest or several; none where it is not to be touched.
std::vector<ParallelNest> NestsOf(const ProgramStep& step) {
  if (step.called >= 0) return {};
  std::vector<ParallelNest> nests = ParallelNests(step.code);
  for (const ParallelNest& nest : nests) {
    if (!IsStraight(nest) || nest.loops.empty()) return {};
  }
  return nests;
}

std::optional<ParallelNest> FusedIfSmall(const ParallelNest& a, const ParallelNest& b) {
  if (NumItems(a.loops) != NumItems(b.loops)) return std::nullopt;
  std::optional<ParallelNest> fused = Fused(a, b);
  if (!fused || !IsSmall(*fused)) return std::nullopt;
  return fused;
}

}  // namespace

bool IsStraight(const ParallelNest& nest) {
  return nest.is_shown &&
         std::all_of(nest.loops.begin(), nest.loops.end(),
                     [](const Statement& loop) { return loop.extent >= 1; }) &&
         std::all_of(nest.body.begin(), nest.body.end(), [](const Statement& s) {
           return s.kind == Statement::kLet || s.kind == Statement::kStore;
         });
}

std::optional<ParallelNest> Fused(const ParallelNest& first, const ParallelNest& second) {
  if (!IsStraight(first) || !IsStraight(second)) return std::nullopt;
  return Fuser(first, second).Run();
}

void FuseSteps(const Graph& graph, Program* program) {
  std::vector<ProgramStep> steps;
  std::vector<ParallelNest> last;  // The nests of the last step.
  for (ProgramStep& step : program->steps) {
    std::vector<ParallelNest> fused;
    bool is_new = false;
    for (ParallelNest& nest : NestsOf(step)) {
      auto together = fused.empty() ? std::nullopt : FusedIfSmall(fused.back(), nest);
      if (together) {
        fused.back() = std::move(*together);
        is_new = true;
      } else {
        fused.push_back(std::move(nest));
      }
    }
    if (last.size() == 1 && fused.size() == 1) {
      if (auto together = FusedIfSmall(last[0], fused[0])) {
        last[0] = std::move(*together);
        steps.back().code = CodeOf(last[0]);
        absl::StrAppend(&steps.back().comment, "; ", step.comment);
        continue;
      }
    }
    if (is_new) {
      step.code.clear();
      for (const ParallelNest& nest : fused) step.code.push_back(CodeOf(nest)[0]);
    }
    steps.push_back(std::move(step));
    last = std::move(fused);
  }
  program->steps = std::move(steps);
  FindLives(graph, program);
}

void FindLives(const Graph& graph, Program* program) {
  std::map<std::string, ProgramArray*> by_name;
  for (ProgramArray& a : program->arrays) {
    a.first_step = a.last_step = -1;
    by_name[a.name] = &a;
  }
  for (size_t s = 0; s < program->steps.size(); ++s) {
    const auto touch = [&](ProgramArray* a) {
      if (a->first_step < 0) a->first_step = static_cast<int>(s);
      a->last_step = static_cast<int>(s);
    };
    const ProgramStep& step = program->steps[s];
    const auto touch_named = [&](const std::string& name, const Expression&) {
      touch(by_name.at(name));
    };
    ForEachPlace(step.code, touch_named, touch_named);
    if (step.called < 0) continue;
    const GraphStep& called = graph.steps()[step.called];
    for (const std::vector<int>* values : {&called.inputs, &called.outputs}) {
      for (const int v : *values) {
        if (program->array_of[v] >= 0) touch(&program->arrays[program->array_of[v]]);
      }
    }
  }
}

}  // namespace lamina::internal
