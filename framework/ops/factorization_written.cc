// The ops of factorization_op.h as loops.
//
// All loops run upwards and over all rows, and conditions say which are meant: so it can be shown
// from the indices that the pages (and the columns of right sides) are independent, and a device
// computes them at once (emit/parallel_loops.h). Therefore, too, an element of a diagonal or of a
// row that values choose is found by a loop, and no page is copied by two loops alone, which would
// be joined to one. One page is one thread's.
#include <functional>
#include <limits>

#include "framework/ops/factorization_op.h"

namespace lamina::internal {
namespace {

using loops::Expression;
using loops::LoopBuilder;

Expression Conjugated(const Expression& x, LoopBuilder& code) {
  if (!IsComplex(x.type())) return x;
  return EvaluateOnExpressions(cpu::ScalarFunction::kConj, {x}, code);
}
Expression RealPart(const Expression& x, LoopBuilder& code) {
  if (!IsComplex(x.type())) return x;
  return EvaluateOnExpressions(cpu::ScalarFunction::kReal, {x}, code);
}
Expression Zero(DataType type) { return Expression::Number(0, type); }

// The element at (row, column) of an array's page, which is given as the result's.
Indices At(const ArraySpec& spec, const Indices& page, const Expression& row,
           const Expression& column) {
  Indices at(page.begin(), page.begin() + spec.rank());
  at[0] = row;
  at[1] = column;
  return at;
}

void ForPages(OpWriter& w, const ArraySpec& result, const std::function<void(const Indices&)>& f) {
  Sizes pages = result.sizes;
  pages[0] = pages[1] = 1;
  w.ForEach(pages, {}, f);
}

// The rows from the first to the last, or back.
void ForRows(LoopBuilder& code, int64_t n, bool forward,
             const std::function<void(const Expression&)>& f) {
  if (forward) return code.For("row", n, f);
  code.For("step", n, [&](const Expression& step) {
    code.For("row", n, [&](const Expression& row) {
      code.If(row + step == Expression(n - 1), [&] { f(row); });
    });
  });
}

// The elements of rows `k` and `with` of a column of output 0, whose spec this is, exchanged.
void Exchange(OpWriter& w, const ArraySpec& spec, const Indices& page, const Expression& k,
              const Expression& with, const Expression& column) {
  LoopBuilder& code = w.code();
  const auto at = [&](const Expression& row) { return At(spec, page, row, column); };
  code.For("other_row", spec.sizes[0], [&](const Expression& other) {
    code.If((other == with) & (other != k), [&] {
      const Expression old = code.Let("old", w.LoadOutput(0, at(k)));
      w.Store(0, at(k), w.LoadOutput(0, at(other)));
      w.Store(0, at(other), old);
    });
  });
}

// The equations of a triangular matrix, or of its conjugate transpose, with one column of output 0
// as right side and result.
struct Substitution {
  int matrix;  // An input.
  bool lower, transposed, has_ones;

  void Write(OpWriter& w, const Indices& page, const Expression& column) const {
    const ArraySpec &t = w.input(matrix), &x = w.output(0);
    LoopBuilder& code = w.code();
    const int64_t n = x.sizes[0];
    const bool forward = lower != transposed;
    const auto element = [&](const Expression& row, const Expression& k) {
      if (!transposed) return w.Load(matrix, At(t, page, row, k));
      return Conjugated(w.Load(matrix, At(t, page, k, row)), code);
    };
    ForRows(code, n, forward, [&](const Expression& row) {
      const Expression sum = code.Var("sum", w.LoadOutput(0, At(x, page, row, column)));
      code.For("k", n, [&](const Expression& k) {
        code.If(forward ? k < row : k > row, [&] {
          code.Assign(sum, sum - element(row, k) * w.LoadOutput(0, At(x, page, k, column)));
        });
      });
      w.Store(0, At(x, page, row, column), has_ones ? sum : sum / element(row, row));
    });
  }
};

// Output 0 is `right`; then f(page, column) for each of its columns.
void ForColumns(OpWriter& w, int right,
                const std::function<void(const Indices&, const Expression&)>& f) {
  const ArraySpec &b = w.input(right), &x = w.output(0);
  ForPages(w, x, [&](const Indices& page) {
    w.code().For("column", x.sizes[1], [&](const Expression& column) {
      w.code().For("row", x.sizes[0], [&](const Expression& row) {
        w.Store(0, At(x, page, row, column), w.Load(right, At(b, page, row, column)));
      });
      f(page, column);
    });
  });
}

}  // namespace

// Column by column: what earlier columns do to it, then its pivot.
void LuOp::Write(OpWriter& w) const {
  const ArraySpec& a = w.input(0);
  const int64_t n = a.sizes[0];
  LoopBuilder& code = w.code();
  ForPages(w, a, [&](const Indices& page) {
    const auto at = [&](const Expression& row, const Expression& column) {
      return At(a, page, row, column);
    };
    const auto lu = [&](const Expression& row, const Expression& column) {
      return w.LoadOutput(0, at(row, column));
    };
    const auto pivot_at = [&](const Expression& k) {
      return At(w.output(1), page, k, Expression(0));
    };
    code.For("column", n, [&](const Expression& column) {
      code.For("row", n, [&](const Expression& row) {
        w.Store(0, at(row, column), w.Load(0, at(row, column)));
      });
      code.For("k", n, [&](const Expression& k) {
        code.If(k < column, [&] {
          const Expression with = code.Let("with", w.LoadOutput(1, pivot_at(k)));
          Exchange(w, a, page, k, with, column);
        });
      });
      code.For("k", n, [&](const Expression& k) {
        code.If(k < column, [&] {
          const Expression top = code.Let("top", lu(k, column));
          code.For("row", n, [&](const Expression& row) {
            code.If(row > k,
                    [&] { w.Store(0, at(row, column), lu(row, column) - lu(row, k) * top); });
          });
        });
      });
      const Expression greatest = code.Var("greatest", Expression::Number(-1, ToReal(a.type)));
      const Expression pivot_row = code.Var("pivot_row", column.Typed(DataType::kInt32));
      const Expression pivot = code.Var("pivot", Zero(a.type));
      code.For("row", n, [&](const Expression& row) {
        code.If(row >= column, [&] {
          const Expression value = code.Let("value", lu(row, column));
          const Expression size = code.Let("size", Abs(value));
          code.If(size > greatest, [&] {
            code.Assign(greatest, size);
            code.Assign(pivot_row, row);
            code.Assign(pivot, value);
          });
        });
      });
      w.Store(1, pivot_at(column), pivot_row);
      code.For("other", n, [&](const Expression& other) {
        code.If(other <= column, [&] { Exchange(w, a, page, column, pivot_row, other); });
      });
      // Without a pivot there are zeros below it already.
      code.If(pivot != Zero(a.type), [&] {
        code.For("row", n, [&](const Expression& row) {
          code.If(row > column, [&] { w.Store(0, at(row, column), lu(row, column) / pivot); });
        });
      });
    });
  });
}

void LuSolveOp::Write(OpWriter& w) const {
  const ArraySpec& x = w.output(0);
  LoopBuilder& code = w.code();
  ForColumns(w, 3, [&](const Indices& page, const Expression& column) {
    const auto exchange = [&] {
      ForRows(code, x.sizes[0], !transposed_, [&](const Expression& k) {
        const Expression with = code.Let("with", w.Load(2, At(w.input(2), page, k, Expression(0))));
        Exchange(w, x, page, k, with, column);
      });
    };
    if (!transposed_) exchange();
    const Substitution l{1, true, transposed_, true}, u{1, false, transposed_, false};
    (transposed_ ? u : l).Write(w, page, column);
    (transposed_ ? l : u).Write(w, page, column);
    if (transposed_) exchange();
  });
}

void LuDeterminantOp::Write(OpWriter& w) const {
  const ArraySpec& lu = w.input(1);
  const DataType real = ToReal(lu.type);
  LoopBuilder& code = w.code();
  ForPages(w, w.output(0), [&](const Indices& page) {
    const auto number = [&](const char* name, int output, DataType type, double value) {
      return w.IsUsed(output) ? code.Var(name, Expression::Number(value, type)) : Zero(type);
    };
    const Expression determinant = number("determinant", 0, lu.type, 1);
    const Expression sign = number("sign", 1, lu.type, 1);
    const Expression log = number("log_magnitude", 2, DataType::kDouble, 0);
    code.For("k", lu.sizes[0], [&](const Expression& k) {
      const Expression raw = code.Let("raw", w.Load(1, At(lu, page, k, k)));
      const Expression with = w.Load(2, At(w.input(2), page, k, Expression(0)));
      const Expression d = Select(with == k, raw, -raw);
      if (w.IsUsed(0)) code.Assign(determinant, determinant * d);
      if (!w.IsUsed(1) && !w.IsUsed(2)) return;
      const Expression size = code.Let("size", Abs(raw));
      if (w.IsUsed(1)) {
        code.Assign(sign,
                    Select(size == Zero(real), Zero(lu.type), sign * d / Convert(size, lu.type)));
      }
      if (w.IsUsed(2)) code.Assign(log, log + Log(Convert(size, DataType::kDouble)));
    });
    if (w.IsUsed(0)) w.Store(0, page, determinant);
    if (w.IsUsed(1)) w.Store(1, page, sign);
    if (w.IsUsed(2)) w.Store(2, page, Convert(log, real));
  });
}

void CholeskyOp::Write(OpWriter& w) const {
  const ArraySpec& a = w.input(0);
  const int64_t n = a.sizes[0];
  const DataType real = ToReal(a.type);
  LoopBuilder& code = w.code();
  ForPages(w, a, [&](const Indices& page) {
    const auto at = [&](const Expression& row, const Expression& column) {
      return At(a, page, row, column);
    };
    const Expression failed = code.Var("failed", Zero(DataType::kInt32));
    code.For("column", n, [&](const Expression& column) {
      const Expression root = code.Var("root", Zero(real));
      code.For("row", n, [&](const Expression& row) {
        code.If(row < column, [&] { w.Store(0, at(row, column), Zero(a.type)); });
        code.If(row >= column, [&] {
          const Expression sum = code.Var("sum", w.Load(0, at(row, column)));
          code.For("k", n, [&](const Expression& k) {
            code.If(k < column, [&] {
              code.Assign(sum, sum - w.LoadOutput(0, at(row, k)) *
                                         Conjugated(w.LoadOutput(0, at(column, k)), code));
            });
          });
          code.If(row == column, [&] {
            const Expression square = code.Let("square", RealPart(sum, code));
            code.If(!(square > Zero(real)),
                    [&] { code.Assign(failed, Expression::Number(1, DataType::kInt32)); });
            code.Assign(root, Sqrt(square));
            w.Store(0, at(row, column), Convert(root, a.type));
          });
          code.If(row > column, [&] { w.Store(0, at(row, column), sum / Convert(root, a.type)); });
        });
      });
    });
    code.If(failed == Expression(1), [&] {
      const Expression nan =
          Convert(Expression::Number(std::numeric_limits<double>::quiet_NaN(), real), a.type);
      code.For("column", n, [&](const Expression& column) {
        code.For("row", n, [&](const Expression& row) {
          code.If(row >= column, [&] { w.Store(0, at(row, column), nan); });
        });
      });
    });
  });
}

void TriangularSolveOp::Write(OpWriter& w) const {
  ForColumns(w, 1, [&](const Indices& page, const Expression& column) {
    Substitution{0, lower_, transposed_, false}.Write(w, page, column);
  });
}

void TriangleOp::Write(OpWriter& w) const {
  w.Define(0, [&w, lower = lower_, k = k_](const Indices& at) {
    const Expression diagonal = at[0] + Expression(k);
    return Select(lower ? at[1] <= diagonal : at[1] >= diagonal, w.Load(0, at),
                  Zero(w.output(0).type));
  });
}

}  // namespace lamina::internal
