// Functions of matrices: values against those of NumPy and SciPy
// (testdata/record_scipy_linear_algebra.py) and what they must solve, derivatives against numeric
// ones.
#include "framework/ops/linear_algebra.h"

#include <cmath>
#include <complex>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Number = std::complex<double>;
using Function = std::function<DlArrays(const DlArrays&)>;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr DataType kFloatingTypes[] = {DataType::kSingle, DataType::kDouble,
                                       DataType::kComplexSingle, DataType::kComplexDouble};

double RoundingOf(const DlArray& x) {
  return ToReal(x.type()) == DataType::kSingle ? 0x1p-24 : 0x1p-53;
}
double Largest(const DlArray& x) {
  double largest = 0;
  for (int64_t i = 0; i < x.numel(); ++i) largest = std::max(largest, std::abs(x.ComplexAt(i)));
  return largest;
}
void ExpectNear(const DlArray& came, const DlArray& expected, double tolerance) {
  ASSERT_EQ(came.sizes(), expected.sizes());
  for (int64_t i = 0; i < expected.numel(); ++i) {
    EXPECT_LE(std::abs(came.ComplexAt(i) - expected.ComplexAt(i)), tolerance) << "element " << i;
  }
}
DlArray Adjoint(const DlArray& x) { return Conj(Transpose(x)); }

// Well away from singular ones.
DlArray Regular(int64_t n, const Sizes& pages, DataType type, uint64_t seed) {
  Sizes sizes{n, n};
  sizes.insert(sizes.end(), pages.begin(), pages.end());
  return RandomInput(sizes, "", -1, 1, seed, type) + Eye(n, type) * static_cast<double>(n);
}

// --- Recorded values.

const Json& Recorded() {
  static const Json* const kAll = [] {
    const auto text = ReadFile(RunfilePath("framework/ops/testdata/scipy_linear_algebra.json"));
    LAMINA_CHECK(text.ok());
    auto json = ParseJson(*text);
    LAMINA_CHECK(json.ok());
    return new Json(*std::move(json));
  }();
  return *kAll;
}

DlArray ToArray(const Json& a) {
  const std::vector<int64_t> sizes = a["sizes"];
  const Sizes dims(sizes.begin(), sizes.end());
  const std::vector<double> v = a["values"];
  if (!a["complex"].get<bool>()) return DlArray::FromVector<double>(v, dims);
  return DlArray::FromBytes(DataType::kComplexDouble, v.data(), v.size() / 2, dims);
}

std::map<std::string, Function> RecordedFunctions() {
  std::map<std::string, Function> f;
  const auto one = [&f](const std::string& name, std::function<DlArray(const DlArrays&)> function) {
    f[name] = [function](const DlArrays& x) { return DlArrays{function(x)}; };
  };
  one("solve", [](const DlArrays& x) { return Solve(x[0], x[1]); });
  one("inverse", [](const DlArrays& x) { return Inverse(x[0]); });
  one("determinant", [](const DlArrays& x) { return Determinant(x[0]); });
  f["logdeterminant"] = [](const DlArrays& x) {
    const LogDeterminantResult r = LogDeterminant(x[0]);
    return DlArrays{r.sign, r.log_magnitude};
  };
  one("pages", [](const DlArrays& x) { return Solve(x[0], x[1]); });
  one("cholesky", [](const DlArrays& x) { return Cholesky(x[0]); });
  for (const bool lower : {true, false}) {
    for (const bool transposed : {true, false}) {
      one(std::string("triangular ") + (lower ? "lower" : "upper") +
              (transposed ? " transposed" : ""),
          [=](const DlArrays& x) {
            return TriangularSolve(x[0], x[1], lower ? Triangle::kLower : Triangle::kUpper,
                                   transposed);
          });
    }
  }
  one("kron", [](const DlArrays& x) { return Kron(x[0], x[1]); });
  one("trace", [](const DlArrays& x) { return Trace(x[0]); });
  f["norms"] = [](const DlArrays& x) {
    return DlArrays{Norm(x[0], 1),    Norm(x[0]),       Norm(x[0], kInf),
                    Norm(x[0], 1, 0), Norm(x[0], 2, 0), Norm(x[0], kInf, 1)};
  };
  one("dot", [](const DlArrays& x) { return Dot(x[0], x[1]); });
  for (const int k : {-2, -1, 0, 1, 3}) {
    f["triangles " + std::to_string(k)] = [k](const DlArrays& x) {
      return DlArrays{LowerTriangle(x[0], k), UpperTriangle(x[0], k)};
    };
  }
  return f;
}

TEST(LinearAlgebraTest, GivesTheValuesOfNumPyAndSciPy) {
  const std::map<std::string, Function> functions = RecordedFunctions();
  size_t count = 0;
  for (const auto& [name, recorded] : Recorded()["cases"].items()) {
    ++count;
    const bool is_complex = name.rfind("complex ", 0) == 0;
    const auto f = functions.find(is_complex ? name.substr(8) : name);
    ASSERT_NE(f, functions.end()) << name;
    for (const bool in_double : {true, false}) {
      SCOPED_TRACE(name + (in_double ? " in double" : " in single"));
      const auto typed = [&](const DlArray& x) {
        const DataType real = in_double ? DataType::kDouble : DataType::kSingle;
        return Cast(x, IsComplex(x.type()) ? ToComplex(real) : real);
      };
      DlArrays inputs;
      for (const Json& x : recorded["inputs"]) inputs.push_back(typed(ToArray(x)));
      const DlArrays came = f->second(inputs);
      ASSERT_EQ(came.size(), recorded["outputs"].size());
      for (size_t k = 0; k < came.size(); ++k) {
        const DlArray expected = ToArray(recorded["outputs"][k]);
        EXPECT_EQ(came[k].type(), typed(expected).type());
        // These matrices have condition numbers below 100.
        ExpectNear(came[k], expected, 200 * RoundingOf(came[k]) * std::max(1.0, Largest(expected)));
      }
    }
  }
  EXPECT_EQ(count, 2 * functions.size());
}

// --- Solving.

TEST(LinearAlgebraTest, SolvesPages) {
  const std::pair<Sizes, Sizes> kPages[] = {
      {{}, {}}, {{2}, {2}}, {{}, {3}}, {{3}, {}}, {{2, 1}, {1, 3}}, {{1, 3}, {2}}, {{1}, {2, 3}}};
  for (DataType type : kFloatingTypes) {
    for (const auto& [pages_a, pages_b] : kPages) {
      const DlArray a = Regular(4, pages_a, type, 1);
      Sizes sizes{4, 3};
      sizes.insert(sizes.end(), pages_b.begin(), pages_b.end());
      const DlArray b = RandomInput(sizes, "", -1, 1, 2, type);
      SCOPED_TRACE(ToString(a.spec()) + " and " + ToString(b.spec()));
      const double bound = 3 * 4 * 4 * 8 * RoundingOf(a);
      const auto is_right = [&](const DlArray& product, const DlArray& x) {
        ASSERT_EQ(x.type(), type);
        ASSERT_EQ(x.sizes(), MatMul(a, b).sizes());
        ExpectNear(product, BroadcastTo(b, x.spec()), bound * Largest(x));
      };
      const DlArray x = Solve(a, b);
      is_right(MatMul(a, x), x);
      const DlArray lower = TriangularSolve(a, b);
      is_right(MatMul(LowerTriangle(a), lower), lower);
      const DlArray upper = TriangularSolve(a, b, Triangle::kUpper, true);
      is_right(MatMul(UpperTriangle(a), upper, true), upper);
    }
  }
}

TEST(LinearAlgebraTest, VectorsAreColumnsAndScalarsAreMatrices) {
  const DlArray a = Regular(3, {}, DataType::kDouble, 1), v = RandomInput({3});
  EXPECT_EQ(Solve(a, v).sizes(), (Sizes{3, 1}));
  EXPECT_TRUE(IsEqual(Solve(a, v), Solve(a, Reshape(v, {3, 1}))));
  EXPECT_TRUE(IsEqual(Solve(DlArray(4.0), DlArray(2.0)), Reshape(DlArray(0.5), {1, 1})));
  EXPECT_TRUE(IsEqual(Determinant(DlArray(4.0)), DlArray(4.0)));
  EXPECT_TRUE(IsEqual(Trace(DlArray(4.0)), DlArray(4.0)));
}

TEST(LinearAlgebraTest, PromotesTypes) {
  const DlArray i = Cast(Eye(2), DataType::kInt32);
  EXPECT_EQ(Solve(i, i).type(), DataType::kSingle);
  EXPECT_EQ(Cholesky(Equal(i, 1)).type(), DataType::kSingle);
  EXPECT_EQ(Determinant(i).type(), DataType::kSingle);
  EXPECT_EQ(Norm(i).type(), DataType::kSingle);
  EXPECT_EQ(Solve(Eye(2), Eye(2, DataType::kDouble)).type(), DataType::kSingle);
  EXPECT_EQ(TriangularSolve(Eye(2), Eye(2, DataType::kComplexDouble)).type(),
            DataType::kComplexSingle);
  // These keep them.
  EXPECT_EQ(LowerTriangle(i).type(), DataType::kInt32);
  EXPECT_EQ(DiagonalMatrix(Diagonal(i)).type(), DataType::kInt32);
  EXPECT_TRUE(IsEqual(DiagonalMatrix(Diagonal(i)), i));
}

TEST(LinearAlgebraTest, OfNoElements) {
  const DlArray none = Zeros({0, 0}), pages = Zeros({0, 0, 2});
  EXPECT_EQ(Solve(none, Zeros({0, 3})).sizes(), (Sizes{0, 3}));
  EXPECT_EQ(Solve(Eye(2), Zeros({2, 0})).sizes(), (Sizes{2, 0}));
  EXPECT_EQ(Solve(Eye(2), Zeros({2, 3, 0})).sizes(), (Sizes{2, 3, 0}));
  EXPECT_EQ(Solve(none, Zeros({0, 3, 2})).sizes(), (Sizes{0, 3, 2}));
  EXPECT_EQ(Solve(Zeros({2, 2, 0}), Zeros({2, 3})).sizes(), (Sizes{2, 3, 0}));
  EXPECT_EQ(Inverse(none).sizes(), (Sizes{0, 0}));
  EXPECT_EQ(Cholesky(pages).sizes(), (Sizes{0, 0, 2}));
  EXPECT_TRUE(IsEqual(Determinant(none), DlArray(1.0f)));
  EXPECT_EQ(Determinant(pages).ToVector<float>(), (std::vector<float>{1, 1}));
  EXPECT_TRUE(IsEqual(LogDeterminant(none).log_magnitude, DlArray(0.0f)));
  EXPECT_TRUE(IsEqual(Trace(none), DlArray(0.0f)));
  EXPECT_EQ(Diagonal(Zeros({0, 3})).sizes(), (Sizes{0, 1}));
  EXPECT_EQ(DiagonalMatrix(Zeros({0})).sizes(), (Sizes{0, 0}));
  EXPECT_EQ(LowerTriangle(Zeros({0, 3})).sizes(), (Sizes{0, 3}));
  EXPECT_EQ(LowerTriangle(Zeros({3, 0})).sizes(), (Sizes{3, 0}));
  EXPECT_EQ(Kron(none, Eye(2)).sizes(), (Sizes{0, 0}));
  EXPECT_TRUE(IsEqual(Dot(Zeros({0}), Zeros({0})), DlArray(0.0f)));
  for (const double p : {1.0, 2.0, kInf}) {
    EXPECT_TRUE(IsEqual(Norm(none, p), DlArray(0.0f))) << p;
  }
  EXPECT_EQ(Eye(0).sizes(), (Sizes{0, 0}));
}

TEST(LinearAlgebraTest, WhatHasNoResultGivesInfinityOrNan) {
  for (DataType type : kFloatingTypes) {
    // The second page has a solution.
    const DlArray singular =
        Cast(DlArray::FromVector<double>({1, 2, 2, 4, 1, 0, 0, 1}, {2, 2, 2}), type);
    const DlArray b = Cast(DlArray::FromVector<double>({1, 1}, {2}), type);
    const DlArray x = Solve(singular, b);
    EXPECT_FALSE(std::isfinite(std::abs(x.ComplexAt(0))) &&
                 std::isfinite(std::abs(x.ComplexAt(1))));
    EXPECT_EQ(x.ComplexAt(2), Number(1));
    EXPECT_EQ(Determinant(singular).ComplexAt(0), Number(0));
    const LogDeterminantResult log = LogDeterminant(singular);
    EXPECT_EQ(log.sign.ComplexAt(0), Number(0));
    EXPECT_EQ(log.log_magnitude.At(0), -kInf);
    EXPECT_EQ(log.log_magnitude.At(1), 0);
    // Indefinite, then the identity.
    const DlArray l =
        Cholesky(Cast(DlArray::FromVector<double>({1, 2, 2, 1, 1, 0, 0, 1}, {2, 2, 2}), type));
    for (const int i : {0, 1, 3}) EXPECT_TRUE(std::isnan(l.ComplexAt(i).real()));
    EXPECT_EQ(l.ComplexAt(2), Number(0));
    for (const int i : {4, 5, 6, 7}) EXPECT_EQ(l.ComplexAt(i), Number(i == 4 || i == 7));
    EXPECT_EQ(TriangularSolve(Cast(DlArray::FromVector<double>({0, 1, 0, 1}, {2, 2}), type), b)
                  .ComplexAt(0)
                  .real(),
              kInf);
  }
}

TEST(LinearAlgebraTest, LogDeterminantDoesNotOverflow) {
  const DlArray a = Eye(300) * 1e30;
  EXPECT_EQ(Determinant(a).Scalar(), kInf);
  EXPECT_NEAR(LogDeterminant(a).log_magnitude.Scalar(), 300 * std::log(1e30), 0.01);
  EXPECT_EQ(LogDeterminant(a).sign.Scalar(), 1);
}

TEST(LinearAlgebraTest, CholeskyTakesTheHermitianPart) {
  for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const DlArray g = Regular(4, {2}, type, 3);
    const DlArray a = MatMul(g, g, false, true);
    // What is added has no Hermitian part.
    const DlArray skew = RandomInput({4, 4, 2}, "", -1, 1, 5, type);
    const DlArray l = Cholesky(a + (skew - Adjoint(skew)));
    ExpectNear(l, Cholesky(a), 1e-13);
    ExpectNear(MatMul(l, l, false, true), a, 1e-12);
    EXPECT_TRUE(IsEqual(LowerTriangle(l), l));
  }
}

// --- Diagonals, triangles, products.

TEST(LinearAlgebraTest, DiagonalsAndTriangles) {
  for (const Sizes& sizes : {Sizes{3, 3}, Sizes{2, 4}, Sizes{4, 2}, Sizes{3, 4, 2}, Sizes{3}}) {
    const DlArray a = Numbered(sizes, "", DataType::kComplexSingle);
    for (const int64_t k : {int64_t{-9}, int64_t{-3}, int64_t{-1}, int64_t{0}, int64_t{1},
                            int64_t{3}, int64_t{9}, INT64_MAX, INT64_MIN}) {
      SCOPED_TRACE(ToString(a.spec()) + ", k = " + std::to_string(k));
      const DlArray lower = LowerTriangle(a, k), upper = UpperTriangle(a, k);
      std::vector<Number> diagonal;
      Sizes matrices = sizes;
      if (sizes.size() == 1) matrices.push_back(1);
      ForEachIndex(matrices, [&](const Sizes& i) {
        const Number v = ElementAt(a, i);
        EXPECT_EQ(ElementAt(lower, i), i[1] - i[0] <= k ? v : 0);
        EXPECT_EQ(ElementAt(upper, i), i[1] - i[0] >= k ? v : 0);
        if (i[1] - i[0] == k) diagonal.push_back(v);
      });
      const DlArray d = Diagonal(a, k);
      ASSERT_EQ(d.numel(), static_cast<int64_t>(diagonal.size()));
      EXPECT_EQ(d.size(1), 1);
      for (int64_t i = 0; i < d.numel(); ++i) EXPECT_EQ(d.ComplexAt(i), diagonal[i]);
    }
  }
}

TEST(LinearAlgebraTest, DiagonalMatrixAndIdentity) {
  const DlArray v = Numbered({3, 1, 2}) + 1;
  const DlArray d = DiagonalMatrix(v);
  ASSERT_EQ(d.sizes(), (Sizes{3, 3, 2}));
  ForEachIndex(d.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(d, i), i[0] == i[1] ? ElementAt(v, {i[0], 0, i[2]}) : 0);
  });
  for (DataType type : kAllTypes) {
    const DlArray i = Eye(3, type);
    EXPECT_TRUE(IsEqual(i, DiagonalMatrix(Cast(Ones({3}), type)))) << Name(type);
    EXPECT_TRUE(IsEqual(EyeLike(Numbered({2, 3, 4}, "", type)), i)) << Name(type);
  }
  EXPECT_EQ(IdentifierOf([] { Eye(-1); }), "dlarray:InvalidSize");
}

TEST(LinearAlgebraTest, TraceAndDeterminantOfPages) {
  const DlArray a = RandomInput({3, 3, 2, 4});
  for (const DlArray& y : {Trace(a), Determinant(a), LogDeterminant(a).sign}) {
    EXPECT_EQ(y.sizes(), (Sizes{1, 1, 2, 4}));
  }
  for (const int k : {0, 1}) {
    const DlArray page = Reshape(Slice(Slice(a, 2, k, 1), 3, 2, 1), {3, 3});
    EXPECT_EQ(Determinant(page).Scalar(), Determinant(a).At(4 + k));
    EXPECT_EQ(Trace(page).Scalar(), Trace(a).At(4 + k));
  }
}

TEST(LinearAlgebraTest, KronOfPages) {
  const DlArray a = RandomInput({2, 3, 2}), b = RandomInput({4, 1, 1}, "", -1, 1, 2);
  const DlArray y = Kron(a, b);
  ASSERT_EQ(y.sizes(), (Sizes{8, 3, 2}));
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i),
              ElementAt(a, {i[0] / 4, i[1], i[2]}) * ElementAt(b, {i[0] % 4, 0, 0}));
  });
}

TEST(LinearAlgebraTest, NormsAlongLabelsAndOfNaN) {
  const DlArray x = RandomInput({3, 4}, "CB");
  EXPECT_EQ(ToString(Norm(x, 2, "C").spec()), "1(C) x 4(B) double DlArray");
  EXPECT_EQ(ToString(Dot(x, x, "B").spec()), "3(C) x 1(B) double DlArray");
  const DlArray nan = DlArray::FromVector<double>({1, NAN, 3}, {3});
  for (const double p : {1.0, 2.0, kInf}) EXPECT_TRUE(std::isnan(Norm(nan, p).Scalar())) << p;
  EXPECT_EQ(Norm(DlArray::FromVector<double>({1, -kInf}, {2}), kInf).Scalar(), kInf);
}

TEST(LinearAlgebraTest, NormsHaveDerivativeZeroAtZero) {
  for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    for (const double p : {1.0, 2.0, kInf}) {
      const DlArrays gradients = DlFeval(
          [&](const DlArrays& x) {
            const DlArrays first =
                DlGradient(Norm(x[0], p), x, {.enable_higher_derivatives = true});
            DlArrays second = DlGradient(Sum(Real(first[0])) + Sum(Imag(first[0])), x);
            second.push_back(first[0]);
            return second;
          },
          DlArrays{Cast(Zeros({3}), type)});
      for (const DlArray& g : gradients) {
        for (int64_t i = 0; i < 3; ++i) EXPECT_EQ(g.ComplexAt(i), Number(0)) << p;
      }
    }
  }
}

// --- Derivatives.

TEST(LinearAlgebraTest, GradientsOfSolving) {
  const std::pair<Sizes, Sizes> kPages[] = {{{}, {}}, {{2}, {2}}, {{}, {2}}, {{2, 1}, {1, 2}}};
  const DataType kTypes[][2] = {{DataType::kDouble, DataType::kDouble},
                                {DataType::kComplexDouble, DataType::kComplexDouble},
                                {DataType::kDouble, DataType::kComplexDouble}};
  for (const auto& [type_a, type_b] : kTypes) {
    for (const auto& [pages_a, pages_b] : kPages) {
      const DlArray a = Regular(3, pages_a, type_a, 1);
      Sizes sizes{3, 2};
      sizes.insert(sizes.end(), pages_b.begin(), pages_b.end());
      const DlArray b = RandomInput(sizes, "", -1, 1, 2, type_b);
      SCOPED_TRACE(ToString(a.spec()) + " and " + ToString(b.spec()));
      const GradientCheckOptions options{.max_elements = 8};
      EXPECT_TRUE(
          GradientsAgree([](const DlArrays& x) { return Solve(x[0], x[1]); }, {a, b}, options));
      for (const bool transposed : {false, true}) {
        for (const Triangle triangle : {Triangle::kLower, Triangle::kUpper}) {
          EXPECT_TRUE(GradientsAgree(
              [=](const DlArrays& x) { return TriangularSolve(x[0], x[1], triangle, transposed); },
              {a, b}, options))
              << transposed;
        }
      }
    }
  }
}

TEST(LinearAlgebraTest, GradientsOfFactors) {
  for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    for (const Sizes& pages : {Sizes{}, Sizes{2}}) {
      // Of pivots that are not on the diagonal, too.
      const DlArray a = RandomInput({3, 3}, "", 0.2, 1, 7, type) * 2 + Regular(3, pages, type, 2) -
                        2 * Flip(Eye(3, type), 0);
      const auto check = [&](const char* name, const std::function<DlArray(const DlArray&)>& f,
                             const DlArray& x) {
        EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return f(in[0]); }, {x}))
            << name << " of a " << ToString(x.spec());
      };
      check("inverse", Inverse, a);
      check("determinant", Determinant, a);
      check(
          "sign", [](const DlArray& x) { return LogDeterminant(x).sign * Determinant(x); }, a);
      check(
          "logarithm", [](const DlArray& x) { return LogDeterminant(x).log_magnitude; }, a);
      check("cholesky", Cholesky, MatMul(a, a, false, true) + 0.1 * RandomInput({3, 3}));
    }
  }
}

TEST(LinearAlgebraTest, GradientsOfTheOthers) {
  for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const DlArray a = RandomInput({3, 4, 2}, "", -1, 1, 1, type),
                  b = RandomInput({2, 3}, "", -1, 1, 2, type),
                  v = RandomInput({3, 1, 2}, "", -1, 1, 3, type);
    const auto check = [](const char* name, const std::function<DlArray(const DlArrays&)>& f,
                          const DlArrays& x) { EXPECT_TRUE(GradientsAgree(f, x)) << name; };
    check("lower", [](const DlArrays& x) { return LowerTriangle(Square(x[0]), -1); }, {a});
    check("upper", [](const DlArrays& x) { return UpperTriangle(Square(x[0]), 1); }, {a});
    check("diagonal", [](const DlArrays& x) { return Square(Diagonal(x[0], 1)); }, {a});
    check("diagonal matrix", [](const DlArrays& x) { return Square(DiagonalMatrix(x[0])); }, {v});
    check("trace", [](const DlArrays& x) { return Square(Trace(x[0])); }, {a});
    check("kron", [](const DlArrays& x) { return Kron(x[0], x[1]); }, {a, b});
    check("dot", [](const DlArrays& x) { return Dot(x[0], x[1], 0); }, {a, Square(a)});
    // Away from 0, of both signs.
    const DlArray large = RandomInput({3, 4, 2}, "", 0.3, 1, 4, type) *
                          (1 - 2 * Mod(Numbered({3, 4, 2}, "", DataType::kDouble), 2));
    for (const double p : {1.0, 2.0, kInf}) {
      check("norm", [p](const DlArrays& x) { return Norm(x[0], p, {0, 1}); }, {large});
    }
  }
}

// --- Errors.

TEST(LinearAlgebraTest, TellsWhatDoesNotFit) {
  const DlArray square = Numbered({2, 2}), wide = Numbered({2, 3});
  EXPECT_EQ(MessageOf([&] { Solve(wide, wide); }),
            "Solve expects square matrices. A 2 x 3 single DlArray came. Give as many rows as "
            "columns. [dlarray:SizeMismatch]");
  EXPECT_EQ(MessageOf([&] {
              Solve(square, Numbered({3, 2}));
            }),
            "Solve expects as many rows on the right side as the matrix has. A 2 x 2 single "
            "DlArray and a 3 x 2 single DlArray came. 3 is not 2. Check the order of the "
            "arguments, or transpose the right side. [dlarray:SizeMismatch]");
  EXPECT_EQ(MessageOf([&] {
              TriangularSolve(Numbered({2, 2, 3}), Numbered({2, 2, 4}));
            }),
            "TriangularSolve of pages expects dims beyond the second that are equal or 1. A 2 x 2 "
            "x 3 single DlArray and a 2 x 2 x 4 single DlArray came. Dim 2 is 3 in one and 4 in "
            "the other. Make the pages agree. [dlarray:SizeMismatch]");
  EXPECT_EQ(MessageOf([&] {
              Cholesky(Numbered({2, 2}, "CB"));
            }),
            "Cholesky expects arrays without labels: rows and columns are meant by position. A "
            "2(C) x 2(B) single DlArray came. Use StripDims. [dlarray:FormatMismatch]");
  EXPECT_EQ(MessageOf([&] { Norm(square, 3); }),
            "Norm knows p = 1, 2 and infinity. p = 3 came. Compose other norms of Abs, Power and "
            "Sum. [ops:InvalidNorm]");
  for (const auto& f : std::vector<std::function<void()>>{
           [&] { Inverse(wide); }, [&] { Determinant(wide); }, [&] { LogDeterminant(wide); },
           [&] { Cholesky(wide); }, [&] { TriangularSolve(wide, wide); },
           [&] { TriangularSolve(square, Numbered({3})); }, [&] { DiagonalMatrix(wide); },
           [&] { Dot(square, wide); },
           [&] {
             Kron(Numbered({2, 2, 2}), Numbered({2, 2, 3}));
           }}) {
    EXPECT_EQ(IdentifierOf(f), "dlarray:SizeMismatch");
  }
  const DlArray labelled = Numbered({2, 2}, "CB");
  for (const auto& f : std::vector<std::function<void()>>{
           [&] { Solve(square, labelled); }, [&] { Solve(labelled, square); },
           [&] { Inverse(labelled); }, [&] { Trace(labelled); }, [&] { Diagonal(labelled); },
           [&] { DiagonalMatrix(labelled); }, [&] { LowerTriangle(labelled); },
           [&] { Kron(labelled, square); }, [&] { TriangularSolve(square, labelled); }}) {
    EXPECT_EQ(IdentifierOf(f), "dlarray:FormatMismatch");
  }
}

}  // namespace
}  // namespace lamina
