// Fft and Ifft: values against those of NumPy (testdata/record_numpy_fft.py) and against the sum
// itself, derivatives against numeric ones.
#include "framework/ops/spectral.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Number = std::complex<double>;

const Json& Recorded() {
  static const Json* const kAll = [] {
    const auto text = ReadFile(RunfilePath("framework/ops/testdata/numpy_fft.json"));
    LAMINA_CHECK(text.ok());
    auto json = ParseJson(*text);
    LAMINA_CHECK(json.ok());
    return new Json(*std::move(json));
  }();
  return *kAll;
}

DlArray ToArray(const Json& values, const Sizes& sizes, bool is_complex) {
  const std::vector<double> v = values;
  if (!is_complex) return DlArray::FromVector<double>(v, sizes);
  std::vector<Number> numbers;
  for (size_t i = 0; i < v.size(); i += 2) numbers.emplace_back(v[i], v[i + 1]);
  return DlArray::FromVector<Number>(numbers, sizes);
}

void ExpectNear(const DlArray& actual, const DlArray& expected, double tolerance) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  for (int64_t i = 0; i < expected.numel(); ++i) {
    EXPECT_LE(std::abs(actual.ComplexAt(i) - expected.ComplexAt(i)), tolerance) << "element " << i;
  }
}

TEST(SpectralTest, GivesTheValuesOfNumPy) {
  int cases = 0;
  for (const auto& [name, recorded] : Recorded().items()) {
    if (name == "numpy") continue;
    SCOPED_TRACE(name);
    ++cases;
    const std::vector<int64_t> recorded_sizes = recorded["sizes"];
    const Sizes sizes(recorded_sizes.begin(), recorded_sizes.end());
    const std::vector<int> dims = recorded["axes"];
    const DlArray x = ToArray(recorded["x"], sizes, recorded["complex"]);
    const DlArray fft = ToArray(recorded["fft"], sizes, true);
    const DlArray ifft = ToArray(recorded["ifft"], sizes, true);
    EXPECT_EQ(Fft(x, dims).type(), DataType::kComplexDouble);
    ExpectNear(Fft(x, dims), fft, 1e-13);
    ExpectNear(Ifft(x, dims), ifft, 1e-14);
    const DlArray single =
        Cast(x, IsComplex(x.type()) ? DataType::kComplexSingle : DataType::kSingle);
    EXPECT_EQ(Fft(single, dims).type(), DataType::kComplexSingle);
    ExpectNear(Fft(single, dims), fft, 2e-5);
    ExpectNear(Ifft(single, dims), ifft, 1e-6);
  }
  EXPECT_EQ(cases, 12);
}

// The slow version: the sum, element by element.
TEST(SpectralTest, IsTheSumAlongItsDim) {
  const DlArray x = RandomInput({3, 5, 2}, "SCB");
  const DlArray expected = ArrayOf(DataType::kComplexDouble, x.sizes(), "SCB", [&](Sizes k) {
    Number sum = 0;
    for (int64_t j = 0; j < 5; ++j) {
      const double angle = -2 * std::numbers::pi * static_cast<double>(j * k[1]) / 5;
      sum += ElementAt(x, {k[0], j, k[2]}) * std::polar(1.0, angle);
    }
    return sum;
  });
  const DlArray y = Fft(x, 'C');
  EXPECT_EQ(y.spec(), expected.spec());
  ExpectNear(y, expected, 1e-14);
}

TEST(SpectralTest, ALabelMeansAllItsDims) {
  const DlArray x = RandomInput({4, 6, 2, 3}, "SSCB");
  EXPECT_TRUE(IsEqual(Fft(x, "S"), Fft(Fft(x, 0), 1)));
  EXPECT_EQ(ToString(Fft(x, "S").spec()), "4(S) x 6(S) x 2(C) x 3(B) complex double DlArray");
}

TEST(SpectralTest, TheInverseBringsTheArrayBack) {
  for (const int64_t n : {1, 2, 12, 17, 101}) {
    const DlArray x = RandomInput({n, 3}, "TC", -1, 1, 1, DataType::kComplexDouble);
    ExpectNear(Ifft(Fft(x, 'T'), 'T'), x, 1e-14);
    ExpectNear(Fft(Ifft(x, 'T'), 'T'), x, 1e-14);
  }
}

// Source: A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing, section 8.6: a circular
// shift multiplies coefficient k by exp(-2 pi i k shift / n).
TEST(SpectralTest, AShiftTurnsTheCoefficients) {
  const DlArray x = RandomInput({8});
  const DlArray shifted = Cat(0, {Slice(x, 0, 6, 2), Slice(x, 0, 0, 6)});  // by 2
  const DlArray turns = ArrayOf(DataType::kComplexDouble, {8}, "", [](const Sizes& k) {
    return std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(2 * k[0]) / 8);
  });
  ExpectNear(Fft(shifted, 0), turns * Fft(x, 0), 1e-14);
}

TEST(SpectralTest, IntegersAndLogicalAreTakenAsSingle) {
  const DlArray x = Numbered({4}, "", DataType::kInt32);
  EXPECT_TRUE(IsEqual(Fft(x, 0), Fft(Single(x), 0)));
  EXPECT_TRUE(IsEqual(Ifft(x > 1, 0), Ifft(Single(x > 1), 0)));
}

TEST(SpectralTest, EmptyArraysStayEmpty) {
  const DlArray x = DlArray::FromVector<double>({}, {0, 3});
  for (const int dim : {0, 1}) {
    EXPECT_EQ(ToString(Fft(x, dim).spec()), "0 x 3 complex double DlArray");
    EXPECT_EQ(ToString(Ifft(x, dim).spec()), "0 x 3 complex double DlArray");
  }
}

TEST(SpectralTest, DerivativesAreTheNumericOnes) {
  for (const DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const DlArray x = RandomInput({4, 3, 2}, "SCB", -1, 1, 1, type);
    for (const char* labels : {"S", "C", "SC", "SCB"}) {
      EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return Fft(in[0], labels); }, {x}));
      EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return Ifft(in[0], labels); }, {x}));
    }
    // Second derivatives that are not zero.
    EXPECT_TRUE(GradientsAgree(
        [](const DlArrays& in) {
          const DlArray y = Fft(in[0], 'S');
          return Ifft(y * y * Abs(y), 'S');
        },
        {x}));
  }
}

// L = |y_1|^2 of y = Fft(x), for real x: dL/dx_j = 2 Re(conj(y_1) exp(-2 pi i j / n)).
TEST(SpectralTest, TheDerivativeOfARealArrayIsReal) {
  const DlArray x = RandomInput({5});
  const DlArray gradient = DlFeval(
      [](const DlArray& w) {
        const DlArray y = Abs(Slice(Fft(w, 0), 0, 1, 1));
        return DlGradient(Sum(y * y), w);
      },
      x);
  ASSERT_EQ(gradient.spec(), x.spec());
  const Number y1 = Fft(x, 0).ComplexAt(1);
  for (int64_t j = 0; j < 5; ++j) {
    const Number turn = std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(j) / 5);
    EXPECT_NEAR(gradient.At(j), 2 * (std::conj(y1) * turn).real(), 1e-13);
  }
}

TEST(SpectralTest, RefusesWhatIsNoDim) {
  const DlArray x = Numbered({4, 3}, "CB");
  EXPECT_EQ(IdentifierOf([&] { Fft(x, 'T'); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { Ifft(x, 'T'); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { Fft(x, 2); }), "dlarray:DimOutOfRange");
}

TEST(SpectralTest, RefusesWhatIsTooLong) {
  const AbstractRun scope;
  const DlArray x = AbstractArray({DataType::kSingle, {(1 << 28) + 1}, {}});
  EXPECT_EQ(MessageOf([&] { Fft(x, 0); }),
            "A Fourier transform is at most 268435456 long. Dim 0 of a 268435457 complex single "
            "DlArray came. Transform shorter pieces. [ops:TransformLength]");
}

}  // namespace
}  // namespace lamina
