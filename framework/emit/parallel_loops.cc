#include "framework/emit/parallel_loops.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>

#include "framework/dlarray/error.h"
#include "framework/emit/places.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// A variable that may stand for any of several sizes, at one of them.
struct Fixed {
  const std::string& name;
  int64_t value;
};

int64_t Extent(const Statement& loop, const Fixed& fixed) {
  LAMINA_CHECK(loop.first.is_number(0));
  if (loop.extent != Statement::kVariableExtent) return loop.extent;
  const std::optional<Linear> form = LinearForm(loop.variable_extent, fixed.name, fixed.value);
  LAMINA_CHECK(form && form->of.empty());
  return form->constant;
}

Statement WithoutBody(const Statement& loop) {
  return {.kind = Statement::kFor,
          .name = loop.name,
          .extent = loop.extent,
          .variable_extent = loop.variable_extent};
}

void VisitStatements(const Block& code, const std::function<void(const Statement&)>& visit) {
  for (const Statement& s : code) {
    visit(s);
    VisitStatements(s.body, visit);
  }
}

bool Mentions(const Expression& x, const std::string& variable) {
  bool found = false;
  Visit(x, [&](const Expression& e) {
    found = found || (e.operation() == Operation::kVariable && e.node().name == variable);
  });
  return found;
}

// Where an array is touched: linear in the variables of parallel loops and of loops inside.
struct Touched {
  std::set<int64_t> constants;
  std::map<std::string, int64_t> outer;  // coefficient of each parallel loop's variable
  std::map<int64_t, int64_t> inner;      // coefficient -> the greatest extent
};

// Collects how arrays that are stored to are touched, and asks whether items share elements.
class Touches {
 public:
  Touches(const std::vector<Statement>& parallel, std::set<std::string> stored, Fixed fixed)
      : parallel_(parallel), stored_(std::move(stored)), fixed_(fixed) {}

  bool AreApart(const Block& body) {
    Collect(body);
    for (const auto& [array, touched] : touched_) good_ = good_ && AreApart(touched);
    return good_;
  }

 private:
  void Collect(const Block& body) {
    for (const Statement& s : body) {
      if (s.kind == Statement::kStore) Note(s.name, s.index);
      for (const Expression* x : {&s.index, &s.value}) {
        Visit(*x, [&](const Expression& e) {
          if (e.operation() == Operation::kLoad) Note(e.node().name, e.node().operands[0]);
        });
      }
      if (s.kind == Statement::kFor) inner_[s.name].push_back(Extent(s, fixed_));
      Collect(s.body);
      if (s.kind == Statement::kFor) inner_[s.name].pop_back();
    }
  }

  void Note(const std::string& array, const Expression& index) {
    if (stored_.count(array) == 0 || !good_) return;
    const std::optional<Linear> form = LinearForm(index, fixed_.name, fixed_.value);
    if (!form) {
      good_ = false;
      return;
    }
    Touched now{.constants = {}, .outer = {}, .inner = {}};
    int64_t constant = form->constant;
    for (const auto& [name, coefficient] : form->of) {
      if (coefficient == 0) continue;
      const bool is_outer = std::any_of(parallel_.begin(), parallel_.end(),
                                        [&](const Statement& s) { return s.name == name; });
      const auto extent = inner_.find(name);
      if (is_outer) {
        now.outer[name] = coefficient;
      } else if (extent != inner_.end() && !extent->second.empty()) {
        // A loop that goes down touches what it would going up.
        const int64_t n = extent->second.back();
        constant += std::min<int64_t>(coefficient, 0) * (n - 1);
        if (!now.inner.emplace(std::abs(coefficient), n).second) good_ = false;
      } else {
        good_ = false;  // A variable of another kind.
      }
    }
    now.constants.insert(constant);
    const auto [known, is_new] = touched_.emplace(array, now);
    if (is_new) return;
    known->second.constants.insert(constant);
    good_ = good_ && known->second.outer == now.outer;
    for (const auto& [coefficient, extent] : now.inner) {
      int64_t& most = known->second.inner[coefficient];
      most = std::max(most, extent);
    }
  }

  // Different items, different elements, also of those that lie a constant apart.
  bool AreApart(const Touched& touched) const {
    Digits digits(touched.inner.begin(), touched.inner.end());
    for (const Statement& loop : parallel_) {
      const int64_t extent = Extent(loop, fixed_);
      if (extent <= 1) continue;
      const auto found = touched.outer.find(loop.name);
      if (found == touched.outer.end()) return false;
      digits.emplace_back(found->second, extent);
    }
    if (!AreDigits(&digits)) return false;
    for (const int64_t a : touched.constants) {
      for (const int64_t b : touched.constants) {
        if (a < b && CanLieApart(digits, b - a)) return false;
      }
    }
    return true;
  }

  const std::vector<Statement>& parallel_;
  const std::set<std::string> stored_;
  const Fixed fixed_;
  std::map<std::string, std::vector<int64_t>> inner_;
  std::map<std::string, Touched> touched_;
  bool good_ = true;
};

bool AreParallel(const std::vector<Statement>& parallel, const Block& body,
                 const std::set<std::string>& stored, const std::string& variable, int64_t most) {
  for (int64_t value = 1; value <= most; ++value) {
    if (!Touches(parallel, stored, {variable, value}).AreApart(body)) return false;
  }
  return true;
}

// One loop right inside the other; `body` is that of the innermost.
std::vector<Statement> Chain(const Statement& first, const Block** body) {
  std::vector<Statement> chain{WithoutBody(first)};
  *body = &first.body;
  while ((*body)->size() == 1 && (*body)->front().kind == Statement::kFor) {
    const Statement& next = (*body)->front();
    chain.push_back(WithoutBody(next));
    *body = &next.body;
  }
  return chain;
}

ParallelNest NestOf(const Statement& first, const std::string& variable, int64_t most) {
  const Block one{first};
  if (first.kind != Statement::kFor) return {{}, one, true};
  const std::set<std::string> stored = StoredArrays(one);
  const Block* body = nullptr;
  for (size_t depth = Chain(first, &body).size(); depth > 0; --depth) {
    std::vector<Statement> parallel;
    Block inside = one;
    while (parallel.size() < depth) {
      parallel.push_back(WithoutBody(inside[0]));
      Block next = std::move(inside[0].body);
      inside = std::move(next);
    }
    if (AreParallel(parallel, inside, stored, variable, most)) return {parallel, inside, true};
  }
  return {{}, one, false};
}

// The statement as a part of a loop that threads share; nothing when it must not be.
class SharedBody {
 public:
  explicit SharedBody(const Block& body) : body_(body) {}

  std::optional<std::vector<SharedLoop::Joined>> Joined() {
    for (const Statement& s : body_) {
      bool good = s.kind == Statement::kLet || s.kind == Statement::kStore;
      if (s.kind == Statement::kAssign) good = NoteSum(s);
      if (s.kind == Statement::kIf) good = NoteExtreme(s) || NoteSumsUnder(s);
      if (!good) return std::nullopt;
    }
    // What is joined stands in its own statement only.
    for (const SharedLoop::Joined& joined : joined_) {
      int statements = 0;
      for (const Statement& s : body_) {
        bool here = s.name == joined.variable;
        VisitStatements({s}, [&](const Statement& inner) {
          here = here || Mentions(inner.value, joined.variable) ||
                 Mentions(inner.index, joined.variable) || inner.name == joined.variable;
        });
        statements += here;
      }
      if (statements != 1) return std::nullopt;
    }
    return joined_;
  }

 private:
  bool NoteSum(const Statement& s) {
    const Expression::Node& node = s.value.node();
    std::optional<double> identity;
    if (node.operation == Operation::kAdd || node.operation == Operation::kOr) identity = 0;
    if (node.operation == Operation::kMultiply || node.operation == Operation::kAnd) identity = 1;
    if (!identity || node.operands[0].operation() != Operation::kVariable ||
        node.operands[0].node().name != s.name || Mentions(node.operands[1], s.name)) {
      return false;
    }
    joined_.push_back({s.name, node.operands[0].type(), identity, s, ""});
    return true;
  }

  // if (condition) sum = sum + x, where the condition is one of this turn alone.
  bool NoteSumsUnder(const Statement& s) {
    const size_t first = joined_.size();
    for (const Statement& inner : s.body) {
      const bool good =
          inner.kind == Statement::kLet || (inner.kind == Statement::kAssign && NoteSum(inner));
      if (!good) return false;
    }
    for (size_t i = first; i < joined_.size(); ++i) {
      const std::string& sum = joined_[i].variable;
      const auto reads = [&sum](const Statement& inner) { return Mentions(inner.value, sum); };
      if (Mentions(s.value, sum) || std::count_if(s.body.begin(), s.body.end(), reads) != 1) {
        return false;
      }
    }
    return joined_.size() > first;
  }

  // if (better(value, best)) best = value, where value has a name.
  bool NoteExtreme(const Statement& s) {
    if (s.body.size() != 1 || s.body[0].kind != Statement::kAssign) return false;
    const Statement& assign = s.body[0];
    if (assign.value.operation() != Operation::kVariable) return false;
    const std::string& value = assign.value.node().name;
    bool is_let = false, good = true;
    for (const Statement& other : body_) {
      is_let = is_let || (other.kind == Statement::kLet && other.name == value);
    }
    Visit(s.value, [&](const Expression& e) {
      if (e.operation() == Operation::kLoad || e.operation() == Operation::kCall) good = false;
      if (e.operation() != Operation::kVariable) return;
      good = good && (e.node().name == value || e.node().name == assign.name);
    });
    if (!is_let || !good) return false;
    joined_.push_back({assign.name, assign.value.type(), std::nullopt, s, value});
    return true;
  }

  const Block& body_;
  std::vector<SharedLoop::Joined> joined_;
};

}  // namespace

bool LoadsNeighbours(const Block& code, const std::string& loop_variable) {
  bool any = false;
  VisitStatements(code, [&](const Statement& s) {
    Visit(s.value, [&](const Expression& e) {
      if (e.operation() != Operation::kLoad) return;
      const std::optional<Linear> index = LinearForm(e.node().operands[0]);
      if (!index) return;
      const auto step = index->of.find(loop_variable);
      any = any || (step != index->of.end() && step->second == 1);
    });
  });
  return any;
}

Block CodeOf(const ParallelNest& nest) {
  Block code = nest.body;
  for (auto loop = nest.loops.rbegin(); loop != nest.loops.rend(); ++loop) {
    Statement s = *loop;
    s.body = std::move(code);
    code = Block{std::move(s)};
  }
  return code;
}

int64_t NumItems(const std::vector<Statement>& loops, const std::string& variable, int64_t value) {
  int64_t items = 1;
  for (const Statement& loop : loops) items *= Extent(loop, {variable, value});
  return items;
}

std::vector<ParallelNest> ParallelNests(const Block& code, const std::string& variable,
                                        int64_t most) {
  const bool is_whole = std::any_of(code.begin(), code.end(), [](const Statement& s) {
    return s.kind != Statement::kFor && s.kind != Statement::kStore;
  });
  if (is_whole) return {{{}, code, true}};
  std::vector<ParallelNest> nests;
  for (const Statement& s : code) nests.push_back(NestOf(s, variable, most));
  return nests;
}

std::optional<std::vector<SharedLoop>> SharedLoops(const ParallelNest& nest,
                                                   const std::string& variable, int64_t most) {
  std::vector<SharedLoop> shared;
  for (const Statement& s : nest.body) {
    if (s.kind == Statement::kIf) return std::nullopt;
    if (s.kind != Statement::kFor) continue;
    SharedLoop loop;
    const Block* body = nullptr;
    loop.loops = Chain(s, &body);
    loop.body = *body;
    const std::set<std::string> stored = StoredArrays(loop.body);
    loop.stores = !stored.empty();
    auto joined = SharedBody(loop.body).Joined();
    if (!joined) return std::nullopt;
    loop.joined = std::move(*joined);
    std::vector<Statement> parallel = nest.loops;
    parallel.insert(parallel.end(), loop.loops.begin(), loop.loops.end());
    if (!AreParallel(parallel, loop.body, stored, variable, most)) return std::nullopt;
    shared.push_back(std::move(loop));
  }
  return shared;
}

}  // namespace lamina
