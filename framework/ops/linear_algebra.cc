#include "framework/ops/linear_algebra.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/cpu/cast.h"
#include "framework/ops/device_elements.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/factorization_op.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

void RequireNoLabels(std::string_view function, const DlArray& x) {
  if (x.format().empty()) return;
  throw Error("dlarray:FormatMismatch",
              absl::StrCat(std::string(function),
                           " expects arrays without labels: rows and columns are meant by "
                           "position."),
              absl::StrCat("A ", ToString(x.spec()), " came."), "Use StripDims.");
}

// At least two dims.
DlArray AsMatrix(std::string_view function, const DlArray& x) {
  RequireNoLabels(function, x);
  return x.rank() < 2 ? Reshape(x, {x.size(0), 1}) : x;
}

DlArray AsSquare(std::string_view function, const DlArray& x) {
  const DlArray a = AsMatrix(function, x);
  if (a.size(0) == a.size(1)) return a;
  throw Error("dlarray:SizeMismatch",
              absl::StrCat(std::string(function), " expects square matrices."),
              absl::StrCat("A ", ToString(x.spec()), " came."), "Give as many rows as columns.");
}

DataType FloatingType(DataType type) { return IsFloating(type) ? type : DataType::kSingle; }
DlArray Floating(const DlArray& x) { return Cast(x, FloatingType(x.type())); }

// A square matrix and right sides of one floating type.
std::pair<DlArray, DlArray> Equations(std::string_view function, const DlArray& a,
                                      const DlArray& b) {
  const DlArray matrix = AsSquare(function, a), right = AsMatrix(function, b);
  const DataType type = FloatingType(Promote(a.type(), b.type()));
  return {Cast(matrix, type), Cast(right, type)};
}

// Solves with the right sides of all pages as columns of one, where there is one matrix.
template <class F>
DlArray WithColumnsTogether(const DlArray& a, const DlArray& b, F solve) {
  if (a.rank() > 2 || b.rank() == 2 || b.numel() == 0 || a.size(0) != b.size(0)) return solve(b);
  return Reshape(solve(Reshape(b, {b.size(0), -1})), b.sizes());
}

// Numbers of pages as the caller gets them: of one matrix without dims.
DlArray NumbersOf(const DlArray& numbers) {
  return numbers.rank() > 2 ? numbers : Reshape(numbers, {});
}

struct Factored {
  DlArray a, lu, pivots;
  explicit Factored(const DlArray& square) : a(square) {
    DlArrays factors = ApplyAll(std::make_shared<internal::LuOp>(), Arrays(&a, 1));
    lu = std::move(factors[0]);
    pivots = std::move(factors[1]);
  }
};

DlArrays Determinants(std::string_view function, const DlArray& a) {
  const Factored f(Floating(AsSquare(function, a)));
  const DlArray in[] = {f.a, f.lu, f.pivots};
  return ApplyAll(std::make_shared<internal::LuDeterminantOp>(), in);
}

DlArray TriangleOf(std::string_view function, bool lower, const DlArray& x, int64_t k) {
  const DlArray a = AsMatrix(function, x);
  // Beyond the corners nothing changes.
  k = std::clamp(k, -a.size(0), a.size(1));
  return Apply(std::make_shared<internal::TriangleOp>(lower, k), {a});
}

DlArray Identity(int64_t n, DataType type) {
  internal::ArrayDataPtr data = internal::ArrayData::Make(internal::SpecInOrder(type, {n, n}, ""));
  auto* elements = static_cast<std::byte*>(data->mutable_bytes());
  const size_t size = SizeOf(type);
  std::memset(elements, 0, static_cast<size_t>(data->numel) * size);
  const std::complex<double> one = 1;
  for (int64_t i = 0; i < n; ++i) {
    cpu::Cast(DataType::kComplexDouble, type, 1, &one,
              elements + static_cast<size_t>(i + i * n) * size);
  }
  return DlArray(std::move(data));
}

}  // namespace

DlArray Solve(const DlArray& a, const DlArray& b) {
  const auto [matrix, right] = Equations("Solve", a, b);
  const Factored f(matrix);
  return WithColumnsTogether(matrix, right, [&](const DlArray& columns) {
    return Apply(std::make_shared<internal::LuSolveOp>(false), {f.a, f.lu, f.pivots, columns});
  });
}

DlArray Inverse(const DlArray& a) {
  const DlArray matrix = Floating(AsSquare("Inverse", a));
  return Solve(matrix, EyeLike(matrix));
}

DlArray Determinant(const DlArray& a) { return NumbersOf(Determinants("Determinant", a)[0]); }

LogDeterminantResult LogDeterminant(const DlArray& a) {
  const DlArrays all = Determinants("LogDeterminant", a);
  return {NumbersOf(all[1]), NumbersOf(all[2])};
}

DlArray Cholesky(const DlArray& a) {
  const DlArray x = Floating(AsSquare("Cholesky", a));
  return Apply(std::make_shared<internal::CholeskyOp>(), {0.5 * (x + Conj(Transpose(x)))});
}

DlArray TriangularSolve(const DlArray& t, const DlArray& b, Triangle triangle, bool transpose) {
  const auto [matrix, right] = Equations("TriangularSolve", t, b);
  return WithColumnsTogether(matrix, right, [&, a = matrix](const DlArray& columns) {
    return Apply(
        std::make_shared<internal::TriangularSolveOp>(triangle == Triangle::kLower, transpose),
        {a, columns});
  });
}

DlArray LowerTriangle(const DlArray& a, int64_t k) {
  return TriangleOf("LowerTriangle", true, a, k);
}
DlArray UpperTriangle(const DlArray& a, int64_t k) {
  return TriangleOf("UpperTriangle", false, a, k);
}

// In memory the elements of a diagonal stand one column and one row apart.
DlArray Diagonal(const DlArray& x, int64_t k) {
  const DlArray a = AsMatrix("Diagonal", x);
  const int64_t rows = a.size(0), columns = a.size(1);
  k = std::clamp(k, -rows, columns);
  const int64_t count = k < 0 ? std::min(rows + k, columns) : std::min(rows, columns - k);
  Sizes lines = a.sizes(), result = a.sizes();
  lines[0] = rows * columns;
  lines[1] = 1;
  result[0] = count;
  result[1] = 1;
  if (count == 0) return Reshape(Slice(Reshape(a, lines), 0, 0, 0), result);
  return Slice(Reshape(a, lines), 0, k < 0 ? -k : k * rows, count, rows + 1);
}

// Each element followed by a column of zeros, as many columns as there are elements.
DlArray DiagonalMatrix(const DlArray& v) {
  const DlArray column = AsMatrix("DiagonalMatrix", v);
  if (column.size(1) != 1) {
    throw Error("dlarray:SizeMismatch", "DiagonalMatrix expects a column.",
                absl::StrCat("A ", ToString(v.spec()), " came."),
                "Give n x 1, or transpose a row.");
  }
  const int64_t n = column.size(0);
  Sizes row = column.sizes(), square = column.sizes();
  row[0] = 1;
  row[1] = square[0] = square[1] = n;
  const DlArray zeros = BroadcastTo(Cast(DlArray(0.0), v.type()), ArraySpec{v.type(), square, {}});
  Sizes line = column.sizes();
  line[0] = n * (n + 1);
  return Reshape(Slice(Reshape(Cat(0, {Reshape(column, row), zeros}), line), 0, 0, n * n), square);
}

DlArray Trace(const DlArray& a) { return NumbersOf(Sum(Diagonal(AsMatrix("Trace", a)), {0, 1})); }

DlArray Eye(int64_t n, DataType type) { return Identity(n, type); }
DlArray EyeLike(const DlArray& a) { return OnDeviceOf(a, Identity(a.size(1), a.type())); }

// Index (row of b, row of a, column of b, column of a): the rows and columns of b are faster.
DlArray Kron(const DlArray& a, const DlArray& b) {
  const DlArray x = AsMatrix("Kron", a), y = AsMatrix("Kron", b);
  Sizes of_x{1, x.size(0), 1, x.size(1)}, of_y{y.size(0), 1, y.size(1), 1};
  for (int d = 2; d < x.rank(); ++d) of_x.push_back(x.size(d));
  for (int d = 2; d < y.rank(); ++d) of_y.push_back(y.size(d));
  const DlArray products = Reshape(x, of_x) * Reshape(y, of_y);
  Sizes sizes{x.size(0) * y.size(0), x.size(1) * y.size(1)};
  for (int d = 4; d < products.rank(); ++d) sizes.push_back(products.size(d));
  return Reshape(products, sizes);
}

DlArray Dot(const DlArray& x, const DlArray& y, const DimSet& dims) {
  if (x.sizes() != y.sizes()) {
    throw Error("dlarray:SizeMismatch", "Dot expects arrays of equal sizes.",
                absl::StrCat("A ", ToString(x.spec()), " and a ", ToString(y.spec()), " came."),
                "Make the sizes agree, or use MatMul.");
  }
  return Sum(Conj(x) * y, dims);
}

DlArray Norm(const DlArray& x, double p, const DimSet& dims) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (p != 1 && p != 2 && p != kInfinity) {
    throw Error("ops:InvalidNorm", "Norm knows p = 1, 2 and infinity.",
                absl::StrCat("p = ", p, " came."), "Compose other norms of Abs, Power and Sum.");
  }
  const DlArray a = Floating(x);
  if (p == 1 || a.numel() == 0) return Sum(Abs(a), dims);
  if (p == kInfinity) {
    const DlArray magnitudes = Abs(a);
    // MaxOver passes NaN over.
    return Where(Any(IsNan(magnitudes), dims), std::numeric_limits<double>::quiet_NaN(),
                 MaxOver(magnitudes, dims));
  }
  const DlArray sum =
      Sum(IsComplex(a.type()) ? Square(Real(a)) + Square(Imag(a)) : Square(a), dims);
  // The root has no derivative at 0: it is not taken there.
  const DlArray is_zero = Equal(sum, 0);
  return Where(is_zero, 0, Sqrt(Where(is_zero, 1, sum)));
}

}  // namespace lamina
