#include "framework/emit/vector_loops.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "framework/emit/parallel_loops.h"

namespace lamina {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

class Vectors {
 public:
  Vectors(const std::vector<Statement>& loops, const Program& program, const std::string& variable,
          int64_t most)
      : loops_(loops), program_(program), variable_(variable), most_(most) {}

  std::optional<VectorLoops> Of(const Block& body) {
    four_.innermost = loops_.back().name;
    for (int64_t value = 1; value <= most_; ++value) {
      if (NumItems({loops_.back()}, variable_, value) % kAtOnce != 0) return std::nullopt;
    }
    four_.body = Rewritten(body);
    if (!good_ || four_.accesses.empty()) return std::nullopt;
    return four_;
  }

 private:
  Block Rewritten(const Block& body) {
    Block rewritten;
    for (Statement s : body) {
      good_ = good_ && s.kind != Statement::kFor && (s.kind != Statement::kIf || IsPlain(s.body));
      s.value = Rewritten(s.value);
      if (s.kind == Statement::kStore) {
        const auto access = AccessOf(s.name, s.index);
        if (!access) {
          good_ = false;
          return {};
        }
        four_.accesses[*access].is_stored = true;
        s.name = absl::StrCat(four_.accesses[*access].variable, ".at");
        s.index = Expression::Variable("element");
      }
      rewritten.push_back(std::move(s));
    }
    return rewritten;
  }

  // What may stand under a condition: values that are known already.
  static bool IsPlain(const Block& body) {
    return std::all_of(body.begin(), body.end(), [](const Statement& s) {
      bool plain = s.kind == Statement::kAssign;
      Visit(s.value,
            [&](const Expression& e) { plain = plain && e.operation() != Operation::kLoad; });
      return plain;
    });
  }

  Expression Rewritten(const Expression& x) {
    // Without knowing the sizes, what is read under a condition might not be there.
    if (!variable_.empty()) {
      Visit(x, [&](const Expression& e) {
        if (e.operation() == Operation::kSelect) good_ = false;
      });
    }
    return Rewrite(x, [&](const Expression& e) {
      if (e.operation() != Operation::kLoad) return e;
      const auto access = AccessOf(e.node().name, e.node().operands[0]);
      if (!access) return e;
      four_.accesses[*access].is_loaded = true;
      return Expression::Load(absl::StrCat(four_.accesses[*access].variable, ".at"), e.type(),
                              Expression::Variable("element"));
    });
  }

  // The access that has this element; nothing where all four have the same, or where it is not to
  // be done.
  std::optional<size_t> AccessOf(const std::string& name, const Expression& index) {
    const auto array = std::find_if(program_.arrays.begin(), program_.arrays.end(),
                                    [&](const ProgramArray& a) { return a.name == name; });
    std::string key = name;
    bool is_same = true;
    for (int64_t value = 1; value <= most_ && good_; ++value) {
      const std::optional<Linear> form = LinearForm(index, variable_, value);
      good_ = form && AreKnown(*form);
      if (!good_) return std::nullopt;
      const auto found = form->of.find(four_.innermost);
      const int64_t step = found == form->of.end() ? 0 : found->second;
      if (step != 0) is_same = false;
      good_ = step == 0 || (step == 1 && BeginsAtFour(*form) && array != program_.arrays.end() &&
                            IsThere(*array, *form));
      absl::StrAppend(&key, " ", form->constant);
      for (const auto& [loop, coefficient] : form->of) {
        if (coefficient != 0) absl::StrAppend(&key, " ", coefficient, loop);
      }
    }
    if (!good_ || is_same) return std::nullopt;
    const auto [known, is_new] = known_.emplace(key, four_.accesses.size());
    if (is_new) {
      four_.accesses.push_back({.array = name,
                                .variable = absl::StrCat(name, "_Four", known->second),
                                .type = array->spec.type,
                                .first = index});
    }
    return known->second;
  }

  bool AreKnown(const Linear& form) const {
    return std::all_of(form.of.begin(), form.of.end(), [&](const auto& term) {
      return std::any_of(loops_.begin(), loops_.end(),
                         [&](const Statement& loop) { return loop.name == term.first; });
    });
  }

  bool BeginsAtFour(const Linear& form) const {
    return form.constant % kAtOnce == 0 &&
           std::all_of(form.of.begin(), form.of.end(), [&](const auto& term) {
             return term.first == four_.innermost || term.second % kAtOnce == 0;
           });
  }

  // Are all elements of the loops elements of the array, which has memory of its own?
  bool IsThere(const ProgramArray& array, const Linear& form) const {
    if (array.role == ProgramArray::kConstant) return false;
    if (!variable_.empty()) return true;  // Nothing stands under a condition.
    int64_t least = form.constant, greatest = form.constant;
    for (const Statement& loop : loops_) {
      const auto term = form.of.find(loop.name);
      if (term == form.of.end()) continue;
      const int64_t reach = term->second * (loop.extent - 1);
      (reach < 0 ? least : greatest) += reach;
    }
    return least >= 0 && greatest < array.spec.numel();
  }

  const std::vector<Statement>& loops_;
  const Program& program_;
  const std::string& variable_;
  const int64_t most_;
  VectorLoops four_;
  std::map<std::string, size_t> known_;
  bool good_ = true;
};

bool Mentions(const Block& body, const std::string& variable) {
  bool found = false;
  for (const Statement& s : body) {
    for (const Expression* x : {&s.index, &s.value}) {
      Visit(*x, [&](const Expression& e) {
        found = found || (e.operation() == Operation::kVariable && e.node().name == variable);
      });
    }
    found = found || Mentions(s.body, variable);
  }
  return found;
}

}  // namespace

std::optional<VectorLoops> FourAtOnce(const std::vector<Statement>& loops, const Block& body,
                                      const Program& program, const std::string& variable,
                                      int64_t most) {
  if (loops.empty()) return std::nullopt;
  std::optional<VectorLoops> four = Vectors(loops, program, variable, most).Of(body);
  // The four have one variable of the loop, which is that of the first.
  if (four && Mentions(four->body, four->innermost)) return std::nullopt;
  return four;
}

}  // namespace lamina
