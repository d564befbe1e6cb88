#include "framework/emit/kernel_product_parts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "framework/emit/array_touches.h"
#include "framework/emit/kernel_parameters.h"
#include "framework/emit/linear_form.h"

namespace lamina::internal {
namespace {

using loops::Block;
using loops::Expression;
using loops::Operation;
using loops::Statement;

// Columns of a part: each thread's are still enough for the tiles of a product.
constexpr int64_t kLeastColumns = 16;

// z = the sum of matrices, and of a column that is added to each of z's: arguments of a kernel that
// does nothing else. Its parts are columns of z.
struct MatrixSum {
  int64_t rows = 0;
  int result = -1, column = -1;
  std::vector<int> matrices = {};
};

// The terms of a sum, with names for what they are names of.
bool TermsOf(const Expression& x, const std::map<std::string, Expression>& named,
             std::vector<Expression>* terms) {
  if (x.operation() == Operation::kVariable) {
    const auto found = named.find(x.node().name);
    return found != named.end() && TermsOf(found->second, named, terms);
  }
  if (x.operation() == Operation::kLoad) {
    terms->push_back(x);
    return true;
  }
  return x.operation() == Operation::kAdd && TermsOf(x.node().operands[0], named, terms) &&
         TermsOf(x.node().operands[1], named, terms);
}

std::optional<MatrixSum> MatrixSumOf(const KernelDraft& draft) {
  if (draft.code.size() != 1 || draft.code[0].kind != Statement::kFor) return std::nullopt;
  const Statement& outer = draft.code[0];
  if (outer.extent != Statement::kVariableExtent || outer.body.size() != 1) return std::nullopt;
  const Statement& inner = outer.body[0];
  if (inner.kind != Statement::kFor || inner.extent < 1 || !inner.first.is_number(0)) {
    return std::nullopt;
  }
  std::map<std::string, Expression> named;
  for (const Statement& s : inner.body) {
    if (&s != &inner.body.back() && s.kind != Statement::kLet) return std::nullopt;
    if (s.kind == Statement::kLet) named.emplace(s.name, s.value);
  }
  if (inner.body.empty() || inner.body.back().kind != Statement::kStore) return std::nullopt;
  const Statement& store = inner.body.back();
  const auto is_at = [](const Expression& index, const std::map<std::string, int64_t>& of) {
    const auto form = LinearForm(index);
    return form && form->constant == 0 && form->of == of;
  };
  const std::map<std::string, int64_t> of_matrix{{inner.name, 1}, {outer.name, inner.extent}},
      of_column{{inner.name, 1}};
  const auto number_of = [&](const std::string& parameter) {
    for (size_t i = 0; i < draft.parameters.size(); ++i) {
      if (ParameterName(draft.parameters[i].number) == parameter) return static_cast<int>(i);
    }
    return -1;
  };
  std::vector<Expression> terms;
  if (!is_at(store.index, of_matrix) || !TermsOf(store.value, named, &terms)) return std::nullopt;
  MatrixSum sum{inner.extent, number_of(store.name)};
  for (const Expression& term : terms) {
    const Expression& index = term.node().operands[0];
    const int parameter = number_of(term.node().name);
    if (is_at(index, of_matrix)) {
      sum.matrices.push_back(parameter);
    } else if (is_at(index, of_column) && sum.column < 0) {
      sum.column = parameter;
    } else {
      return std::nullopt;
    }
  }
  return sum.matrices.empty() ? std::nullopt : std::optional(sum);
}

class PartWriter {
 public:
  PartWriter(const Graph& graph, std::vector<KernelDraft>& drafts, KernelProgram& program)
      : graph_(graph), drafts_(drafts), program_(program) {}

  void Run() {
    AddInProducts();
    JoinRows();
  }

 private:
  // A call that is a product, of x, y and z from these bytes on.
  struct ProductAt {
    int call = -1;
    ProductKernel kernel;
    KernelArgument x, y, z;
  };
  // What stands in place of a call, or after it.
  struct Change {
    bool is_removed = false;
    std::vector<KernelCall> after = {};
  };

  // The products among the calls, and who touches what.
  void Survey() {
    touches_ = FindTouches(graph_, program_);
    products_.clear();
    made_by_.assign(program_.arrays.size(), -1);
    changes_.assign(program_.calls.size(), {});
    for (size_t c = 0; c < program_.calls.size(); ++c) {
      const KernelCall& call = program_.calls[c];
      ProductAt p;
      p.call = static_cast<int>(c);
      if (call.kernel >= 0) {
        const KernelDraft& draft = drafts_[call.kernel];
        if (!draft.product || draft.product->begin != ProductKernel::kZero ||
            draft.product->more_rows > 0) {
          continue;
        }
        p.kernel = *draft.product;
        p.x = call.arguments[0], p.y = call.arguments[1], p.z = call.arguments[2];
      } else {
        const GraphStep& step = graph_.steps()[call.op_step];
        const auto product = ProductOf(graph_, step);
        if (!product) continue;
        p.kernel.product = *product;
        p.x.array = program_.array_of[step.inputs[0]];
        p.y.array = program_.array_of[step.inputs[1]];
        p.z.array = program_.array_of[step.outputs[0]];
        if (p.x.array < 0 || p.y.array < 0 || p.z.array < 0) continue;
      }
      const auto& stored = touches_[p.z.array];
      if (p.z.offset == 0 && program_.arrays[p.z.array].spec.numel() == Rows(p) * Columns(p) &&
          std::count_if(stored.begin(), stored.end(), [](auto& t) { return t.is_stored; }) == 1) {
        made_by_[p.z.array] = static_cast<int>(products_.size());
      }
      products_.push_back(std::move(p));
    }
  }

  static int64_t Rows(const ProductAt& p) { return p.kernel.product.m; }
  static int64_t Columns(const ProductAt& p) { return p.kernel.product.n; }
  static int64_t ElementSize(const Product& p) { return static_cast<int64_t>(SizeOf(p.type)); }

  bool IsGiven(int array) const {
    const ProgramArray::Role role = program_.arrays[array].role;
    return role == ProgramArray::kInput || role == ProgramArray::kConstant;
  }

  // Whether no call after `from`, up to `to`, stores bytes [first, end) of an array.
  bool Stays(int array, int64_t first, int64_t end, int from, int to) const {
    return std::none_of(touches_[array].begin(), touches_[array].end(), [&](const ArrayTouch& t) {
      return t.is_stored && t.call > from && t.call <= to && t.first < end && first < t.end;
    });
  }

  // Columns of a product, as a product.
  static std::optional<ProductAt> Part(const ProductAt& whole, int64_t first, int64_t count) {
    ProductAt part = whole;
    Product& p = part.kernel.product;
    if (first == 0 && count == p.n) return IsSmall(p) ? std::optional(part) : std::nullopt;
    if (p.transpose_y || count < kLeastColumns || first + count > p.n) return std::nullopt;
    p.n = count;
    part.y.offset += first * p.k * ElementSize(p);
    part.z.offset += first * p.m * ElementSize(p);
    return IsSmall(p) ? std::optional(part) : std::nullopt;
  }

  // Bytes of y, of columns that lie one behind the other.
  static int64_t BytesOfY(const Product& p) { return p.n * p.k * ElementSize(p); }

  // A call of a kernel of its own.
  KernelCall CallOfPart(const ProductAt& at) {
    KernelCall call = CallOf(program_, at.kernel.product, at.x, at.y, at.z);
    call.kernel = static_cast<int>(drafts_.size());
    KernelDraft draft{"part of a product"};
    draft.product = at.kernel;
    drafts_.push_back(std::move(draft));
    return call;
  }

  // z = b + W x + R h.

  struct SumOfProducts {
    int call = -1;
    MatrixSum sum;
    std::vector<int> terms = {};        // Indices into products_.
    std::vector<ProductAt> parts = {};  // What they give to z.
  };

  std::optional<SumOfProducts> SumOfProductsAt(int c) const {
    const KernelCall& call = program_.calls[c];
    if (call.kernel < 0 || call.count < 2) return std::nullopt;
    const auto sum = MatrixSumOf(drafts_[call.kernel]);
    if (!sum || sum->result < 0) return std::nullopt;
    SumOfProducts found{c, *sum};
    const KernelArgument& z = call.arguments[sum->result];
    const DataType type = program_.arrays[z.array].spec.type;
    if (sum->column >= 0) {
      const KernelArgument& column = call.arguments[sum->column];
      if (column.array == z.array || program_.arrays[column.array].spec.type != type) {
        return std::nullopt;
      }
    }
    for (const int m : sum->matrices) {
      const KernelArgument& matrix = call.arguments[m];
      const int by = made_by_[matrix.array];
      if (by < 0 || program_.arrays[matrix.array].role != ProgramArray::kScratch) {
        return std::nullopt;
      }
      const ProductAt& whole = products_[by];
      const int64_t column = sum->rows * ElementSize(whole.kernel.product);
      if (Rows(whole) != sum->rows || whole.kernel.product.type != type ||
          matrix.offset % column != 0 || whole.call >= c) {
        return std::nullopt;
      }
      std::optional<ProductAt> part = Part(whole, matrix.offset / column, call.count);
      if (!part) return std::nullopt;
      const Product& p = part->kernel.product;
      // A transposed x would be copied again for each part.
      if (whole.kernel.is_packed || (p.transpose_x && Columns(*part) != Columns(whole)) ||
          part->x.array == z.array || part->y.array == z.array ||
          !Stays(part->x.array, 0, BytesOf(program_.arrays[part->x.array]), whole.call, c) ||
          !Stays(part->y.array, part->y.offset, part->y.offset + BytesOfY(p), whole.call, c)) {
        return std::nullopt;
      }
      part->z = z;
      found.terms.push_back(by);
      found.parts.push_back(*part);
    }
    return found;
  }

  void AddInProducts() {
    Survey();
    std::vector<SumOfProducts> sums;
    for (size_t c = 0; c < program_.calls.size(); ++c) {
      if (auto sum = SumOfProductsAt(static_cast<int>(c))) sums.push_back(*std::move(sum));
    }
    // A product is left out if all that read it are sums that go, and none of it is read twice.
    std::set<int> going;  // Calls of sums.
    for (const SumOfProducts& s : sums) going.insert(s.call);
    const auto is_read_elsewhere = [&](int product) {
      std::vector<std::pair<int64_t, int64_t>> read;
      for (const ArrayTouch& t : touches_[products_[product].z.array]) {
        if (t.is_stored) continue;
        if (!going.count(t.call)) return true;
        read.emplace_back(t.first, t.end);
      }
      std::sort(read.begin(), read.end());
      for (size_t i = 1; i < read.size(); ++i) {
        if (read[i].first < read[i - 1].second) return true;
      }
      return false;
    };
    for (bool changed = true; changed;) {
      changed = false;
      for (const SumOfProducts& s : sums) {
        if (!going.count(s.call)) continue;
        if (std::any_of(s.terms.begin(), s.terms.end(), is_read_elsewhere)) {
          going.erase(s.call);
          changed = true;
        }
      }
    }
    for (SumOfProducts& s : sums) {
      if (!going.count(s.call)) continue;
      changes_[s.call].is_removed = true;
      for (const int product : s.terms) Remove(products_[product]);
      // What was computed first goes first: it may have to wait less.
      std::stable_sort(s.parts.begin(), s.parts.end(),
                       [](auto& a, auto& b) { return a.call < b.call; });
      for (size_t i = 0; i < s.parts.size(); ++i) {
        ProductAt& part = s.parts[i];
        if (i > 0) {
          part.kernel.begin = ProductKernel::kResult;
        } else if (s.sum.column >= 0) {
          part.kernel.begin = ProductKernel::kColumn;
        }
        KernelCall call = CallOfPart(part);
        if (part.kernel.begin == ProductKernel::kColumn) {
          const KernelArgument column = program_.calls[s.call].arguments[s.sum.column];
          call.arguments.push_back(column);
          call.accesses.push_back({column.array, false, column.offset, 0,
                                   s.sum.rows * ElementSize(part.kernel.product)});
        }
        changes_[s.call].after.push_back(std::move(call));
      }
    }
    Apply();
  }

  void Remove(const ProductAt& p) {
    changes_[p.call].is_removed = true;
    for (int& a : program_.array_of) {
      if (a == p.z.array) a = -1;
    }
  }

  // [R W]' dz.

  // Products of columns of one product's y, each with more rows of x: in the order of the columns.
  void JoinRows() {
    Survey();
    for (const ProductAt& whole : products_) {
      if (program_.calls[whole.call].kernel < 0) JoinRowsOf(whole);
    }
    Apply();
  }

  void JoinRowsOf(const ProductAt& whole) {
    const Product& w = whole.kernel.product;
    if (!w.transpose_x || w.transpose_y || !IsGiven(whole.x.array)) return;
    // Products that may take columns along, by the first of these.
    std::map<int64_t, const ProductAt*> takers;
    for (const ProductAt& p : products_) {
      const Product& q = p.kernel.product;
      if (!p.kernel.is_packed || q.transpose_y || q.k != w.k || q.type != w.type ||
          p.y.array != whole.y.array || changes_[p.call].is_removed) {
        continue;
      }
      const int64_t column = q.k * ElementSize(q);
      if (p.y.offset % column != 0) return;
      if (!takers.empty()) {
        const ProductAt& other = *takers.begin()->second;
        if (other.x.array != p.x.array || Columns(other) != Columns(p)) return;
      }
      if (!takers.emplace(p.y.offset / column, &p).second) return;
    }
    if (takers.empty()) return;
    const ProductAt& one = *takers.begin()->second;
    const int64_t count = Columns(one), bytes = count * w.k * ElementSize(w);
    Product both = one.kernel.product;
    both.m += w.m;
    const int64_t most = w.n / count;
    if (count < kLeastColumns || w.n % count != 0 || !IsSmall(both) ||
        2 * static_cast<int64_t>(takers.size()) < most) {
      return;
    }
    for (const auto& [first, p] : takers) {
      if (first % count != 0 || p->z.array == whole.z.array || p->call >= whole.call ||
          !Stays(whole.y.array, p->y.offset, p->y.offset + bytes, p->call, whole.call)) {
        return;
      }
    }
    // Nothing may touch the result before all of it was computed.
    for (const ArrayTouch& t : touches_[whole.z.array]) {
      if (t.call < whole.call) return;
    }
    const int pack = PackOf(one.x.array);
    if (pack < 0) return;
    const int packed = PackBoth(one, whole, pack);
    for (int64_t first = 0; first < w.n; first += count) {
      const auto taker = takers.find(first);
      ProductAt part = *Part(whole, first, count);
      if (taker == takers.end()) {
        // Where its columns are known.
        int last = -1;
        for (const ArrayTouch& t : touches_[whole.y.array]) {
          const bool meets = t.first < part.y.offset + bytes && part.y.offset < t.end;
          if (t.is_stored && t.call < whole.call && meets) last = std::max(last, t.call);
        }
        changes_[last < 0 ? whole.call : last].after.push_back(CallOfPart(part));
        continue;
      }
      const ProductAt& p = *taker->second;
      ProductAt joint = p;
      joint.x = {packed, 0};
      joint.kernel.more_rows = w.m;
      KernelCall call = CallOfPart(joint);
      call.grain = GrainOf(both);
      call.arguments.push_back(part.z);
      const int64_t column = w.m * ElementSize(w);
      call.accesses.push_back({part.z.array, true, part.z.offset, column, column});
      changes_[p.call].is_removed = true;
      changes_[p.call].after.push_back(std::move(call));
    }
    changes_[whole.call].is_removed = true;
  }

  // The call that stores a packed factor.
  int PackOf(int packed) const {
    for (const ArrayTouch& t : touches_[packed]) {
      if (t.is_stored) return t.call;
    }
    return -1;
  }

  // A factor that has the rows of both, packed where that of the first is.
  int PackBoth(const ProductAt& first, const ProductAt& second, int pack) {
    const Product &p = first.kernel.product, &q = second.kernel.product;
    Product both = p;
    both.m += q.m;
    const auto add = [&](int64_t elements) {
      program_.arrays.push_back({"", {p.type, {elements}, {}}, ProgramArray::kScratch});
      touches_.emplace_back();
      return static_cast<int>(program_.arrays.size()) - 1;
    };
    const int together = add(both.m * both.k), packed = add(PackedElements(both));
    const int x = program_.calls[pack].arguments[0].array;
    KernelCall call;
    call.kernel = static_cast<int>(drafts_.size());
    drafts_.push_back({"factors of products", PackTwoCall(p, q.m)});
    call.arguments = {{x, 0}, second.x, {together, 0}, {packed, 0}};
    call.accesses = {WholeOf(program_, x, false), WholeOf(program_, second.x.array, false),
                     WholeOf(program_, together, true), WholeOf(program_, packed, true)};
    changes_[pack].after.push_back(std::move(call));
    const auto is_taken = [&](const ArrayTouch& t) {
      if (t.call == pack) return true;
      const int kernel = program_.calls[t.call].kernel;
      return kernel >= 0 && drafts_[kernel].product.has_value() &&
             program_.calls[t.call].arguments[1].array == second.y.array;
    };
    const auto& touches = touches_[first.x.array];
    if (std::all_of(touches.begin(), touches.end(), is_taken)) changes_[pack].is_removed = true;
    return packed;
  }

  void Apply() {
    std::vector<KernelCall> calls;
    for (size_t c = 0; c < changes_.size(); ++c) {
      if (!changes_[c].is_removed) calls.push_back(std::move(program_.calls[c]));
      for (KernelCall& call : changes_[c].after) calls.push_back(std::move(call));
    }
    program_.calls = std::move(calls);
  }

  const Graph& graph_;
  std::vector<KernelDraft>& drafts_;
  KernelProgram& program_;
  std::vector<std::vector<ArrayTouch>> touches_;  // Of each array.
  std::vector<ProductAt> products_;
  std::vector<int> made_by_;  // Of each array: the product that stores all of it, and nothing else.
  std::vector<Change> changes_;  // For each call.
};

}  // namespace

void ComputeProductsInParts(const Graph& graph, std::vector<KernelDraft>* drafts,
                            KernelProgram* program) {
  PartWriter(graph, *drafts, *program).Run();
}

}  // namespace lamina::internal
