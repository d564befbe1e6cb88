#include "framework/emit/kernel_loops.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/linear_form.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// An array and a place in it, as one text for one expression.
std::string PlaceKey(const std::string& array, const Expression& index) {
  return absl::StrCat(array, "[", CPrinter().Print(index));
}

}  // namespace

bool IsCountedLoop(const Statement& s) {
  return s.kind == Statement::kFor && s.extent != Statement::kVariableExtent &&
         s.first.is_number(0);
}

Statement& Innermost(Statement& loop) {
  Statement* inner = &loop;
  while (inner->body.size() == 1 && IsCountedLoop(inner->body[0])) inner = &inner->body[0];
  return *inner;
}

int64_t Work(const Block& block) {
  int64_t inner = 0;
  for (const Statement& s : block) {
    if (s.kind == Statement::kFor) inner += s.extent * Work(s.body);
    if (s.kind == Statement::kIf) inner += Work(s.body);
  }
  return std::max<int64_t>(inner, 1);
}

void MarkIndependent(Block& block) {
  for (Statement& s : block) {
    MarkIndependent(s.body);
    if (s.kind != Statement::kFor) continue;
    bool simple = true;
    std::vector<std::string> sums;
    for (const Statement& inner : s.body) {
      if (inner.kind == Statement::kAssign) {
        const Expression::Node& node = inner.value.node();
        simple = simple && node.operation == Operation::kAdd &&
                 node.operands[0].operation() == Operation::kVariable &&
                 node.operands[0].node().name == inner.name;
        sums.push_back(inner.name);
      } else {
        simple = simple && (inner.kind == Statement::kLet || inner.kind == Statement::kStore);
      }
    }
    if (!simple) continue;
    // An array that is stored is read and stored at one place, which differs in each iteration.
    std::map<std::string, std::string> stored;
    ForEachPlace(
        s.body, [](const std::string&, const Expression&) {},
        [&](const std::string& array, const Expression& index) {
          const std::string key = PlaceKey(array, index);
          simple = simple && stored.emplace(array, key).first->second == key;
          bool moves = false;
          Visit(index, [&](const Expression& e) {
            moves = moves || (e.operation() == Operation::kVariable && e.node().name == s.name);
            simple = simple && e.operation() != Operation::kModulo &&
                     e.operation() != Operation::kDivide && e.operation() != Operation::kSelect &&
                     e.operation() != Operation::kLoad;
          });
          simple = simple && moves;
        });
    ForEachPlace(
        s.body,
        [&](const std::string& array, const Expression& index) {
          const auto found = stored.find(array);
          simple = simple && (found == stored.end() || found->second == PlaceKey(array, index));
        },
        [](const std::string&, const Expression&) {});
    if (!simple) continue;
    s.is_independent = true;
    s.sums = std::move(sums);
  }
}

namespace {

constexpr int64_t kVector = 16;  // Of numbers in single; smaller ones divide it.

// Whether the iterations may be done twice: they read nothing that they store.
bool MayBeRepeated(const Statement& loop) {
  std::set<std::string> loaded, stored;
  ForEachPlace(
      loop.body, [&](const std::string& array, const Expression&) { loaded.insert(array); },
      [&](const std::string& array, const Expression&) { stored.insert(array); });
  return std::none_of(stored.begin(), stored.end(),
                      [&](const std::string& array) { return loaded.count(array) > 0; });
}

bool CallsFunctions(const Statement& loop) {
  bool found = false;
  for (const Statement& s : loop.body) {
    Visit(s.value, [&](const Expression& x) { found |= x.operation() == Operation::kCall; });
  }
  return found;
}

// for i < 100: ..  ->  for i_vector < 7: { i_first = min(16 i_vector, 84); for i from i_first to
// i_first + 16: .. }
Statement InWholeVectors(Statement loop) {
  const Expression start = Expression::Variable(loop.name + "_vector") * Expression(kVector),
                   last(loop.extent - kVector), first = Expression::Variable(loop.name + "_first");
  Statement vectors{.kind = Statement::kFor,
                    .name = loop.name + "_vector",
                    .extent = (loop.extent + kVector - 1) / kVector};
  vectors.body.push_back({.kind = Statement::kLet,
                          .name = loop.name + "_first",
                          .value = Select(start < last, start, last.Typed(DataType::kInt32))});
  loop.first = first;
  loop.extent = Statement::kVariableExtent;
  loop.variable_extent = first + Expression(kVector);
  vectors.body.push_back(std::move(loop));
  return vectors;
}

void MakeInnerWholeVectors(Block& block) {
  for (Statement& s : block) {
    const bool fits = s.kind == Statement::kFor && s.is_independent && s.sums.empty() &&
                      s.first.is_number(0) && s.extent > kVector && s.extent % kVector != 0;
    if (fits && CallsFunctions(s) && MayBeRepeated(s)) {
      s = InWholeVectors(std::move(s));
    } else {
      MakeInnerWholeVectors(s.body);
    }
  }
}

}  // namespace

void MakeWholeVectors(Block& block) {
  for (Statement& s : block) MakeInnerWholeVectors(s.body);
}

std::optional<Statement> AsLoopOverRow(const Block& code) {
  const std::string name = "row";
  Statement row{.kind = Statement::kFor, .name = name};
  bool is_sum = false;
  for (Statement s : code) {
    if (!IsCountedLoop(s)) return std::nullopt;
    Statement& inner = Innermost(s);
    if (row.extent != 0 && inner.extent != row.extent) return std::nullopt;
    row.extent = inner.extent;
    Block body = std::move(inner.body);
    Substitute(body, inner.name, Expression::Variable(name));
    if (&inner == &s) {
      for (Statement& b : body) row.body.push_back(std::move(b));
      continue;
    }
    is_sum = true;
    // The same loops without the one over the row.
    Statement* last = &s;
    while (&last->body[0] != &inner) last = &last->body[0];
    Block others = std::move(body);
    last->body = std::move(others);
    row.body.push_back(std::move(s));
  }
  if (!is_sum) return std::nullopt;
  return row;
}

void RestrictToPart(Block& code) {
  for (Statement& s : code) {
    Statement& inner = Innermost(s);
    inner.first = Expression::Variable("begin");
    inner.extent = Statement::kVariableExtent;
    inner.variable_extent = Expression::Variable("end");
  }
}

namespace {

class TouchCollector {
 public:
  explicit TouchCollector(const Statement& loop) : loop_(loop) {}

  std::vector<Touch> Run() {
    Collect(loop_.body);
    return std::move(touches_);
  }

 private:
  void Collect(const Block& block) {
    for (const Statement& s : block) {
      const auto visit = [this](const Expression& x) {
        if (x.operation() == Operation::kLoad) Note(x.node().name, x.node().operands[0], false);
      };
      Visit(s.value, visit);
      Visit(s.index, visit);
      if (s.kind == Statement::kStore) Note(s.name, s.index, true);
      const bool is_counted = s.kind == Statement::kFor && s.first.is_number(0) &&
                              s.extent != Statement::kVariableExtent;
      if (is_counted) extents_[s.name] = s.extent;
      Collect(s.body);
      if (is_counted) extents_.erase(s.name);
    }
  }

  void Note(const std::string& array, const Expression& index, bool is_stored) {
    Touch touch = At(index);
    touch.array = array;
    touch.is_stored = is_stored;
    if (std::find(touches_.begin(), touches_.end(), touch) == touches_.end()) {
      touches_.push_back(std::move(touch));
    }
  }

  Touch At(const Expression& index) const {
    const std::optional<Linear> form = LinearForm(index);
    if (!form) return {};
    Touch touch;
    touch.first = form->constant;
    touch.width = 1;
    const auto own = form->of.find(loop_.name);
    if (own != form->of.end()) touch.step = own->second;
    const int64_t period = touch.step * loop_.extent;
    for (const auto& [name, coefficient] : form->of) {
      if (name == loop_.name) continue;
      const auto extent = extents_.find(name);
      if (extent == extents_.end()) return {};  // A variable of another kind.
      const int64_t reach = coefficient * (extent->second - 1);
      if (period > 0 && coefficient > 0 && coefficient % period == 0) {
        touch.reach += reach;
        continue;
      }
      touch.first += std::min<int64_t>(reach, 0);
      touch.width += std::abs(reach);
    }
    return touch.step < 0 ? Touch() : touch;
  }

  const Statement& loop_;
  std::map<std::string, int64_t> extents_;  // Of the open loops inside.
  std::vector<Touch> touches_;
};

}  // namespace

std::vector<Touch> TouchesOf(const Statement& loop) { return TouchCollector(loop).Run(); }

bool IterationsAreApart(const std::vector<Touch>& touches) {
  for (const Touch& a : touches) {
    if (!a.is_stored) continue;
    for (const Touch& b : touches) {
      if (a.array != b.array) continue;
      // Then i != j differ by less than the period, and by no less than the width.
      if (b.width == Touch::kAll || b.first != a.first || b.step != a.step || b.width > b.step) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace lamina::internal
