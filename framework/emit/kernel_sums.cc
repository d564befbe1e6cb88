#include "framework/emit/kernel_sums.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/emit/kernel_loops.h"

namespace lamina::internal {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

constexpr int64_t kLongestRow = 1024, kPartOfRow = 512;

// sum + (double)x, with x in single: that x; nothing for other sums.
std::optional<Expression> SingleTerm(const Expression& sum) {
  if (sum.operation() != Operation::kAdd) return std::nullopt;
  const Expression& term = sum.node().operands[1];
  const bool widens = term.operation() == Operation::kConvert && term.type() == DataType::kDouble &&
                      term.node().operands[0].type() == DataType::kSingle;
  if (!widens) return std::nullopt;
  return term.node().operands[0];
}

std::optional<Expression> SingleTerm(const Statement& s) {
  return s.kind == Statement::kAssign ? SingleTerm(s.value) : std::nullopt;
}

// for i < 4000: ..  ->  for i_part < 8: { for i from 512 i_part to min(512 i_part + 512, 4000): ..
// }
Statement InPartsOfRow(Statement loop) {
  const Expression first = Expression::Variable(loop.name + "_part") * Expression(kPartOfRow),
                   end = first + Expression(kPartOfRow), last(loop.extent);
  Statement parts{.kind = Statement::kFor,
                  .name = loop.name + "_part",
                  .extent = (loop.extent + kPartOfRow - 1) / kPartOfRow};
  loop.first = first;
  loop.variable_extent =
      loop.extent % kPartOfRow == 0 ? end : Select(end < last, end, last.Typed(DataType::kInt32));
  loop.extent = Statement::kVariableExtent;
  parts.body.push_back(std::move(loop));
  return parts;
}

// The loop with a sum of its own for each of its sums in double; around it, these are added.
Block WithSumsOfRow(Statement loop) {
  Block before, after;
  for (Statement& s : loop.body) {
    const std::optional<Expression> term = SingleTerm(s);
    if (!term) continue;
    const std::string name = s.name + "_row";
    const Expression row = Expression::Variable(name, DataType::kSingle);
    before.push_back(
        {.kind = Statement::kVar, .name = name, .value = Expression::Number(0, DataType::kSingle)});
    after.push_back({.kind = Statement::kAssign,
                     .name = s.name,
                     .value = s.value.node().operands[0] + Convert(row, DataType::kDouble)});
    std::replace(loop.sums.begin(), loop.sums.end(), s.name, name);
    s.name = name;
    s.value = row + *term;
  }
  before.push_back(std::move(loop));
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

}  // namespace

void AddRowsInSingle(Block& block) {
  Block out;
  for (Statement& s : block) {
    AddRowsInSingle(s.body);
    const bool is_row = IsCountedLoop(s) && s.is_independent &&
                        std::any_of(s.body.begin(), s.body.end(),
                                    [](const Statement& b) { return SingleTerm(b).has_value(); });
    if (!is_row) {
      out.push_back(std::move(s));
    } else if (s.extent > kLongestRow) {
      Statement parts = InPartsOfRow(std::move(s));
      parts.body = WithSumsOfRow(std::move(parts.body[0]));
      out.push_back(std::move(parts));
    } else {
      for (Statement& r : WithSumsOfRow(std::move(s))) out.push_back(std::move(r));
    }
  }
  block = std::move(out);
}

namespace {

constexpr char kPart[] = "part";

// How many parts, of sizes that are equal: the fewest of least .. most that divide n; 0 for none.
int64_t NumParts(int64_t n, int64_t least, int64_t most) {
  for (int64_t parts = std::max<int64_t>(least, 2); parts <= std::min(n, most); ++parts) {
    if (n % parts == 0) return parts;
  }
  return 0;
}

// for j < n: ..  ->  for part < p: { for j < n / p: .. }, where j was is part n / p + j.
Statement InParts(Statement loop, int64_t parts) {
  const int64_t each = loop.extent / parts;
  Statement out{.kind = Statement::kFor, .name = kPart, .extent = parts};
  Substitute(loop.body, loop.name,
             Expression::Variable(kPart) * Expression(each) + Expression::Variable(loop.name));
  loop.extent = each;
  out.body.push_back(std::move(loop));
  return out;
}

bool Mentions(const Block& block, const std::string& name) {
  return std::any_of(block.begin(), block.end(), [&](const Statement& s) {
    bool found = s.name == name || Mentions(s.body, name);
    const auto visit = [&](const Expression& x) { found |= x.node().name == name; };
    Visit(s.value, visit);
    Visit(s.index, visit);
    return found;
  });
}

using NewArray = std::function<std::string(const ArraySpec&)>;

// total = 0;  for j < m: total += x[j];  y[0] = total;
//   parts:   for part < p: { total = 0;  for j < m / p: total += ..;  sum[part] = total }
//   totals:  total = 0;  for part < p: total += sum[part];  y[0] = total;
std::optional<SumsInParts> ShareNumbers(const Block& code, const NewArray& new_array) {
  constexpr int64_t kTerms = 8 * 1024, kMostParts = 64;
  size_t loop = 0;
  while (loop < code.size() && code[loop].kind == Statement::kVar) ++loop;
  if (loop == 0 || loop == code.size() || !IsCountedLoop(code[loop])) return std::nullopt;
  const auto is_store = [](const Statement& s) { return s.kind == Statement::kStore; };
  if (!std::all_of(code.begin() + loop + 1, code.end(), is_store)) return std::nullopt;
  Statement sums = code[loop];
  Statement* const inner = &Innermost(sums);
  const int64_t n = sums.extent, terms = Work({sums});
  // Each variable is a sum, and read by nothing else.
  Block own, others;
  for (const Statement& s : inner->body) {
    (s.kind == Statement::kAssign ? own : others).push_back(s);
  }
  const bool are_plain = std::all_of(others.begin(), others.end(), [](const Statement& s) {
    return s.kind == Statement::kLet || s.kind == Statement::kStore;
  });
  if (own.size() != loop || !are_plain) return std::nullopt;
  for (const Statement& s : own) {
    const Expression::Node& node = s.value.node();
    const bool is_sum = node.operation == Operation::kAdd &&
                        node.operands[0].operation() == Operation::kVariable &&
                        node.operands[0].node().name == s.name;
    const auto start = std::find_if(code.begin(), code.begin() + loop,
                                    [&](const Statement& v) { return v.name == s.name; });
    if (!is_sum || start == code.begin() + loop || !start->value.is_number(0)) return std::nullopt;
    if (Mentions({{.kind = Statement::kLet, .name = "", .value = node.operands[1]}}, s.name) ||
        Mentions(others, s.name)) {
      return std::nullopt;
    }
  }
  const int64_t most = std::min(terms / kTerms, kMostParts);
  int64_t parts = 0;  // As many as may be: threads take an equal number of them.
  for (int64_t p = std::min(most, n); p >= 2 && parts == 0; --p) parts = n % p == 0 ? p : 0;
  if (parts == 0) return std::nullopt;

  SumsInParts out;
  Statement shared = InParts(std::move(sums), parts);
  const Expression part = Expression::Variable(kPart);
  shared.body.insert(shared.body.begin(), code.begin(), code.begin() + loop);
  Statement again{.kind = Statement::kFor, .name = kPart, .extent = parts};
  for (size_t i = 0; i < loop; ++i) {
    const Statement& start = code[i];
    const DataType type = start.value.type();
    const std::string array = new_array({type, {parts}, {}});
    const Expression total = Expression::Variable(start.name, type);
    shared.body.push_back(
        {.kind = Statement::kStore, .name = array, .index = part, .value = total});
    again.body.push_back({.kind = Statement::kAssign,
                          .name = start.name,
                          .value = total + Expression::Load(array, type, part)});
  }
  out.parts.push_back(std::move(shared));
  out.totals = code;
  out.totals[loop] = std::move(again);
  return out;
}

// for i < n: total[i] = 0;  for j < m: for i < n: total[i] += x[i + j n];  for i < n: y[i] = ..
//   parts:   for part < p: { for i < n: sum[i + part n] = 0;  for j < m / p: for i < n: .. }
//   totals:  for i < n: total[i] = 0;  for part < p: for i < n: total[i] += sum[i + part n];  ..
std::optional<SumsInParts> ShareRows(const Block& code, const NewArray& new_array) {
  constexpr int64_t kLeast = 16, kTerms = 64;  // Of one sum of a part, which is in single.
  if (code.size() != 3 || !std::all_of(code.begin(), code.end(), IsCountedLoop)) {
    return std::nullopt;
  }
  const Statement &zeros = code[0], &ends = code[2];
  Statement sums = code[1];
  Statement* const inner = &Innermost(sums);
  const int64_t m = sums.extent, n = inner->extent, around = Work({sums}) / n;
  if (inner == &sums || zeros.extent != n || ends.extent != n) return std::nullopt;
  const int64_t parts = NumParts(m, (around + kTerms - 1) / kTerms, around / kLeast);
  if (parts == 0) return std::nullopt;

  // Sums of a part in the places of the totals.
  const Expression at =
      Expression::Variable(kPart) * Expression(n) + Expression::Variable(inner->name);
  Statement again{.kind = Statement::kFor, .name = kPart, .extent = parts},
      row{.kind = Statement::kFor, .name = inner->name, .extent = n},
      start{.kind = Statement::kFor, .name = inner->name, .extent = n};
  for (const Statement& zero : zeros.body) {
    if (zero.kind != Statement::kStore || !zero.value.is_number(0)) return std::nullopt;
    const auto is_own = [&](const Statement& s) {
      return s.kind == Statement::kStore && s.name == zero.name;
    };
    if (std::count_if(inner->body.begin(), inner->body.end(), is_own) != 1) return std::nullopt;
    Statement& s = *std::find_if(inner->body.begin(), inner->body.end(), is_own);
    const std::optional<Expression> term = SingleTerm(s.value);
    const bool is_at_neighbour =
        s.index.operation() == Operation::kVariable && s.index.node().name == inner->name;
    if (!term || !is_at_neighbour) return std::nullopt;
    const std::string array = new_array({DataType::kSingle, {n * parts}, {}});
    const Expression sum = Expression::Load(array, DataType::kSingle, at);
    row.body.push_back({.kind = Statement::kStore,
                        .name = zero.name,
                        .index = s.index,
                        .value = s.value.node().operands[0] + Convert(sum, DataType::kDouble)});
    start.body.push_back({.kind = Statement::kStore,
                          .name = array,
                          .index = at,
                          .value = Expression::Number(0, DataType::kSingle)});
    s = {.kind = Statement::kStore, .name = array, .index = at, .value = sum + *term};
    if (Mentions(inner->body, zero.name)) return std::nullopt;
  }
  again.body.push_back(std::move(row));
  SumsInParts out;
  Statement shared = InParts(std::move(sums), parts);
  shared.body.insert(shared.body.begin(), std::move(start));
  out.parts.push_back(std::move(shared));
  out.totals = {zeros, std::move(again), ends};
  return out;
}

}  // namespace

std::optional<SumsInParts> ShareTerms(const Block& code, const NewArray& new_array) {
  std::optional<SumsInParts> shared = ShareNumbers(code, new_array);
  if (!shared) shared = ShareRows(code, new_array);
  // An op's own loops may store at one place again and again.
  if (shared && !IterationsAreApart(TouchesOf(shared->parts[0]))) return std::nullopt;
  return shared;
}

}  // namespace lamina::internal
