#include "framework/ops/factorization_op.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/factorize.h"
#include "framework/cpu/threads.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/linear_algebra.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::internal {
namespace {

// The sizes of x with other first dims.
Sizes WithMatrix(const ArraySpec& x, int64_t rows, int64_t columns) {
  Sizes sizes = x.sizes;
  sizes[0] = rows;
  sizes[1] = columns;
  return sizes;
}

// What equations of matrices `a` with right sides b give, by the rules of the pages.
ArraySpec SolutionSpec(std::string_view function, const ArraySpec& a, const ArraySpec& b) {
  LAMINA_CHECK(a.type == b.type && IsFloating(a.type) && a.rank() >= 2 && b.rank() >= 2 &&
               a.sizes[0] == a.sizes[1]);
  const auto came = [&] {
    return absl::StrCat("A ", ToString(a), " and a ", ToString(b), " came.");
  };
  if (a.sizes[0] != b.sizes[0]) {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat(std::string(function),
                             " expects as many rows on the right side as the matrix has."),
                absl::StrCat(came(), " ", b.sizes[0], " is not ", a.sizes[0], "."),
                "Check the order of the arguments, or transpose the right side.");
  }
  ArraySpec spec{a.type, {b.sizes[0], b.sizes[1]}, {}};
  for (int d = 2; d < std::max(a.rank(), b.rank()); ++d) {
    const int64_t of_a = a.size(d), of_b = b.size(d);
    if (of_a != of_b && of_a != 1 && of_b != 1) {
      throw Error(
          "dlarray:SizeMismatch",
          absl::StrCat(std::string(function),
                       " of pages expects dims beyond the second that are equal or 1."),
          absl::StrCat(came(), " Dim ", d, " is ", of_a, " in one and ", of_b, " in the other."),
          "Make the pages agree.");
    }
    spec.sizes.push_back(of_a == 1 ? of_b : of_a);
  }
  return spec;
}

int64_t NumPages(const Sizes& sizes) {
  int64_t count = 1;
  for (size_t d = 2; d < sizes.size(); ++d) count *= sizes[d];
  return count;
}

// The page of an array of these sizes that meets page `page` of the result.
int64_t PageOf(const Sizes& sizes, const Sizes& result, int64_t page) {
  int64_t own = 0, step = 1;
  for (size_t d = 2; d < sizes.size(); ++d) {
    if (sizes[d] > 1) own += page % result[d] * step;
    page /= result[d];
    step *= sizes[d];
  }
  return own;
}

// Calls f(page) for all pages, of about n^2 m operations each.
template <class F>
void ForPages(int64_t pages, int64_t n, int64_t m, F f) {
  const double operations =
      static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(m) + 1;
  const auto grain = static_cast<int64_t>(static_cast<double>(cpu::kElementwiseGrain) / operations);
  cpu::ParallelFor(pages, std::max<int64_t>(grain, 1), [&](int64_t begin, int64_t end) {
    for (int64_t page = begin; page < end; ++page) f(page);
  });
}

// Matrix number `page` of an array.
const std::byte* MatrixAt(const DlArray& x, int64_t page) {
  const int64_t bytes = x.sizes()[0] * x.sizes()[1] * static_cast<int64_t>(SizeOf(x.type()));
  return static_cast<const std::byte*>(x.data()->bytes()) + page * bytes;
}

// x is b; then solve(x, page) for each page of x.
template <class F>
void SolveInPlace(const DlArray& b, const ArraySpec& result, void* x, F solve) {
  const int64_t n = result.sizes[0], m = result.sizes[1];
  const size_t bytes = static_cast<size_t>(n * m) * SizeOf(result.type);
  if (bytes == 0) return;
  ForPages(NumPages(result.sizes), n, n + m, [&](int64_t page) {
    std::byte* to = static_cast<std::byte*>(x) + page * bytes;
    std::memcpy(to, MatrixAt(b, PageOf(b.sizes(), result.sizes, page)), bytes);
    solve(to, page);
  });
}

DlArray Adjoint(const DlArray& x) { return Conj(Transpose(x)); }

}  // namespace

void LuOp::Infer(const Specs& in, SpecList* out) const {
  LAMINA_CHECK(IsFloating(in[0].type) && in[0].rank() >= 2 && in[0].sizes[0] == in[0].sizes[1]);
  out->push_back(in[0]);
  out->push_back({DataType::kInt32, WithMatrix(in[0], in[0].sizes[0], 1), {}});
}

void LuOp::Run(Arrays in, Results out) const {
  const DlArray& a = in[0];
  const int64_t n = a.size(0);
  std::byte* lu = out.Data<std::byte>(0);
  int32_t* pivots = out.Data<int32_t>(1);
  const size_t bytes = static_cast<size_t>(n * n) * SizeOf(a.type());
  if (bytes == 0) return;
  ForPages(NumPages(a.sizes()), n, n, [&](int64_t page) {
    std::memcpy(lu + page * bytes, MatrixAt(a, page), bytes);
    cpu::LuFactor(a.type(), n, lu + page * bytes, pivots + page * n);
  });
}

std::string LuSolveOp::Attributes() const { return absl::StrCat("transposed=", transposed_); }

void LuSolveOp::Infer(const Specs& in, SpecList* out) const {
  LAMINA_CHECK(in[0].sizes == in[1].sizes && in[2].type == DataType::kInt32);
  out->push_back(SolutionSpec("Solve", in[0], in[3]));
}

void LuSolveOp::Run(Arrays in, Results out) const {
  const ArraySpec& x = out.spec(0);
  SolveInPlace(in[3], x, out.bytes(0), [&](void* columns, int64_t page) {
    const int64_t own = PageOf(in[1].sizes(), x.sizes, page);
    cpu::LuSolve(x.type, transposed_, x.sizes[0], x.sizes[1], MatrixAt(in[1], own),
                 in[2].Data<int32_t>() + own * x.sizes[0], columns);
  });
}

// From a dx = db - da x: of a x = b the derivative of b is a^-H dx, and that of a is the product of
// it and -x^H. Of a^H x = b that of a^H is so.
DlArrays LuSolveOp::Gradient(const GradientCall& call) const {
  const DlArray &a = call.inputs[0], &lu = call.inputs[1], &pivots = call.inputs[2];
  const DlArray& x = call.outputs[0];
  const DlArray db =
      Apply(std::make_shared<LuSolveOp>(!transposed_), {a, lu, pivots, call.output_gradients[0]});
  DlArrays gradients(4);
  if (call.needed[0]) {
    const DlArray da = transposed_ ? MatMul(x, db, false, true) : MatMul(db, x, false, true);
    gradients[0] = SumTo(-da, a.spec());
  }
  if (call.needed[3]) gradients[3] = SumTo(db, call.inputs[3].spec());
  return gradients;
}

void LuDeterminantOp::Infer(const Specs& in, SpecList* out) const {
  LAMINA_CHECK(in[0].sizes == in[1].sizes && in[2].type == DataType::kInt32);
  const ArraySpec number{in[0].type, WithMatrix(in[0], 1, 1), {}};
  out->assign(3, number);
  (*out)[2].type = ToReal(number.type);
}

void LuDeterminantOp::Run(Arrays in, Results out) const {
  const DlArray &lu = in[1], &pivots = in[2];
  const int64_t n = lu.size(0), pages = NumPages(lu.sizes());
  const size_t bytes = SizeOf(lu.type()), real_bytes = SizeOf(ToReal(lu.type()));
  std::byte *determinant = out.Data<std::byte>(0), *sign = out.Data<std::byte>(1),
            *log = out.Data<std::byte>(2);
  ForPages(pages, n, 1, [&](int64_t page) {
    cpu::LuDeterminant(lu.type(), n, MatrixAt(lu, page), pivots.Data<int32_t>() + page * n,
                       determinant + page * bytes, sign + page * bytes, log + page * real_bytes);
  });
}

// With t = tr(a^-1 da): d det = det t, d log|det| = Re t, d sign = sign i Im t. So each derivative
// with respect to a is a number times a^-H.
DlArrays LuDeterminantOp::Gradient(const GradientCall& call) const {
  const DlArray &determinant = call.outputs[0], &sign = call.outputs[1];
  DlArray factor;
  const auto add = [&](const DlArray& term) { factor = factor.empty() ? term : factor + term; };
  if (const DlArray& d = call.output_gradients[0]; !d.empty()) add(d * Conj(determinant));
  if (const DlArray& d = call.output_gradients[1]; !d.empty() && IsComplex(sign.type())) {
    const DlArray turn = Imag(Conj(d) * sign);
    add(Complex(ZerosLike(turn), -turn));
  }
  if (const DlArray& d = call.output_gradients[2]; !d.empty()) add(d);
  DlArrays gradients(3);
  if (factor.empty()) return gradients;
  const DlArray& a = call.inputs[0];
  gradients[0] = factor * Apply(std::make_shared<LuSolveOp>(true),
                                {a, call.inputs[1], call.inputs[2], EyeLike(a)});
  return gradients;
}

void CholeskyOp::Infer(const Specs& in, SpecList* out) const {
  LAMINA_CHECK(IsFloating(in[0].type) && in[0].rank() >= 2 && in[0].sizes[0] == in[0].sizes[1]);
  out->push_back(in[0]);
}

void CholeskyOp::Run(Arrays in, Results out) const {
  const DlArray& a = in[0];
  const int64_t n = a.size(0);
  const size_t bytes = static_cast<size_t>(n * n) * SizeOf(a.type());
  std::byte* l = out.Data<std::byte>(0);
  if (bytes == 0) return;
  ForPages(NumPages(a.sizes()), n, n, [&](int64_t page) {
    std::memcpy(l + page * bytes, MatrixAt(a, page), bytes);
    cpu::Cholesky(a.type(), n, l + page * bytes);
  });
}

// dL = L P(L^-1 da L^-H), where P takes the lower triangle with half of the diagonal, is its own
// transpose. So the derivative is the Hermitian part of L^-H P(L^H dL) L^-1.
DlArrays CholeskyOp::Gradient(const GradientCall& call) const {
  const DlArray& l = call.outputs[0];
  const DlArray product = MatMul(l, call.output_gradients[0], true);
  const DlArray half = 0.5 * (LowerTriangle(product) + LowerTriangle(product, -1));
  const DlArray left = TriangularSolve(l, half, Triangle::kLower, true);
  const DlArray s = TriangularSolve(l, Adjoint(left), Triangle::kLower, true);
  return {0.5 * (s + Adjoint(s))};
}

std::string TriangularSolveOp::Attributes() const {
  return absl::StrCat("lower=", lower_, " transposed=", transposed_);
}

void TriangularSolveOp::Infer(const Specs& in, SpecList* out) const {
  out->push_back(SolutionSpec("TriangularSolve", in[0], in[1]));
}

void TriangularSolveOp::Run(Arrays in, Results out) const {
  const ArraySpec& x = out.spec(0);
  SolveInPlace(in[1], x, out.bytes(0), [&](void* columns, int64_t page) {
    cpu::TriangularSolve(x.type, lower_, transposed_, x.sizes[0], x.sizes[1],
                         MatrixAt(in[0], PageOf(in[0].sizes(), x.sizes, page)), columns);
  });
}

// As that of LuSolveOp, of the triangle's elements only.
DlArrays TriangularSolveOp::Gradient(const GradientCall& call) const {
  const DlArray &t = call.inputs[0], &x = call.outputs[0];
  const DlArray db = Apply(std::make_shared<TriangularSolveOp>(lower_, !transposed_),
                           {t, call.output_gradients[0]});
  DlArrays gradients(2);
  if (call.needed[0]) {
    const DlArray dt =
        SumTo(-(transposed_ ? MatMul(x, db, false, true) : MatMul(db, x, false, true)), t.spec());
    gradients[0] = lower_ ? LowerTriangle(dt) : UpperTriangle(dt);
  }
  if (call.needed[1]) gradients[1] = SumTo(db, call.inputs[1].spec());
  return gradients;
}

std::string TriangleOp::Attributes() const { return absl::StrCat("lower=", lower_, " k=", k_); }

void TriangleOp::Run(Arrays in, Results out) const {
  const DlArray& a = in[0];
  const int64_t rows = a.size(0), columns = a.size(1);
  const size_t element = SizeOf(a.type());
  std::byte* to = out.Data<std::byte>(0);
  const int64_t grain = cpu::kElementwiseGrain / (rows + 1) + 1;
  cpu::ParallelFor(rows == 0 ? 0 : a.numel() / rows, grain, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      // Row i of column j is on diagonal j - i.
      const int64_t on_diagonal = line % columns - k_;
      const int64_t first = lower_ ? std::clamp<int64_t>(on_diagonal, 0, rows) : 0;
      const int64_t last = lower_ ? rows : std::clamp<int64_t>(on_diagonal + 1, 0, rows);
      const std::byte* from = static_cast<const std::byte*>(a.data()->bytes());
      const size_t column = static_cast<size_t>(line * rows) * element;
      std::memset(to + column, 0, static_cast<size_t>(rows) * element);
      std::memcpy(to + column + static_cast<size_t>(first) * element,
                  from + column + static_cast<size_t>(first) * element,
                  static_cast<size_t>(last - first) * element);
    }
  });
}

DlArrays TriangleOp::Gradient(const GradientCall& call) const {
  return {Apply(std::make_shared<TriangleOp>(lower_, k_), {call.output_gradients[0]})};
}

}  // namespace lamina::internal
