// Einsum against sums written out over all indices, in double, and against NumPy's reading of specs
// (testdata/record_scipy_linear_algebra.py).
#include "framework/ops/einsum.h"

#include <cmath>
#include <complex>
#include <map>
#include <string>
#include <vector>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Number = std::complex<double>;

struct Case {
  std::string spec;
  std::vector<std::string> words;
  std::string result;
};

const Case kCases[] = {
    {"ij,jk->ik", {"ij", "jk"}, "ik"},
    {"ij,jk", {"ij", "jk"}, "ik"},
    {"ij,jk->ki", {"ij", "jk"}, "ki"},
    {"ba", {"ba"}, "ab"},
    {"ij->", {"ij"}, ""},
    {"ij->j", {"ij"}, "j"},
    {"ijk->kij", {"ijk"}, "kij"},
    {"ii->", {"ii"}, ""},
    {"ii", {"ii"}, ""},
    {"ii->i", {"ii"}, "i"},
    {"iji->ji", {"iji"}, "ji"},
    {"iii->i", {"iii"}, "i"},
    {"ijij->ji", {"ijij"}, "ji"},
    {"i,i->", {"i", "i"}, ""},
    {"i,i->i", {"i", "i"}, "i"},
    {"i,j->ij", {"i", "j"}, "ij"},
    {"i,j->ji", {"i", "j"}, "ji"},
    {"i,j->", {"i", "j"}, ""},
    {"bhqd,bhkd->bhqk", {"bhqd", "bhkd"}, "bhqk"},
    {"bij,bjk->bik", {"bij", "bjk"}, "bik"},
    {"ijb,jkb->ikb", {"ijb", "jkb"}, "ikb"},
    {"bi,bi->b", {"bi", "bi"}, "b"},
    {"ijk,ijk->i", {"ijk", "ijk"}, "i"},
    {"ijk,jkl->il", {"ijk", "jkl"}, "il"},
    {"ijk,jil->lk", {"ijk", "jil"}, "lk"},
    {"ii,ij->j", {"ii", "ij"}, "j"},
    {"ik,ikj,q->j", {"ik", "ikj", "q"}, "j"},
    {"ni,ij,nj->n", {"ni", "ij", "nj"}, "n"},
    {"i,ij,jk,k->", {"i", "ij", "jk", "k"}, ""},
    {" i j , j A -> A i ", {"ij", "jA"}, "Ai"},
    {",ij->ij", {"", "ij"}, "ij"},
    {"->", {""}, ""},
};

int64_t SizeOf(char letter) {
  return std::map<char, int64_t>{{'i', 3}, {'j', 4}, {'k', 2}, {'b', 2}, {'l', 5}}
      .try_emplace(letter, 2)
      .first->second;
}

DlArrays InputsOf(const Case& c, DataType type) {
  DlArrays inputs;
  for (const std::string& word : c.words) {
    Sizes sizes;
    for (const char letter : word) sizes.push_back(SizeOf(letter));
    inputs.push_back(RandomInput(sizes, "", -1, 1, inputs.size() + 1, type));
  }
  return inputs;
}

TEST(EinsumTest, IsTheSumOverAllIndices) {
  for (const Case& c : kCases) {
    for (DataType type : {DataType::kSingle, DataType::kDouble, DataType::kComplexSingle,
                          DataType::kComplexDouble}) {
      SCOPED_TRACE(c.spec + " " + std::string(Name(type)));
      const DlArrays inputs = InputsOf(c, type);
      const DlArray y = Einsum(c.spec, inputs);
      EXPECT_EQ(y.type(), type);
      Sizes result;
      for (const char letter : c.result) result.push_back(SizeOf(letter));
      ASSERT_EQ(y.sizes(), result);
      // All letters, those of the result first.
      std::string letters = c.result;
      for (const std::string& word : c.words) {
        for (const char letter : word) {
          if (letters.find(letter) == std::string::npos) letters += letter;
        }
      }
      Sizes all;
      for (const char letter : letters) all.push_back(SizeOf(letter));
      std::map<std::vector<int64_t>, Number> sums;
      std::map<std::vector<int64_t>, double> magnitudes;
      double terms = 0;
      ForEachIndex(all, [&](const Sizes& at) {
        Number product = 1;
        for (size_t k = 0; k < inputs.size(); ++k) {
          Sizes index;
          for (const char letter : c.words[k]) index.push_back(at[letters.find(letter)]);
          product *= ElementAt(inputs[k], index);
        }
        const std::vector<int64_t> key(at.begin(), at.begin() + static_cast<int>(result.size()));
        sums[key] += product;
        magnitudes[key] += std::abs(product);
        ++terms;
      });
      const double u = ToReal(type) == DataType::kSingle ? 0x1p-24 : 0x1p-53;
      ForEachIndex(result, [&](const Sizes& at) {
        const std::vector<int64_t> key(at.begin(), at.end());
        // Products of some arrays, sums of all terms.
        EXPECT_LE(std::abs(ElementAt(y, at) - sums[key]), 4 * (terms + 4) * u * magnitudes[key]);
      });
    }
  }
}

TEST(EinsumTest, Gradients) {
  for (const Case& c : kCases) {
    for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
      EXPECT_TRUE(GradientsAgree([&](const DlArrays& x) { return Einsum(c.spec, x); },
                                 InputsOf(c, type), {.max_elements = 6}))
          << c.spec << " " << Name(type);
    }
  }
}

TEST(EinsumTest, OfNoElementsAndOtherTypes) {
  EXPECT_EQ(Einsum("ij,jk->ik", {Numbered({2, 0}), Numbered({0, 3})}).ToVector<float>(),
            std::vector<float>(6, 0.0f));
  EXPECT_EQ(Einsum("ii->i", {Numbered({0, 0})}).sizes(), (Sizes{0}));
  EXPECT_EQ(Einsum("ij->i", {Numbered({2, 0})}).ToVector<float>(), (std::vector<float>{0, 0}));
  const DlArray counts = Numbered({2, 2}, "", DataType::kInt32);
  EXPECT_TRUE(IsEqual(Einsum("ij,jk", {counts, counts}), MatMul(counts, counts)));
  EXPECT_EQ(Einsum("ij->ji", {counts}).type(), DataType::kSingle);
  EXPECT_EQ(Einsum("i,i->i", {counts.rank() == 2 ? Numbered({3}) : counts,
                              Numbered({3}, "", DataType::kDouble)})
                .type(),
            DataType::kSingle);
}

TEST(EinsumTest, TellsWhatDoesNotFit) {
  const DlArray x = Numbered({2, 3}), y = Numbered({3, 4});
  EXPECT_EQ(MessageOf([&] {
              Einsum("ij;jk->ik", {x, y});
            }),
            "Einsum expects words of letters with commas between them, then \"->\" and one word. "
            "Character 3 of \"ij;jk->ik\" is ';'. Write it as in \"ij,jk->ik\". "
            "[ops:InvalidEinsum]");
  EXPECT_EQ(MessageOf([&] {
              Einsum("ij,jk->iq", {x, y});
            }),
            "Einsum expects behind \"->\" letters of the arrays, each once. Character 9 of "
            "\"ij,jk->iq\" is 'q'. Take a letter that an array has. [ops:InvalidEinsum]");
  EXPECT_EQ(MessageOf([&] {
              Einsum("ij,jk->ii", {x, y});
            }),
            "Einsum expects behind \"->\" letters of the arrays, each once. Character 9 of "
            "\"ij,jk->ii\" is 'i'. Leave the second one out. [ops:InvalidEinsum]");
  EXPECT_EQ(MessageOf([&] { Einsum("ij,jk->ik", {x}); }),
            "Einsum expects a word for each array. \"ij,jk->ik\" has 2 and 1 array came. Put "
            "commas between the words of the arrays. [ops:InvalidEinsum]");
  EXPECT_EQ(MessageOf([&] {
              Einsum("ij,k->ik", {x, y});
            }),
            "Einsum expects a letter for each dim. In \"ij,k->ik\" \"k\" stands for a 3 x 4 single "
            "DlArray. Give it 2 letters. [ops:InvalidEinsum]");
  EXPECT_EQ(MessageOf([&] {
              Einsum("ij,kj->ik", {x, y});
            }),
            "Einsum expects one size for each letter. In \"ij,kj->ik\" \"kj\" stands for a 3 x 4 "
            "single DlArray. Its 'j' is 4, and 3 before. Make the sizes agree, or take another "
            "letter. [dlarray:SizeMismatch]");
  EXPECT_EQ(IdentifierOf([&] { Einsum("ii->i", {x}); }), "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              Einsum("ij,jk->ik", {x, DlArray(y, "CB")});
            }),
            "dlarray:FormatMismatch");
  for (const char* spec :
       {"ij-", "ij->i->j", "ij->i,j", "...ij", "ij-j", "\xff\xfe", "i1", "->ij"}) {
    EXPECT_EQ(IdentifierOf([&] { Einsum(spec, {x}); }), "ops:InvalidEinsum") << spec;
  }
  EXPECT_EQ(IdentifierOf([] { Einsum("", DlArrays()); }), "ops:InvalidEinsum");
  EXPECT_EQ(IdentifierOf([&] { Einsum("", {x}); }), "ops:InvalidEinsum");
}

}  // namespace
}  // namespace lamina
