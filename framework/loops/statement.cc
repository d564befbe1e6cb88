#include "framework/loops/statement.h"

#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/error.h"

namespace lamina::loops {

std::string LoopBuilder::Unique(std::string_view hint) {
  std::string name(hint);
  for (int i = 2; names_.count(name) > 0 || reserved_.count(name) > 0; ++i) {
    name = absl::StrCat(std::string(hint), "_", i);
  }
  names_.insert(name);
  open_.back().names.push_back(name);
  return name;
}

void LoopBuilder::Open() { open_.emplace_back(); }

Block LoopBuilder::Close() {
  for (const std::string& name : open_.back().names) names_.erase(name);
  Block block = std::move(open_.back().block);
  open_.pop_back();
  if (on_close_) on_close_();
  return block;
}

void LoopBuilder::For(std::string_view hint, int64_t extent, const Body& body) {
  if (extent <= 0) return;
  if (extent == 1) return body(Expression(0));
  Open();
  const std::string name = Unique(hint);
  body(Expression::Variable(name));
  Block block = Close();
  if (block.empty()) return;
  open_.back().block.push_back(
      {.kind = Statement::kFor, .name = name, .extent = extent, .body = std::move(block)});
}

void LoopBuilder::If(const Expression& condition, const std::function<void()>& body) {
  Open();
  body();
  Block block = Close();
  if (block.empty()) return;
  open_.back().block.push_back(
      {.kind = Statement::kIf, .name = "", .value = condition, .body = std::move(block)});
}

Expression LoopBuilder::Let(std::string_view hint, const Expression& value) {
  const std::string name = Unique(hint);
  open_.back().block.push_back({.kind = Statement::kLet, .name = name, .value = value});
  return Expression::Variable(name, value.type());
}

Expression LoopBuilder::Var(std::string_view hint, const Expression& value) {
  const std::string name = Unique(hint);
  open_.back().block.push_back({.kind = Statement::kVar, .name = name, .value = value});
  return Expression::Variable(name, value.type());
}

void LoopBuilder::Assign(const Expression& variable, const Expression& value) {
  LAMINA_CHECK(variable.operation() == Operation::kVariable);
  open_.back().block.push_back({.kind = Statement::kAssign,
                                .name = variable.node().name,
                                .value = value.Typed(variable.type())});
}

void LoopBuilder::Store(std::string_view array, const Expression& index, const Expression& value) {
  open_.back().block.push_back({.kind = Statement::kStore,
                                .name = std::string(array),
                                .index = index.Typed(DataType::kInt32),
                                .value = value});
}

Block LoopBuilder::Take() {
  LAMINA_CHECK(open_.size() == 1);
  Block block = std::move(open_[0].block);
  for (const std::string& name : open_[0].names) names_.erase(name);
  open_[0] = {};
  return block;
}

namespace {

// c0 + sum of coefficient * variable.
struct Linear {
  double constant = 0;
  std::map<std::string, double> of;
};

std::optional<Linear> LinearForm(const Expression& x) {
  const Expression::Node& node = x.node();
  const auto combined = [&](double sign) -> std::optional<Linear> {
    std::optional<Linear> a = LinearForm(node.operands[0]), b = LinearForm(node.operands[1]);
    if (!a || !b) return std::nullopt;
    a->constant += sign * b->constant;
    for (const auto& [name, c] : b->of) a->of[name] += sign * c;
    return a;
  };
  switch (node.operation) {
    case Operation::kNumber:
      return Linear{node.value, {}};
    case Operation::kVariable:
      return Linear{0, {{node.name, 1.0}}};
    case Operation::kAdd:
      return combined(1);
    case Operation::kSubtract:
      return combined(-1);
    case Operation::kMultiply: {
      std::optional<Linear> a = LinearForm(node.operands[0]), b = LinearForm(node.operands[1]);
      if (!a || !b || (!a->of.empty() && !b->of.empty())) return std::nullopt;
      if (!a->of.empty()) std::swap(a, b);
      for (auto& [name, c] : b->of) c *= a->constant;
      b->constant *= a->constant;
      return b;
    }
    default:
      return std::nullopt;
  }
}

// Do `inner` and `outer` stand only as inner + extent * outer in x, an index?
bool MeetsInIndex(const Expression& x, const std::string& inner, double extent,
                  const std::string& outer) {
  const std::optional<Linear> form = LinearForm(x);
  if (!form) return false;
  const auto at = [&](const std::string& name) {
    const auto found = form->of.find(name);
    return found == form->of.end() ? 0.0 : found->second;
  };
  return at(outer) == extent * at(inner);
}

bool Meets(const Expression& x, const std::string& inner, double extent, const std::string& outer) {
  const Expression::Node& node = x.node();
  if (node.operation == Operation::kVariable) return node.name != inner && node.name != outer;
  if (node.operation == Operation::kLoad) {
    return MeetsInIndex(node.operands[0], inner, extent, outer);
  }
  for (const Expression& operand : node.operands) {
    if (!Meets(operand, inner, extent, outer)) return false;
  }
  return true;
}

bool Meets(const Block& block, const std::string& inner, double extent, const std::string& outer) {
  for (const Statement& s : block) {
    if (!Meets(s.value, inner, extent, outer)) return false;
    if (s.kind == Statement::kStore && !MeetsInIndex(s.index, inner, extent, outer)) return false;
    if (!Meets(s.body, inner, extent, outer)) return false;
  }
  return true;
}

// All names in a block.
void CollectNames(const Block& block, std::set<std::string>* names) {
  const auto add = [&](const Expression& x) {
    if (!x.node().name.empty()) names->insert(x.node().name);
  };
  for (const Statement& s : block) {
    names->insert(s.name);
    Visit(s.value, add);
    Visit(s.index, add);
    CollectNames(s.body, names);
  }
}

void Join(Block& block, std::set<std::string>* names) {
  for (Statement& s : block) {
    Join(s.body, names);
    if (s.kind != Statement::kFor || s.body.size() != 1 || s.body[0].kind != Statement::kFor) {
      continue;
    }
    Statement& inner = s.body[0];
    if (!Meets(inner.body, inner.name, static_cast<double>(inner.extent), s.name)) continue;
    Substitute(inner.body, s.name, Expression(0));
    Statement joined = std::move(inner);
    joined.extent *= s.extent;
    const std::string name = joined.name + s.name;  // h and w become hw.
    if (name.size() <= 6 && names->insert(name).second) {
      Substitute(joined.body, joined.name, Expression::Variable(name));
      joined.name = name;
    }
    s = std::move(joined);
  }
}

}  // namespace

void Substitute(Block& block, const std::string& variable, const Expression& value) {
  const auto replace = [&](const Expression& x) {
    return x.operation() == Operation::kVariable && x.node().name == variable ? value : x;
  };
  for (Statement& s : block) {
    s.value = Rewrite(s.value, replace);
    s.index = Rewrite(s.index, replace).Typed(DataType::kInt32);
    Substitute(s.body, variable, value);
  }
}

void JoinLoops(Block& block) {
  std::set<std::string> names;
  CollectNames(block, &names);
  Join(block, &names);
}

}  // namespace lamina::loops
