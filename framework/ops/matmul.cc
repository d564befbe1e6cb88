#include "framework/ops/matmul.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/elementwise.h"
#include "framework/cpu/gemm.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul_op.h"
#include "framework/ops/op.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

std::string Both(const ArraySpec& x, const ArraySpec& y) {
  return absl::StrCat("A ", ToString(x), " and a ", ToString(y), " came.");
}

// Sizes of the dims beyond the first two.
std::span<const int64_t> Pages(const Sizes& sizes) {
  if (sizes.size() < 3) return {};
  return {sizes.data() + 2, sizes.size() - 2};
}

cpu::Transpose Flag(bool transpose) {
  return transpose ? cpu::Transpose::kConjugate : cpu::Transpose::kNo;
}
const void* Offset(const void* p, int64_t bytes) { return static_cast<const char*>(p) + bytes; }
int64_t Leading(const Sizes& sizes) { return std::max<int64_t>(sizes[0], 1); }

}  // namespace

std::string MatMulOp::Attributes() const {
  return absl::StrCat("transpose_x=", tx_, " transpose_y=", ty_);
}

void MatMulOp::Infer(const Specs& in, SpecList* out) const {
  const ArraySpec &x = in[0], &y = in[1];
  LAMINA_CHECK(x.type == y.type && IsFloating(x.type) && x.rank() >= 2 && y.rank() >= 2);
  const int64_t inner_x = x.sizes[tx_ ? 0 : 1], inner_y = y.sizes[ty_ ? 1 : 0];
  if (inner_x != inner_y) {
    throw Error(
        "dlarray:SizeMismatch",
        absl::StrCat("MatMul sums over the ", tx_ ? "rows" : "columns", " of the first and the ",
                     ty_ ? "columns" : "rows", " of the second matrix, which must be as many."),
        absl::StrCat(Both(x, y), " ", inner_x, " is not ", inner_y, "."),
        "Check the order of the matrices, or transpose one.");
  }
  ArraySpec spec{x.type, {x.sizes[tx_ ? 1 : 0], y.sizes[ty_ ? 0 : 1]}, {}};
  for (int d = 2; d < std::max(x.rank(), y.rank()); ++d) {
    const int64_t a = x.size(d), b = y.size(d);
    if (a != b && a != 1 && b != 1) {
      throw Error(
          "dlarray:SizeMismatch",
          "MatMul of pages expects dims beyond the second that are equal or 1.",
          absl::StrCat(Both(x, y), " Dim ", d, " is ", a, " in one and ", b, " in the other."),
          "Make the pages agree.");
    }
    spec.sizes.push_back(a == 1 ? b : a);
  }
  out->push_back(std::move(spec));
}

void MatMulOp::Run(Arrays in, Results out) const {
  void* to = out.bytes(0);
  const ArraySpec& spec = out.spec(0);
  if (spec.numel() == 0) return;
  const Sizes &x = in[0].sizes(), &y = in[1].sizes();
  const int64_t m = spec.sizes[0], n = spec.sizes[1], k = x[tx_ ? 0 : 1];
  // Pages are matched as elements are: by strides of 0 where one is repeated.
  cpu::ElementwiseArgs pages;
  LAMINA_CHECK(cpu::CollapseBroadcast(Pages(spec.sizes), {Pages(x), Pages(y)}, &pages));
  const size_t element = SizeOf(spec.type);
  const int64_t page_x = x[0] * x[1], page_y = y[0] * y[1];
  const int64_t batch = pages.rank > 0 ? pages.sizes[0] : 1;
  const int64_t step_x = pages.rank > 0 ? pages.strides[0][0] * page_x : 0;
  const int64_t step_y = pages.rank > 0 ? pages.strides[1][0] * page_y : 0;
  const int64_t runs = std::accumulate(Pages(spec.sizes).begin(), Pages(spec.sizes).end(),
                                       int64_t{1}, std::multiplies<>()) /
                       batch;
  for (int64_t run = 0; run < runs; ++run) {
    int64_t at_x = 0, at_y = 0, rest = run;
    for (int d = 1; d < pages.rank; ++d) {
      const int64_t index = rest % pages.sizes[d];
      rest /= pages.sizes[d];
      at_x += index * pages.strides[0][d];
      at_y += index * pages.strides[1][d];
    }
    cpu::GemmBatched(spec.type, Flag(tx_), Flag(ty_), m, n, k, 1.0,
                     Offset(in[0].data()->bytes(), at_x * page_x * element), Leading(x), step_x,
                     Offset(in[1].data()->bytes(), at_y * page_y * element), Leading(y), step_y,
                     0.0, static_cast<char*>(to) + run * batch * m * n * element,
                     std::max<int64_t>(m, 1), m * n, batch);
  }
}

void MatMulOp::Write(OpWriter& w) const {
  using loops::Expression;
  const ArraySpec &x = w.input(0), &y = w.input(1), &out = w.output(0);
  loops::LoopBuilder& code = w.code();
  Sizes pages = out.sizes;
  pages[0] = pages[1] = 1;
  // Of complex numbers the transpose is the conjugate one.
  const auto conjugated = [&code](const Expression& e, bool transposed) {
    if (!transposed || !IsComplex(e.type())) return e;
    return internal::EvaluateOnExpressions(cpu::ScalarFunction::kConj, {e}, code);
  };
  w.ForEach(pages, {}, [&](const Indices& page) {
    code.For("column", out.sizes[1], [&](const Expression& column) {
      code.For("row", out.sizes[0], [&](const Expression& row) {
        const auto at = [&](const ArraySpec& spec, const Expression& i, const Expression& j) {
          Indices indices(page.begin(), page.begin() + spec.rank());
          indices[0] = i;
          indices[1] = j;
          return indices;
        };
        const Expression sum = code.Var("sum", Expression::Number(0, out.type));
        code.For("k", x.sizes[tx_ ? 0 : 1], [&](const Expression& k) {
          const Expression a = w.Load(0, tx_ ? at(x, k, row) : at(x, row, k));
          const Expression b = w.Load(1, ty_ ? at(y, column, k) : at(y, k, column));
          code.Assign(sum, sum + conjugated(a, tx_) * conjugated(b, ty_));
        });
        w.Store(0, at(out, row, column), sum);
      });
    });
  });
}

// From L's change Re<dy, d(op(x) op(y))>: each factor's derivative is a product of dy and the
// other, transposed so that the rows and columns fit.
DlArrays MatMulOp::Gradient(const GradientCall& call) const {
  const DlArray &x = call.inputs[0], &y = call.inputs[1], &dy = call.output_gradients[0];
  DlArrays gradients(2);
  if (call.needed[0]) {
    const DlArray g = tx_ ? MatMul(y, dy, ty_, true) : MatMul(dy, y, false, !ty_);
    gradients[0] = SumTo(g, x.spec());
  }
  if (call.needed[1]) {
    const DlArray g = ty_ ? MatMul(dy, x, true, tx_) : MatMul(x, dy, !tx_, false);
    gradients[1] = SumTo(g, y.spec());
  }
  return gradients;
}

namespace {

// A vector is a column.
DlArray AsMatrix(const DlArray& x) { return x.rank() == 1 ? Reshape(x, {x.size(0), 1}) : x; }

DlArray ConjugateTranspose(const DlArray& x) { return Conj(Transpose(x)); }

}  // namespace

DlArray MatMul(const DlArray& x, const DlArray& y, bool transpose_x, bool transpose_y) {
  if ((x.rank() == 0 && !transpose_y) || (y.rank() == 0 && !transpose_x)) {
    return (transpose_x ? Conj(x) : x) * (transpose_y ? Conj(y) : y);
  }
  if (!x.format().empty() || !y.format().empty()) {
    throw Error("dlarray:FormatMismatch",
                "MatMul expects arrays without labels: rows and columns are meant by position.",
                Both(x.spec(), y.spec()),
                "Use Contract, which names the dim it sums over, or StripDims.");
  }
  if (x.rank() == 0 || y.rank() == 0) {
    return (transpose_x ? ConjugateTranspose(x) : x) * (transpose_y ? ConjugateTranspose(y) : y);
  }
  DataType type = Promote(x.type(), y.type());
  if (!IsFloating(type)) type = DataType::kSingle;
  const DlArray a = Cast(AsMatrix(x), type), b = Cast(AsMatrix(y), type);
  const OpPtr op = std::make_shared<MatMulOp>(transpose_x, transpose_y);
  if (a.rank() > 2 || b.rank() <= 2 || transpose_y) return internal::ApplyProduct(op, {a, b});
  // One matrix times many: the pages are further columns of one product.
  Sizes sizes = b.sizes();
  const int64_t columns = b.numel() == 0 ? 0 : b.numel() / b.size(0);
  if (columns == 0) return internal::ApplyProduct(op, {a, b});
  const DlArray c = internal::ApplyProduct(op, {a, Reshape(b, {b.size(0), columns})});
  sizes[0] = c.size(0);
  return Reshape(c, sizes);
}

DlArray FullyConnect(const DlArray& x, const DlArray& w, const DlArray& b,
                     std::string_view format) {
  if (x.format().empty()) {
    if (format.empty()) {
      throw Error("ops:FormatNeeded",
                  "FullyConnect needs to know which dims of x are features and which observations.",
                  absl::StrCat("A ", ToString(x.spec()), " came, and no format."),
                  "Label x, or give the labels of its dims as format.");
    }
    return StripDims(FullyConnect(DlArray(x, format), w, b));
  }
  if (!format.empty() && !(x.format() == Format::Sorted(format))) {
    throw Error("dlarray:FormatMismatch", "FullyConnect takes a format for an unlabelled x only.",
                absl::StrCat("A ", ToString(x.spec()), " and the format \"", std::string(format),
                             "\" came."),
                "Leave the format out, or strip the labels.");
  }
  const bool has_u = x.format().Find('U') >= 0;
  const bool has_sc = x.format().Find('S') >= 0 || x.format().Find('C') >= 0;
  if (has_u == has_sc) {
    throw Error("dlarray:FormatMismatch",
                "FullyConnect takes the dims S and C, or else U, as features.",
                absl::StrCat("A ", ToString(x.spec()), " came."),
                has_u ? "Relabel its U dims." : "Label the dim of the features C.");
  }
  const int64_t features = has_u ? Size(x, 'U') : Size(x, 'S') * Size(x, 'C');
  if (!w.format().empty() || w.rank() != 2 || w.size(1) != features) {
    throw Error(
        "dlarray:SizeMismatch",
        absl::StrCat("FullyConnect expects unlabelled weights with a column for each of the ",
                     features, " features of a ", ToString(x.spec()), "."),
        absl::StrCat("Weights of ", ToString(w.spec()), " came."),
        absl::StrCat("Make the weights [outputs x ", features, "]."));
  }
  const int64_t outputs = w.size(0);
  if (!b.empty() && (!b.format().empty() || b.numel() != outputs || b.size(0) != outputs)) {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat("FullyConnect expects an unlabelled bias of ", outputs, "x1."),
                absl::StrCat("A ", ToString(b.spec()), " came."),
                "Give the bias as many rows as the weights.");
  }
  // Features stand first, or last when they are U: either way the rest is one run of columns.
  Sizes sizes{outputs};
  std::string labels = "C";
  int64_t columns = 1;
  for (char label : {'B', 'T'}) {
    if (x.format().Find(label) < 0) continue;
    sizes.push_back(Size(x, label));
    labels += label;
    columns *= Size(x, label);
  }
  const DlArray matrix = Reshape(x, {has_u ? columns : features, has_u ? features : columns});
  DlArray y = has_u ? MatMul(w, Conj(matrix), false, true) : MatMul(w, matrix);
  if (!b.empty()) y = y + b;
  return Reshape(y, sizes, labels);
}

}  // namespace lamina
