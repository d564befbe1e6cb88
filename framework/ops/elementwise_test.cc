// Values against those that NumPy and SciPy gave (testdata/record_numpy.py); types and broadcasting
// against tables and index formulas.
#include "framework/ops/elementwise.h"

#include <cfloat>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "framework/cpu/scalar_function.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "framework/ops/testing/elementwise_table.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Complex128 = std::complex<double>;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(ElementwiseTableTest, HasEveryScalarFunction) {
  std::set<std::string> names = {"where"};
  for (const auto& [name, function] : UnaryFunctions()) names.insert(name);
  for (const auto& [name, function] : BinaryFunctions()) names.insert(name);
  for (int i = 0; i < cpu::kNumScalarFunctions; ++i) {
    const std::string name(cpu::Describe(static_cast<cpu::ScalarFunction>(i)).name);
    EXPECT_EQ(names.erase(name), 1u) << name;
  }
  EXPECT_TRUE(names.empty());
}

// --- Recorded values.

const Json& Recorded() {
  static const Json* const kAll = [] {
    const absl::StatusOr<std::string> text =
        ReadFile(RunfilePath("framework/ops/testdata/numpy.json"));
    LAMINA_CHECK(text.ok());
    absl::StatusOr<Json> json = ParseJson(*text);
    LAMINA_CHECK(json.ok());
    return new Json(*std::move(json));
  }();
  return *kAll;
}

std::vector<double> Numbers(const Json& list) {
  std::vector<double> numbers;
  for (const Json& v : list) {
    numbers.push_back(v.is_string() ? std::stod(v.get<std::string>()) : v.get<double>());
  }
  return numbers;
}

DlArray InputOf(const Json& list, DataType type) {
  const std::vector<double> v = Numbers(list);
  if (!IsComplex(type)) {
    return Cast(DlArray::FromVector(v, {static_cast<int64_t>(v.size())}), type);
  }
  const int64_t n = static_cast<int64_t>(v.size() / 2);
  return Cast(DlArray::FromBytes(DataType::kComplexDouble, v.data(), n, {n}), type);
}

// A real value within some units in the last place of what it should be, special values exactly.
testing::AssertionResult NearReal(double actual, double expected, bool single, double ulps) {
  const double largest = single ? FLT_MAX : DBL_MAX;
  const double unit = single ? 0x1p-24 : 0x1p-53, tiny = single ? 0x1p-149 : 0x1p-1074;
  bool good;
  if (std::isnan(expected)) {
    good = std::isnan(actual);
  } else if (std::abs(expected) > largest) {
    good = actual == std::copysign(kInf, expected);
  } else if (expected == 0) {
    good = actual == 0 && std::signbit(actual) == std::signbit(expected);
  } else {
    good = std::abs(actual - expected) <= ulps * (2 * unit * std::abs(expected) + tiny);
  }
  if (good) return testing::AssertionSuccess();
  return testing::AssertionFailure() << actual << " instead of " << expected;
}

// Compares f(inputs...) for every recorded function of a group; returns how many there were.
template <class Call>
int CompareRecorded(const std::string& group, DataType type, Call call) {
  const Json& data = Recorded()[group];
  DlArrays inputs;
  for (const Json& list : data["inputs"]) inputs.push_back(InputOf(list, type));
  const bool single = ToReal(type) == DataType::kSingle;
  int count = 0;
  for (const auto& [name, values] : data["functions"].items()) {
    const DlArray y = call(name, inputs);
    const std::vector<double> expected = Numbers(values);
    const bool complex = IsComplex(y.type());
    EXPECT_EQ(expected.size(), y.numel() * (complex ? 2u : 1u)) << name;
    for (int64_t i = 0; i < y.numel(); ++i) {
      std::string where = name + "(";
      for (const DlArray& x : inputs) where += ToString(DlArray(x.ComplexAt(i))) + " ";
      if (complex) {
        const Complex128 e(expected[2 * i], expected[2 * i + 1]), a = y.ComplexAt(i);
        EXPECT_LE(std::abs(a - e), 16 * (single ? 0x1p-24 : 0x1p-53) * std::abs(e))
            << where << a << " instead of " << e;
      } else {
        EXPECT_TRUE(NearReal(y.At(i), expected[i], single, 4)) << where << ") " << Name(type);
      }
    }
    ++count;
  }
  return count;
}

DlArray CallUnary(const std::string& name, const DlArrays& x) {
  return UnaryFunctions().at(name)(x[0]);
}
DlArray CallBinary(const std::string& name, const DlArrays& x) {
  return BinaryFunctions().at(name)(x[0], x[1]);
}

TEST(ElementwiseValueTest, RealFunctions) {
  for (DataType type : {DataType::kSingle, DataType::kDouble}) {
    // All but those of complex numbers.
    EXPECT_EQ(CompareRecorded("real", type, CallUnary) + 3,
              static_cast<int>(UnaryFunctions().size()));
  }
}

TEST(ElementwiseValueTest, RealFunctionsOfTwo) {
  for (DataType type : {DataType::kSingle, DataType::kDouble}) {
    // All but Complex.
    EXPECT_EQ(CompareRecorded("real pairs", type, CallBinary) + 1,
              static_cast<int>(BinaryFunctions().size()));
  }
}

TEST(ElementwiseValueTest, ComplexFunctions) {
  for (DataType type : {DataType::kComplexSingle, DataType::kComplexDouble}) {
    EXPECT_EQ(CompareRecorded("complex", type, CallUnary), 29);
    EXPECT_EQ(CompareRecorded("complex pairs", type, CallBinary), 7);
  }
}

TEST(ElementwiseValueTest, ComplexParts) {
  const DlArray re = DlArray::FromVector<double>({1, -2}, {2}, "C");
  const DlArray im = DlArray::FromVector<double>({3, 4}, {2}, "C");
  const DlArray z = Complex(re, im);
  EXPECT_EQ(z.type(), DataType::kComplexDouble);
  EXPECT_EQ(z.ToVector<Complex128>(), (std::vector<Complex128>{{1, 3}, {-2, 4}}));
  EXPECT_TRUE(IsEqual(Real(z), re));
  EXPECT_TRUE(IsEqual(Imag(z), im));
  EXPECT_TRUE(IsEqual(Conj(z), Complex(re, -im)));
  // Of real arrays.
  EXPECT_TRUE(Conj(re).SharesDataWith(re));
  EXPECT_TRUE(Real(re).SharesDataWith(re));
  EXPECT_EQ(Imag(re).ToVector<double>(), (std::vector<double>{0, 0}));
  EXPECT_EQ(Imag(DlArray::FromVector<double>({kNan, kInf}, {2})).ToVector<double>(),
            (std::vector<double>{0, 0}));
}

TEST(ElementwiseValueTest, WhereChooses) {
  const uint8_t bits[] = {1, 0, 1};
  const DlArray mask = DlArray::FromBytes(DataType::kLogical, bits, 3, {3}, "C");
  const DlArray x = DlArray::FromVector<float>({1, kNan, 3}, {3}, "C");
  EXPECT_EQ(Where(mask, x, -1).ToVector<float>(), (std::vector<float>{1, -1, 3}));
  EXPECT_EQ(Where(x, 1, 0).type(), DataType::kDouble);  // Any type may be the mask: not zero.
  EXPECT_EQ(Where(mask, x, Complex(0.0, 1.0)).type(), DataType::kComplexSingle);
  const DlArray labels = DlArray::FromVector<int64_t>({7, 8}, {2}, "B");
  const DlArray y = Where(mask, labels, DlArray::FromVector<int64_t>({-1}, {1}));
  EXPECT_EQ(y.type(), DataType::kInt64);
  EXPECT_EQ(Dims(y), "CB");
  EXPECT_EQ(y.ToVector<int64_t>(), (std::vector<int64_t>{7, -1, 7, 8, -1, 8}));
}

// --- Types.

DlArray One(DataType type) {
  return ArrayOf(type, {1}, "", [](const Sizes&) { return 1.0; });
}

TEST(ElementwiseTypeTest, ResultTypesFollowTheTable) {
  using enum DataType;
  struct Row {
    const char* name;
    DataType x, result;
  };
  const Row kUnary[] = {
      {"exp", kSingle, kSingle},         {"exp", kDouble, kDouble},
      {"exp", kLogical, kSingle},        {"exp", kInt32, kSingle},
      {"exp", kUint8, kSingle},          {"exp", kComplexDouble, kComplexDouble},
      {"abs", kComplexSingle, kSingle},  {"abs", kComplexDouble, kDouble},
      {"abs", kInt64, kInt64},           {"negate", kInt32, kInt32},
      {"square", kInt32, kInt32},        {"sign", kComplexSingle, kComplexSingle},
      {"real", kComplexSingle, kSingle}, {"imag", kComplexDouble, kDouble},
      {"not", kSingle, kLogical},        {"not", kLogical, kLogical},
      {"isnan", kDouble, kLogical},      {"isnan", kComplexSingle, kLogical},
      {"relu", kSingle, kSingle},        {"negate", kLogical, kSingle},
  };
  for (const Row& row : kUnary) {
    EXPECT_EQ(UnaryFunctions().at(row.name)(One(row.x)).type(), row.result)
        << row.name << " of " << Name(row.x);
  }
  struct Row2 {
    const char* name;
    DataType x, y, result;
  };
  const Row2 kBinary[] = {
      {"plus", kSingle, kDouble, kSingle},
      {"plus", kInt32, kInt32, kInt32},
      {"plus", kInt32, kInt64, kInt64},
      {"plus", kInt64, kSingle, kSingle},
      {"plus", kLogical, kLogical, kSingle},
      {"plus", kLogical, kDouble, kDouble},
      {"times", kComplexDouble, kSingle, kComplexSingle},
      {"times", kComplexDouble, kInt32, kComplexDouble},
      {"divide", kInt32, kInt32, kSingle},
      {"max", kInt32, kInt32, kInt32},
      {"max", kLogical, kLogical, kLogical},
      {"lt", kSingle, kDouble, kLogical},
      {"eq", kComplexSingle, kSingle, kLogical},
      {"and", kSingle, kLogical, kLogical},
      {"complex", kSingle, kDouble, kComplexSingle},
      {"complex", kLogical, kInt32, kComplexSingle},
  };
  for (const Row2& row : kBinary) {
    for (const bool swapped : {false, true}) {
      const DlArray x = One(swapped ? row.y : row.x), y = One(swapped ? row.x : row.y);
      EXPECT_EQ(BinaryFunctions().at(row.name)(x, y).type(), row.result)
          << row.name << " of " << Name(x.type()) << " and " << Name(y.type());
    }
  }
}

TEST(ElementwiseTypeTest, ANumberKeepsTheTypeOfTheArray) {
  const DlArray x = Numbered({2});
  EXPECT_EQ((0.5 * x).type(), DataType::kSingle);
  EXPECT_EQ((x + 1).type(), DataType::kSingle);
  EXPECT_EQ((1 / Numbered({2}, "", DataType::kDouble)).type(), DataType::kDouble);
  EXPECT_EQ((2 * Numbered({2}, "", DataType::kComplexDouble)).type(), DataType::kComplexDouble);
}

TEST(ElementwiseTypeTest, TellsTypesWithoutMeaning) {
  const DlArray z = Numbered({2}, "C", DataType::kComplexSingle);
  EXPECT_EQ(MessageOf([&] { z < z; }),
            "lt is not defined for complex single arrays. A 2(C) complex single DlArray came. Use "
            "Real, Imag or Abs first. [ops:UnsupportedType]");
  for (const char* name : {"max", "min", "atan2", "mod", "le", "gt", "ge", "complex"}) {
    EXPECT_EQ(IdentifierOf([&] { BinaryFunctions().at(name)(z, z); }), "ops:UnsupportedType")
        << name;
  }
  for (const char* name : {"floor", "ceil", "round", "fix", "relu", "erf"}) {
    EXPECT_EQ(IdentifierOf([&] { UnaryFunctions().at(name)(z); }), "ops:UnsupportedType") << name;
  }
}

TEST(CastTest, ConvertsBetweenAllTypes) {
  const DlArray x = DlArray::FromVector<double>({0, 1, -1.5, 2.5, 1e10, kNan}, {6}, "C");
  EXPECT_TRUE(Cast(x, DataType::kDouble).SharesDataWith(x));
  EXPECT_EQ(Cast(x, DataType::kInt32).ToVector<int32_t>(),
            (std::vector<int32_t>{0, 1, -2, 3, INT32_MAX, 0}));
  EXPECT_EQ(Cast(x, DataType::kInt64).ToVector<int64_t>(),
            (std::vector<int64_t>{0, 1, -2, 3, 10'000'000'000, 0}));
  EXPECT_EQ(Cast(x, DataType::kUint8).ToVector<uint8_t>(),
            (std::vector<uint8_t>{0, 1, 0, 3, 255, 0}));
  EXPECT_EQ(Cast(x, DataType::kLogical).ToVector<uint8_t>(),
            (std::vector<uint8_t>{0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(Single(x).At(4), static_cast<double>(1e10f));
  EXPECT_EQ(Cast(x, DataType::kComplexSingle).ComplexAt(3), Complex128(2.5, 0));
  EXPECT_EQ(Double(Numbered({3}, "", DataType::kComplexSingle)).ToVector<double>(),
            (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(Dims(Single(x)), "C");
}

// --- Broadcasting.

TEST(ElementwiseBroadcastTest, MatchesElementsByLabelOrPosition) {
  struct Row {
    Sizes sizes_x;
    const char* format_x;
    Sizes sizes_y;
    const char* format_y;
    Sizes sizes;
    const char* format;
    // For each dim of the result, the dim of x and of y; -1 for none.
    std::vector<int> from_x, from_y;
  };
  const Row kTable[] = {
      {{3, 4}, "CB", {3, 4}, "CB", {3, 4}, "CB", {0, 1}, {0, 1}},
      {{3, 4}, "CB", {3}, "C", {3, 4}, "CB", {0, 1}, {0, -1}},
      {{3, 4}, "CB", {4}, "B", {3, 4}, "CB", {0, 1}, {-1, 0}},
      {{3, 4}, "CB", {5}, "T", {3, 4, 5}, "CBT", {0, 1, -1}, {-1, -1, 0}},
      {{2, 3, 4}, "SCB", {2, 5, 3}, "SSC", {2, 5, 3, 4}, "SSCB", {0, -1, 1, 2}, {0, 1, 2, -1}},
      {{3, 4}, "CB", {}, "", {3, 4}, "CB", {0, 1}, {-1, -1}},
      {{3, 4}, "CB", {3}, "", {3, 4}, "CB", {0, 1}, {0, -1}},
      {{3, 4}, "CB", {1, 4}, "", {3, 4}, "CB", {0, 1}, {-1, 1}},
      {{3, 1, 2}, "", {1, 4}, "", {3, 4, 2}, "", {0, -1, 2}, {-1, 1, -1}},
      {{0, 4}, "CB", {4}, "B", {0, 4}, "CB", {0, 1}, {-1, 0}},
  };
  const auto index = [](const std::vector<int>& from, const Sizes& i, int rank) {
    Sizes out(rank, 0);
    for (size_t d = 0; d < from.size(); ++d) {
      if (from[d] >= 0) out[from[d]] = i[d];
    }
    return out;
  };
  for (const Row& row : kTable) {
    for (DataType type : {DataType::kSingle, DataType::kInt32, DataType::kComplexDouble}) {
      const DlArray x = Numbered(row.sizes_x, row.format_x, type);
      const DlArray y = Numbered(row.sizes_y, row.format_y, type);
      SCOPED_TRACE(ToString(x.spec()) + " and " + ToString(y.spec()));
      const DlArray difference = x - y, back = y - x;
      ASSERT_EQ(difference.sizes(), row.sizes);
      EXPECT_EQ(Dims(difference), row.format);
      ForEachIndex(row.sizes, [&](const Sizes& i) {
        const Complex128 a = ElementAt(x, index(row.from_x, i, x.rank()));
        const Complex128 b = ElementAt(y, index(row.from_y, i, y.rank()));
        EXPECT_EQ(ElementAt(difference, i), a - b);
        EXPECT_EQ(ElementAt(back, i), b - a);
      });
    }
  }
}

TEST(ElementwiseBroadcastTest, TellsWhatDoesNotMeet) {
  EXPECT_EQ(MessageOf([] {
              Numbered({3, 4}, "CB") * Numbered({5}, "C");
            }),
            "times expects sizes that are equal or 1 in each dim. 3(C) x 4(B) single DlArray and "
            "5(C) single DlArray came. Dim 0 (C) is 3 in one and 5 in another. Make the sizes "
            "agree, or relabel one of the arrays. [dlarray:SizeMismatch]");
  EXPECT_EQ(IdentifierOf([] {
              Numbered({3, 4}, "CB") + Numbered({3, 4, 2});
            }),
            "dlarray:FormatMismatch");
}

}  // namespace
}  // namespace lamina
