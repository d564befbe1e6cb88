#include "framework/emit/split_nests.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/emit/parallel_loops.h"
#include "framework/emit/places.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// The multiprocessors of a large device.
constexpr int64_t kMostItems = 132;

std::set<std::string> VariablesOf(const Block& code) {
  std::set<std::string> names;
  const auto note = [&](const Expression& x) {
    if (x.operation() == Operation::kVariable) names.insert(x.node().name);
  };
  for (const Statement& s : code) {
    Visit(s.value, note);
    Visit(s.index, note);
    names.merge(VariablesOf(s.body));
  }
  return names;
}

// The names that the code gives to values and loops.
std::set<std::string> NamesIn(const Block& code) {
  std::set<std::string> names;
  for (const Statement& s : code) {
    if (s.kind == Statement::kLet || s.kind == Statement::kVar || s.kind == Statement::kFor) {
      names.insert(s.name);
    }
    names.merge(NamesIn(s.body));
  }
  return names;
}

class Splitter {
 public:
  Splitter(const ParallelNest& nest, Program* program) : nest_(nest), program_(*program) {}

  // The nests in their order; nothing when the nest is to be left as it is.
  std::optional<Block> Run(int64_t least) {
    const bool has_known_loops =
        std::all_of(nest_.loops.begin(), nest_.loops.end(),
                    [](const Statement& loop) { return loop.extent >= 1; });
    if (!nest_.is_shown || nest_.loops.empty() || !has_known_loops ||
        NumItems(nest_.loops) > kMostItems || LoadsWhatItStores()) {
      return std::nullopt;
    }
    shared_ = SharedLoops(nest_);
    if (!shared_ || shared_->size() < 2) return std::nullopt;
    int64_t longest = 0;
    for (const SharedLoop& loop : *shared_) longest = std::max(longest, NumItems(loop.loops));
    if (longest < least || !FindPhases()) return std::nullopt;
    Block nests;
    for (size_t phase = 0; phase < shared_->size(); ++phase) nests.push_back(NestOf(phase));
    return nests;
  }

 private:
  // A variable of the nest's body: a sum of a loop, or what follows from sums.
  struct Known {
    int phase = -1;  // The loop after which it is known; -1: before all.
    Expression value = Expression(0);
    std::string array = {};  // Where later phases find it.
  };

  bool LoadsWhatItStores() const {
    const std::set<std::string> loaded = LoadedArrays(nest_.body);
    const std::set<std::string> stored = StoredArrays(nest_.body);
    return std::any_of(stored.begin(), stored.end(),
                       [&](const std::string& array) { return loaded.count(array) > 0; });
  }

  // After which loop each statement can stand. False when the order of statements matters.
  bool FindPhases() {
    std::map<std::string, int> summed_in;
    for (size_t k = 0; k < shared_->size(); ++k) {
      for (const SharedLoop::Joined& joined : (*shared_)[k].joined) {
        if (!summed_in.emplace(joined.variable, static_cast<int>(k)).second) return false;
      }
    }
    before_.resize(shared_->size());
    after_.resize(shared_->size());
    loop_.resize(shared_->size());
    size_t loops = 0;
    for (const Statement& s : nest_.body) {
      if (s.kind == Statement::kFor) {
        loop_[loops] = s;
        WithoutFree(&loop_[loops++]);
        continue;
      }
      const int phase = LastPhaseOf({s});
      if (s.kind == Statement::kVar) {
        const auto sum = summed_in.find(s.name);
        if (sum == summed_in.end() || phase >= sum->second) return false;
        known_[s.name] = {sum->second, Expression::Variable(s.name, s.value.type())};
        Statement var = s;
        WithoutFree(&var);
        before_[static_cast<size_t>(sum->second)].push_back(std::move(var));
      } else if (s.kind == Statement::kLet) {
        // What needs no loop is computed again wherever it is needed.
        Statement let = s;
        WithoutFree(&let);
        known_[s.name] = {phase,
                          phase < 0 ? let.value : Expression::Variable(s.name, s.value.type())};
        if (phase >= 0) after_[static_cast<size_t>(phase)].push_back(std::move(let));
      } else if (s.kind == Statement::kStore) {
        Statement store = s;
        WithoutFree(&store);
        after_[static_cast<size_t>(std::max(phase, 0))].push_back(std::move(store));
      } else {
        return false;
      }
    }
    return loops == shared_->size() && HasOwnNames() && KeepWhatIsNeeded();
  }

  // Names may be taken again where a loop has ended.
  bool HasOwnNames() const {
    return std::all_of(loop_.begin(), loop_.end(), [&](const Statement& loop) {
      const std::set<std::string> inside = NamesIn(loop.body);
      return std::none_of(inside.begin(), inside.end(),
                          [&](const std::string& name) { return known_.count(name) > 0; });
    });
  }

  int LastPhaseOf(const Block& code) const {
    int last = -1;
    for (const std::string& name : VariablesOf(code)) {
      const auto known = known_.find(name);
      if (known != known_.end()) last = std::max(last, known->second.phase);
    }
    return last;
  }

  // Puts the values of variables that need no loop in their place.
  void WithoutFree(Statement* s) const {
    Block code{std::move(*s)};
    for (const auto& [name, known] : known_) {
      if (known.phase < 0) loops::Substitute(code, name, known.value);
    }
    *s = std::move(code[0]);
  }

  // Numbers that a later phase needs get memory. False when one is not of a floating type.
  bool KeepWhatIsNeeded() {
    for (size_t k = 0; k < loop_.size(); ++k) {
      Block code = before_[k];
      code.push_back(loop_[k]);
      code.insert(code.end(), after_[k].begin(), after_[k].end());
      for (const std::string& name : VariablesOf(code)) {
        const auto found = known_.find(name);
        if (found == known_.end()) continue;
        Known& known = found->second;
        if (known.phase >= static_cast<int>(k) || !known.array.empty()) continue;
        const DataType type = known.value.type();
        if (!IsFloating(type)) return false;
        known.array = NewArray(type, NumItems(nest_.loops));
      }
    }
    return true;
  }

  std::string NewArray(DataType type, int64_t numel) {
    std::set<std::string> taken;
    for (const ProgramArray& a : program_.arrays) taken.insert(a.name);
    std::string name = "kept";
    for (int n = 2; taken.count(name) > 0; ++n) name = absl::StrCat("kept_", n);
    program_.arrays.push_back({name, {type, {numel}, {}}, ProgramArray::kScratch});
    return name;
  }

  Statement NestOf(size_t phase) const {
    const SharedLoop& shared = (*shared_)[phase];
    if (shared.joined.empty() && before_[phase].empty() && after_[phase].empty()) {
      // Elements: each is an item.
      Block body = loop_[phase].body;
      for (size_t k = 1; k < shared.loops.size(); ++k) {
        Block inside = std::move(body[0].body);
        body = std::move(inside);
      }
      for (const auto& [name, known] : known_) {
        if (0 <= known.phase && known.phase < static_cast<int>(phase)) {
          loops::Substitute(body, name, Kept(known));
        }
      }
      std::vector<Statement> all = nest_.loops;
      all.insert(all.end(), shared.loops.begin(), shared.loops.end());
      return CodeOf({all, std::move(body)})[0];
    }
    Block code = before_[phase];
    code.push_back(loop_[phase]);
    code.insert(code.end(), after_[phase].begin(), after_[phase].end());
    // What is known of phases before.
    Block lets;
    for (const std::string& name : VariablesOf(code)) {
      const auto known = known_.find(name);
      if (known == known_.end() || known->second.phase >= static_cast<int>(phase)) continue;
      lets.push_back({.kind = Statement::kLet, .name = name, .value = Kept(known->second)});
    }
    code.insert(code.begin(), lets.begin(), lets.end());
    for (const auto& [name, known] : known_) {
      if (known.phase != static_cast<int>(phase) || known.array.empty()) continue;
      code.push_back(
          {.kind = Statement::kStore, .name = known.array, .index = Item(), .value = known.value});
    }
    return CodeOf({nest_.loops, std::move(code)})[0];
  }

  Expression Kept(const Known& known) const {
    return Expression::Load(known.array, known.value.type(), Item());
  }

  // The number of the item.
  Expression Item() const {
    Expression item(0);
    int64_t step = 1;
    for (auto loop = nest_.loops.rbegin(); loop != nest_.loops.rend(); ++loop) {
      item = item + Expression::Variable(loop->name) * Expression(step);
      step *= loop->extent;
    }
    return item;
  }

  const ParallelNest& nest_;
  Program& program_;
  std::optional<std::vector<SharedLoop>> shared_;
  std::map<std::string, Known> known_;
  // Of each phase: its sums as they begin, its loop, and what follows.
  std::vector<Block> before_, after_;
  Block loop_;
};

}  // namespace

void SplitNests(Program* program, int64_t least) {
  std::vector<ProgramStep> steps;
  for (ProgramStep& step : program->steps) {
    const std::vector<ParallelNest> nests = ParallelNests(step.code);
    const std::optional<Block> parts =
        nests.size() == 1 ? Splitter(nests[0], program).Run(least) : std::nullopt;
    if (!parts) {
      steps.push_back(std::move(step));
      continue;
    }
    for (size_t k = 0; k < parts->size(); ++k) {
      steps.push_back(
          {absl::StrCat(step.comment, ", part ", k + 1, " of ", parts->size()), {(*parts)[k]}});
    }
  }
  program->steps = std::move(steps);
}

}  // namespace lamina::internal
