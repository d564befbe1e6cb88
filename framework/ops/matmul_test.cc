// Products against sums written out over indices, in double.
#include "framework/ops/matmul.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Complex = std::complex<double>;

constexpr DataType kFloatingTypes[] = {DataType::kSingle, DataType::kDouble,
                                       DataType::kComplexSingle, DataType::kComplexDouble};

// Element (i, j) of the matrix on a page, transposed and conjugated if asked.
Complex MatrixElement(const DlArray& x, int64_t i, int64_t j, bool transpose, Sizes page) {
  // Repeated pages.
  for (size_t d = 0; d < page.size(); ++d) {
    if (x.size(static_cast<int>(d) + 2) == 1) page[d] = 0;
  }
  Sizes index = {transpose ? j : i, transpose ? i : j};
  index.insert(index.end(), page.begin(), page.end());
  const Complex v = ElementAt(x, index);
  return transpose ? std::conj(v) : v;
}

// |result - sum of products| <= k u sum |x| |y|, with the next larger k for complex products.
void ExpectProduct(const DlArray& y, const DlArray& a, const DlArray& b, bool ta, bool tb) {
  const int64_t k = a.size(ta ? 0 : 1);
  const double u = ToReal(y.type()) == DataType::kSingle ? 0x1p-24 : 0x1p-53;
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    const Sizes page(i.begin() + 2, i.end());
    Complex sum = 0;
    double magnitude = 0;
    for (int64_t p = 0; p < k; ++p) {
      const Complex f = MatrixElement(a, i[0], p, ta, page),
                    g = MatrixElement(b, p, i[1], tb, page);
      sum += f * g;
      magnitude += std::abs(f) * std::abs(g);
    }
    EXPECT_LE(std::abs(ElementAt(y, i) - sum), 2.0 * (k + 1) * u * magnitude);
  });
}

TEST(MatMulTest, MultipliesEveryWay) {
  for (DataType type : kFloatingTypes) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        const DlArray a = RandomInput(ta ? Sizes{5, 3} : Sizes{3, 5}, "", -1, 1, 1, type);
        const DlArray b = RandomInput(tb ? Sizes{4, 5} : Sizes{5, 4}, "", -1, 1, 2, type);
        const DlArray y = MatMul(a, b, ta, tb);
        ASSERT_EQ(y.sizes(), (Sizes{3, 4}));
        EXPECT_EQ(y.type(), type);
        ExpectProduct(y, a, b, ta, tb);
      }
    }
  }
}

TEST(MatMulTest, MultipliesLargeMatrices) {
  for (DataType type : {DataType::kSingle, DataType::kDouble}) {
    const DlArray a = RandomInput({70, 130}, "", -1, 1, 1, type);
    const DlArray b = RandomInput({130, 90}, "", -1, 1, 2, type);
    ExpectProduct(MatMul(a, b), a, b, false, false);
  }
}

TEST(MatMulTest, MultipliesPages) {
  const std::tuple<Sizes, Sizes, Sizes> kCases[] = {
      {{2, 7}, {2, 7}, {2, 7}},          {{2, 7}, {}, {2, 7}},  {{}, {2, 7}, {2, 7}},
      {{2, 1}, {1, 7}, {2, 7}},          {{2}, {2, 7}, {2, 7}}, {{1, 7}, {2}, {2, 7}},
      {{2, 1, 3}, {2, 4, 1}, {2, 4, 3}},
  };
  for (const auto& [pages_a, pages_b, pages] : kCases) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        Sizes sizes_a = ta ? Sizes{4, 3} : Sizes{3, 4}, sizes_b = tb ? Sizes{5, 4} : Sizes{4, 5};
        sizes_a.insert(sizes_a.end(), pages_a.begin(), pages_a.end());
        sizes_b.insert(sizes_b.end(), pages_b.begin(), pages_b.end());
        const DlArray a = RandomInput(sizes_a, "", -1, 1, 3),
                      b = RandomInput(sizes_b, "", -1, 1, 4);
        const DlArray y = MatMul(a, b, ta, tb);
        Sizes expected = {3, 5};
        expected.insert(expected.end(), pages.begin(), pages.end());
        ASSERT_EQ(y.sizes(), expected);
        ExpectProduct(y, a, b, ta, tb);
      }
    }
  }
}

TEST(MatMulTest, VectorsAreColumnsAndScalarsMultiply) {
  const DlArray a = Numbered({2, 3}), v = Numbered({3});
  EXPECT_EQ(MatMul(a, v).sizes(), (Sizes{2, 1}));
  EXPECT_EQ(MatMul(a, v).ToVector<float>(), (std::vector<float>{10, 13}));
  EXPECT_EQ(MatMul(v, v, true).ToVector<float>(), (std::vector<float>{5}));
  EXPECT_TRUE(IsEqual(MatMul(2.0, a), 2.0 * a));
  EXPECT_TRUE(IsEqual(MatMul(a, DlArray(2.0), true), Transpose(2.0 * a)));
  // A scalar leaves labels alone.
  EXPECT_TRUE(IsEqual(MatMul(Numbered({2, 3}, "CB"), DlArray(2.0)), 2.0 * Numbered({2, 3}, "CB")));
  const DlArray i = Complex(0, 1);
  EXPECT_EQ(MatMul(i, i, true).ComplexAt(0), Complex(1, 0));
}

TEST(MatMulTest, PromotesTypes) {
  EXPECT_EQ(MatMul(Numbered({2, 2}), Numbered({2, 2}, "", DataType::kDouble)).type(),
            DataType::kSingle);
  EXPECT_EQ(MatMul(Numbered({2, 2}), Numbered({2, 2}, "", DataType::kComplexDouble)).type(),
            DataType::kComplexSingle);
  const DlArray counts = Numbered({2, 2}, "", DataType::kInt32);
  EXPECT_EQ(MatMul(counts, counts).type(), DataType::kSingle);
  EXPECT_EQ(MatMul(counts, counts).ToVector<float>(), (std::vector<float>{2, 3, 6, 11}));
}

TEST(MatMulTest, OfNoElements) {
  EXPECT_EQ(MatMul(Numbered({0, 3}), Numbered({3, 2})).sizes(), (Sizes{0, 2}));
  EXPECT_EQ(MatMul(Numbered({2, 0}), Numbered({0, 3})).ToVector<float>(),
            std::vector<float>(6, 0.0f));
  EXPECT_EQ(MatMul(Numbered({2, 3}), Numbered({3, 4, 0})).sizes(), (Sizes{2, 4, 0}));
  EXPECT_EQ(MatMul(Numbered({2, 0}), Numbered({0, 3, 2})).ToVector<float>(),
            std::vector<float>(12, 0.0f));
}

TEST(MatMulTest, TellsWhatDoesNotFit) {
  EXPECT_EQ(MessageOf([] {
              MatMul(Numbered({2, 3}), Numbered({2, 3}));
            }),
            "MatMul sums over the columns of the first and the rows of the second matrix, which "
            "must be as many. A 2 x 3 single DlArray and a 2 x 3 single DlArray came. 3 is not 2. "
            "Check the order of the matrices, or transpose one. [dlarray:SizeMismatch]");
  EXPECT_EQ(IdentifierOf([] {
              MatMul(Numbered({2, 3}), Numbered({3, 4}), true, true);
            }),
            "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([] {
              MatMul(Numbered({2, 3, 2}), Numbered({3, 4, 5}));
            }),
            "dlarray:SizeMismatch");
  EXPECT_EQ(MessageOf([] {
              MatMul(Numbered({2, 3}), Numbered({3, 4}, "CB"));
            }),
            "MatMul expects arrays without labels: rows and columns are meant by position. A 2 x 3 "
            "single DlArray and a 3(C) x 4(B) single DlArray came. Use Contract, which names the "
            "dim it sums over, or StripDims. [dlarray:FormatMismatch]");
}

TEST(MatMulTest, Gradients) {
  const DataType kTypes[][2] = {{DataType::kDouble, DataType::kDouble},
                                {DataType::kComplexDouble, DataType::kComplexDouble},
                                {DataType::kDouble, DataType::kComplexDouble}};
  for (const auto& [type_a, type_b] : kTypes) {
    for (const bool ta : {false, true}) {
      for (const bool tb : {false, true}) {
        const auto f = [=](const DlArrays& x) { return MatMul(x[0], x[1], ta, tb); };
        const std::pair<Sizes, Sizes> kPages[] = {
            {{}, {}}, {{2}, {2}}, {{}, {2}}, {{2, 1}, {1, 2}}};
        for (const auto& [pages_a, pages_b] : kPages) {
          Sizes a = ta ? Sizes{3, 2} : Sizes{2, 3}, b = tb ? Sizes{2, 3} : Sizes{3, 2};
          a.insert(a.end(), pages_a.begin(), pages_a.end());
          b.insert(b.end(), pages_b.begin(), pages_b.end());
          EXPECT_TRUE(GradientsAgree(
              f, {RandomInput(a, "", -1, 1, 1, type_a), RandomInput(b, "", -1, 1, 2, type_b)}))
              << ToString(a) << " " << ToString(b) << " " << ta << tb << " " << Name(type_a);
        }
      }
    }
    EXPECT_TRUE(GradientsAgree(
        [](const DlArrays& x) { return MatMul(x[0], x[1], true, true); },
        {RandomInput({}, "", -1, 1, 1, type_a), RandomInput({2, 3}, "", -1, 1, 2, type_b)}));
    EXPECT_TRUE(GradientsAgree(
        [](const DlArrays& x) { return MatMul(x[0], x[1], true); },
        {RandomInput({3}, "", -1, 1, 1, type_a), RandomInput({3}, "", -1, 1, 2, type_b)}));
  }
}

// The sum over the dim `label` that Contract stands for, by labels alone.
void ExpectContraction(const DlArray& y, const DlArray& a, const DlArray& b, char label) {
  const int64_t k = Size(a, label);
  const double u = ToReal(y.type()) == DataType::kSingle ? 0x1p-24 : 0x1p-53;
  // The index of an operand, from that of the result: of each label, the first dims of the operand
  // are the first of the result.
  const auto index_of = [&](const DlArray& x, const Sizes& i, int64_t p) {
    Sizes index;
    std::vector<int> used(128, 0);
    for (char l : Dims(x)) {
      if (l == label) {
        index.push_back(p);
      } else {
        index.push_back(i[y.format().Find(l) + used[static_cast<int>(l)]++]);
      }
    }
    return index;
  };
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    Complex sum = 0;
    double magnitude = 0;
    for (int64_t p = 0; p < k; ++p) {
      const Complex f = ElementAt(a, index_of(a, i, p)), g = ElementAt(b, index_of(b, i, p));
      sum += f * g;
      magnitude += std::abs(f) * std::abs(g);
    }
    EXPECT_LE(std::abs(ElementAt(y, i) - sum), 2.0 * (k + 1) * u * magnitude);
  });
}

struct Contraction {
  Sizes sizes_a;
  const char* format_a;
  Sizes sizes_b;
  const char* format_b;
  char label;
  Sizes sizes;
  const char* format;
};

const Contraction kContractions[] = {
    {{3, 5}, "CU", {3, 4}, "CB", 'C', {4, 5}, "BU"},
    {{3, 4}, "CB", {3, 5}, "CU", 'C', {4, 5}, "BU"},
    {{3}, "C", {3}, "C", 'C', {}, ""},
    {{3, 4}, "CB", {3}, "C", 'C', {4}, "B"},
    {{2, 3, 4}, "SCB", {2, 5}, "SU", 'S', {3, 4, 5}, "CBU"},
    {{3, 4, 5}, "CBT", {3, 4, 6}, "CBU", 'C', {4, 5, 6}, "BTU"},  // B by pages
    {{3, 4, 5}, "CBT", {3, 4}, "CB", 'C', {4, 5}, "BT"},
    {{2, 3, 4}, "SCB", {2, 3, 5}, "SCT", 'C', {2, 4, 5}, "SBT"},  // S by pages
    {{2, 6, 3, 4}, "SSCB", {2, 3, 5}, "SCU", 'C', {2, 6, 4, 5}, "SSBU"},
    {{3, 4, 5}, "CBT", {4, 5, 2}, "BTU", 'T', {3, 4, 2}, "CBU"},
    {{3, 4, 5}, "CBT", {3, 4, 5}, "CBT", 'T', {3, 4}, "CB"},
};

TEST(ContractTest, SumsOverTheNamedDim) {
  for (const Contraction& c : kContractions) {
    for (DataType type : kFloatingTypes) {
      const DlArray a = RandomInput(c.sizes_a, c.format_a, -1, 1, 1, type);
      const DlArray b = RandomInput(c.sizes_b, c.format_b, -1, 1, 2, type);
      const DlArray y = Contract(a, b, c.label);
      SCOPED_TRACE(ToString(a.spec()) + " with " + ToString(b.spec()));
      EXPECT_EQ(Dims(y), c.format);
      ASSERT_EQ(y.sizes(), c.sizes);
      EXPECT_EQ(y.type(), type);
      ExpectContraction(y, a, b, c.label);
    }
  }
}

TEST(ContractTest, Gradients) {
  for (const Contraction& c : kContractions) {
    for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
      EXPECT_TRUE(GradientsAgree([&](const DlArrays& x) { return Contract(x[0], x[1], c.label); },
                                 {RandomInput(c.sizes_a, c.format_a, -1, 1, 1, type),
                                  RandomInput(c.sizes_b, c.format_b, -1, 1, 2, type)},
                                 {.max_elements = 8}))
          << c.format_a << " with " << c.format_b << " " << Name(type);
    }
  }
}

TEST(ContractTest, TellsWhatDoesNotFit) {
  const DlArray x = Numbered({3, 4}, "CB");
  EXPECT_EQ(MessageOf([&] {
              Contract(x, Numbered({5, 2}, "CU"), 'C');
            }),
            "Contract sums over the dims labelled C of both arrays, which must be of equal size. A "
            "3(C) x 4(B) single DlArray and a 5(C) x 2(U) single DlArray came. Make the sizes "
            "agree, or relabel one of the arrays. [dlarray:SizeMismatch]");
  EXPECT_EQ(MessageOf([&] {
              Contract(x, Numbered({3, 5}, "CB"), 'C');
            }),
            "Contract matches the dims labelled B of both arrays, which must be of equal size. A "
            "3(C) x 4(B) single DlArray and a 3(C) x 5(B) single DlArray came. Make the sizes "
            "agree, or relabel one of the arrays. [dlarray:SizeMismatch]");
  EXPECT_EQ(IdentifierOf([&] { Contract(x, Numbered({3, 5}), 'C'); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { Contract(x, Numbered({4}, "B"), 'C'); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { Contract(x, x, 'X'); }), "dlarray:InvalidLabel");
  EXPECT_EQ(IdentifierOf([] {
              Contract(Numbered({2, 2}, "SS"), Numbered({2}, "S"), 'S');
            }),
            "dlarray:SeveralDims");
}

TEST(FullyConnectTest, TakesSpatialDimsAndChannelsTogether) {
  const DlArray x = RandomInput({2, 3, 4, 5}, "SSCB", -1, 1, 1);
  const DlArray w = RandomInput({7, 24}, "", -1, 1, 2), b = RandomInput({7, 1}, "", -1, 1, 3);
  const DlArray y = FullyConnect(x, w, b);
  EXPECT_EQ(Dims(y), "CB");
  ASSERT_EQ(y.sizes(), (Sizes{7, 5}));
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    double sum = b.At(i[0]);
    for (int64_t f = 0; f < 24; ++f) sum += w.At(i[0] + 7 * f) * x.At(f + 24 * i[1]);
    EXPECT_NEAR(ElementAt(y, i).real(), sum, 1e-14);
  });
}

TEST(FullyConnectTest, KeepsBatchAndTime) {
  const DlArray w = RandomInput({7, 3});
  EXPECT_EQ(ToString(FullyConnect(RandomInput({3, 5, 2}, "CBT"), w, {}).spec()),
            "7(C) x 5(B) x 2(T) double DlArray");
  EXPECT_EQ(ToString(FullyConnect(RandomInput({3, 2}, "CT"), w, {}).spec()),
            "7(C) x 2(T) double DlArray");
  EXPECT_EQ(ToString(FullyConnect(RandomInput({3}, "C"), w, {}).spec()), "7(C) double DlArray");
  EXPECT_EQ(FullyConnect(RandomInput({3, 0}, "CB"), w, {}).sizes(), (Sizes{7, 0}));
}

TEST(FullyConnectTest, TakesUWhereThereIsNeitherSNorC) {
  for (DataType type : kFloatingTypes) {
    const DlArray x = RandomInput({5, 2, 3}, "BUU", -1, 1, 1, type);
    const DlArray w = RandomInput({7, 6}, "", -1, 1, 2, type);
    const DlArray y = FullyConnect(x, w, {});
    EXPECT_EQ(Dims(y), "CB");
    ASSERT_EQ(y.sizes(), (Sizes{7, 5}));
    ForEachIndex(y.sizes(), [&](const Sizes& i) {
      Complex sum = 0;
      for (int64_t f = 0; f < 6; ++f) {
        sum += w.ComplexAt(i[0] + 7 * f) * x.ComplexAt(i[1] + 5 * f);
      }
      EXPECT_NEAR(std::abs(ElementAt(y, i) - sum), 0, 1e-5);
    });
  }
}

TEST(FullyConnectTest, UnlabelledWithAFormat) {
  const DlArray w = RandomInput({7, 3}), b = RandomInput({7, 1}, "", -1, 1, 2);
  const DlArray x = RandomInput({5, 3, 2}, "", -1, 1, 3);
  const DlArray y = FullyConnect(x, w, b, "BCT");
  EXPECT_TRUE(IsEqual(y, StripDims(FullyConnect(DlArray(x, "BCT"), w, b))));
  EXPECT_EQ(y.sizes(), (Sizes{7, 5, 2}));
}

// What stands beside the product in the work on "CB" and "SSCB" inputs.
class OpCounter : public Listener {
 public:
  void Applied(const OpPtr& op, Arrays, std::span<DlArray> outputs) override {
    names.emplace_back(op->Name());
    (void)outputs;
  }
  std::vector<std::string> names;
};

TEST(FullyConnectTest, MovesNoElementBesideTheProduct) {
  const DlArray w = RandomInput({7, 24}), b = RandomInput({7, 1});
  for (const DlArray& x : {RandomInput({2, 3, 4, 5}, "SSCB"), RandomInput({24, 5}, "CB"),
                           RandomInput({5, 24}, "BU")}) {
    OpCounter counter;
    {
      const ScopedListener scope(&counter);
      FullyConnect(x, w, b);
    }
    EXPECT_EQ(counter.names, (std::vector<std::string>{"reshape", "matmul", "plus", "reshape"}));
  }
}

TEST(FullyConnectTest, TellsWhatDoesNotFit) {
  const DlArray w = Numbered({7, 3}), b = Numbered({7, 1});
  EXPECT_EQ(MessageOf([&] {
              FullyConnect(Numbered({3, 5}), w, b);
            }),
            "FullyConnect needs to know which dims of x are features and which observations. A 3 x "
            "5 single DlArray came, and no format. Label x, or give the labels of its dims as "
            "format. [ops:FormatNeeded]");
  EXPECT_EQ(MessageOf([&] {
              FullyConnect(Numbered({4, 5}, "CB"), w, b);
            }),
            "FullyConnect expects unlabelled weights with a column for each of the 4 features of a "
            "4(C) x 5(B) single DlArray. Weights of 7 x 3 single DlArray came. Make the weights "
            "[outputs x 4]. [dlarray:SizeMismatch]");
  const DlArray x = Numbered({3, 5}, "CB");
  EXPECT_EQ(MessageOf([&] {
              FullyConnect(x, w, Numbered({3, 1}));
            }),
            "FullyConnect expects an unlabelled bias of 7x1. A 3 x 1 single DlArray came. Give the "
            "bias as many rows as the weights. [dlarray:SizeMismatch]");
  EXPECT_EQ(IdentifierOf([&] { FullyConnect(x, w, Numbered({1, 7})); }), "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              FullyConnect(x, Numbered({7, 3}, "CU"), b);
            }),
            "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] { FullyConnect(x, Numbered({3}), b); }), "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              FullyConnect(Numbered({3, 5}, "BT"), w, b);
            }),
            "dlarray:FormatMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              FullyConnect(Numbered({3, 1}, "CU"), w, b);
            }),
            "dlarray:FormatMismatch");
  EXPECT_EQ(IdentifierOf([&] { FullyConnect(x, w, b, "CT"); }), "dlarray:FormatMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              FullyConnect(Numbered({3, 5}), w, b, "CBT1");
            }),
            "dlarray:InvalidLabel");
}

TEST(FullyConnectTest, Gradients) {
  const auto f = [](const DlArrays& x) { return FullyConnect(x[0], x[1], x[2]); };
  for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const std::pair<Sizes, const char*> kInputs[] = {
        {{2, 3, 4}, "SCB"}, {{6, 4}, "CB"}, {{6, 2, 2}, "CBT"}, {{4, 6}, "BU"}, {{6}, "C"}};
    for (const auto& [sizes, format] : kInputs) {
      EXPECT_TRUE(GradientsAgree(
          f, {RandomInput(sizes, format, -1, 1, 1, type), RandomInput({3, 6}, "", -1, 1, 2, type),
              RandomInput({3, 1}, "", -1, 1, 3, type)}))
          << format << " " << Name(type);
    }
  }
}

}  // namespace
}  // namespace lamina
