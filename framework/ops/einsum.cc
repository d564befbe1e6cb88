#include "framework/ops/einsum.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

bool Has(std::string_view word, char letter) { return word.find(letter) != std::string_view::npos; }

struct Notation {
  std::vector<std::string> words;  // One for each array.
  std::string result;
};

Error Invalid(std::string_view expected, std::string_view came, std::string_view fix) {
  return Error("ops:InvalidEinsum", expected, came, fix);
}

Notation Read(std::string_view spec) {
  Notation notation;
  notation.words.emplace_back();
  bool in_result = false;
  for (size_t i = 0; i < spec.size(); ++i) {
    const char c = spec[i];
    if (c == ' ') continue;
    const auto misplaced = [&](std::string_view expected, std::string_view fix) {
      return Invalid(expected,
                     absl::StrCat("Character ", i + 1, " of \"", std::string(spec), "\" is '",
                                  std::string(1, c), "'."),
                     fix);
    };
    if (absl::ascii_isalpha(static_cast<unsigned char>(c))) {
      if (!in_result) {
        notation.words.back() += c;
        continue;
      }
      const bool is_known = std::any_of(notation.words.begin(), notation.words.end(),
                                        [c](const std::string& word) { return Has(word, c); });
      if (!is_known || Has(notation.result, c)) {
        throw misplaced(
            "Einsum expects behind \"->\" letters of the arrays, each once.",
            is_known ? "Leave the second one out." : "Take a letter that an array has.");
      }
      notation.result += c;
    } else if (c == ',' && !in_result) {
      notation.words.emplace_back();
    } else if (c == '-' && !in_result && i + 1 < spec.size() && spec[i + 1] == '>') {
      in_result = true;
      ++i;
    } else {
      throw misplaced(
          "Einsum expects words of letters with commas between them, then \"->\" and one word.",
          "Write it as in \"ij,jk->ik\".");
    }
  }
  if (in_result) return notation;
  std::string all;
  for (const std::string& word : notation.words) all += word;
  std::sort(all.begin(), all.end());
  for (const char c : all) {
    if (std::count(all.begin(), all.end(), c) == 1) notation.result += c;
  }
  return notation;
}

void Check(std::string_view spec, const Notation& notation, std::span<const DlArray> arrays) {
  const std::string quoted = absl::StrCat("\"", std::string(spec), "\"");
  if (notation.words.size() != arrays.size()) {
    throw Invalid("Einsum expects a word for each array.",
                  absl::StrCat(quoted, " has ", notation.words.size(), " and ", arrays.size(),
                               arrays.size() == 1 ? " array" : " arrays", " came."),
                  "Put commas between the words of the arrays.");
  }
  std::vector<std::pair<char, int64_t>> sizes;
  for (size_t k = 0; k < arrays.size(); ++k) {
    const DlArray& x = arrays[k];
    const std::string& word = notation.words[k];
    const std::string came =
        absl::StrCat("In ", quoted, " \"", word, "\" stands for a ", ToString(x.spec()), ".");
    if (!x.format().empty()) {
      throw Error("dlarray:FormatMismatch",
                  "Einsum expects arrays without labels: its letters name the dims.", came,
                  "Use StripDims, or Contract, which sums over a label.");
    }
    if (static_cast<int>(word.size()) != x.rank()) {
      throw Invalid("Einsum expects a letter for each dim.", came,
                    absl::StrCat("Give it ", x.rank(), x.rank() == 1 ? " letter." : " letters."));
    }
    for (int d = 0; d < x.rank(); ++d) {
      const auto known = std::find_if(sizes.begin(), sizes.end(),
                                      [&](const auto& s) { return s.first == word[d]; });
      if (known == sizes.end()) {
        sizes.emplace_back(word[d], x.size(d));
      } else if (known->second != x.size(d)) {
        throw Error("dlarray:SizeMismatch", "Einsum expects one size for each letter.",
                    absl::StrCat(came, " Its '", std::string(1, word[d]), "' is ", x.size(d),
                                 ", and ", known->second, " before."),
                    "Make the sizes agree, or take another letter.");
      }
    }
  }
}

// An array whose dims have letters.
struct Lettered {
  DlArray array;
  std::string word;

  int64_t SizeOf(std::string_view letters) const {
    int64_t size = 1;
    for (const char c : letters) size *= array.size(static_cast<int>(word.find(c)));
    return size;
  }
  // The dims in this order: of all letters.
  DlArray InOrder(std::string_view letters) const {
    std::vector<int> order;
    for (const char c : letters) order.push_back(static_cast<int>(word.find(c)));
    return order.empty() ? array : Permute(array, order);
  }
  // Without the dims of these letters.
  void SumOver(std::string_view letters) {
    if (letters.empty()) return;
    std::vector<int> dims;
    Sizes rest;
    std::string kept;
    for (int d = 0; d < array.rank(); ++d) {
      if (Has(letters, word[d])) {
        dims.push_back(d);
      } else {
        rest.push_back(array.size(d));
        kept += word[d];
      }
    }
    array = Reshape(Sum(array, dims), rest);
    word = kept;
  }
};

// Elements of equal index where a letter stands twice: in memory they are one more than the size
// apart when both dims come first.
Lettered WithoutTwins(Lettered x) {
  for (size_t d = 0; d < x.word.size(); ++d) {
    const size_t twin = x.word.find(x.word[d], d + 1);
    if (twin == std::string::npos) continue;
    std::vector<int> order{static_cast<int>(d), static_cast<int>(twin)};
    Sizes rest;
    std::string word(1, x.word[d]);
    const int64_t n = x.array.size(order[0]);
    for (size_t other = 0; other < x.word.size(); ++other) {
      if (other == d || other == twin) continue;
      order.push_back(static_cast<int>(other));
      rest.push_back(x.array.size(order.back()));
      word += x.word[other];
    }
    Sizes line{n * n}, diagonal{n};
    line.insert(line.end(), rest.begin(), rest.end());
    diagonal.insert(diagonal.end(), rest.begin(), rest.end());
    const DlArray all = Reshape(Permute(x.array, order), line);
    return WithoutTwins({n == 0 ? Reshape(all, diagonal) : Slice(all, 0, 0, n, n + 1), word});
  }
  return x;
}

// The sum of products of two arrays over the letters that are not in `kept`.
Lettered Product(Lettered x, Lettered y, std::string_view kept) {
  const auto letters_of = [](const Lettered& from, auto condition) {
    std::string letters;
    for (const char c : from.word) {
      if (condition(c)) letters += c;
    }
    return letters;
  };
  x.SumOver(letters_of(x, [&](char c) { return !Has(y.word, c) && !Has(kept, c); }));
  y.SumOver(letters_of(y, [&](char c) { return !Has(x.word, c) && !Has(kept, c); }));
  const std::string of_x = letters_of(x, [&](char c) { return !Has(y.word, c); });
  const std::string of_y = letters_of(y, [&](char c) { return !Has(x.word, c); });
  const std::string summed = letters_of(x, [&](char c) { return Has(y.word, c) && !Has(kept, c); });
  const std::string pages = letters_of(x, [&](char c) { return Has(y.word, c) && Has(kept, c); });
  const int64_t rows = x.SizeOf(of_x), columns = y.SizeOf(of_y), terms = x.SizeOf(summed),
                page = x.SizeOf(pages);
  Sizes sizes;
  for (const char c : of_x) sizes.push_back(x.SizeOf({&c, 1}));
  for (const char c : of_y) sizes.push_back(y.SizeOf({&c, 1}));
  for (const char c : pages) sizes.push_back(x.SizeOf({&c, 1}));
  // Without a sum, or of vectors, products of elements are less work than those of matrices.
  const bool is_elementwise = summed.empty() || (of_x.empty() && of_y.empty());
  if (is_elementwise) {
    const DlArray products = Reshape(x.InOrder(of_x + summed + pages), {rows, 1, terms, page}) *
                             Reshape(y.InOrder(of_y + summed + pages), {1, columns, terms, page});
    return {Reshape(summed.empty() ? products : Sum(products, 2), sizes), of_x + of_y + pages};
  }
  const DlArray a = Reshape(x.InOrder(of_x + summed + pages), {rows, terms, page});
  const DlArray b = Reshape(y.InOrder(summed + of_y + pages), {terms, columns, page});
  const DlArray products = pages.empty()
                               ? MatMul(Reshape(a, {rows, terms}), Reshape(b, {terms, columns}))
                               : MatMul(a, b);
  return {Reshape(products, sizes), of_x + of_y + pages};
}

}  // namespace

DlArray Einsum(std::string_view spec, std::span<const DlArray> arrays) {
  const Notation notation = Read(spec);
  Check(spec, notation, arrays);
  const auto lettered = [&](size_t k) {
    const DlArray& x = arrays[k];
    return WithoutTwins({IsFloating(x.type()) ? x : Single(x), notation.words[k]});
  };
  Lettered y = lettered(0);
  for (size_t k = 1; k < arrays.size(); ++k) {
    std::string kept = notation.result;
    for (size_t later = k + 1; later < arrays.size(); ++later) kept += notation.words[later];
    y = Product(std::move(y), lettered(k), kept);
  }
  std::string rest;
  for (const char c : y.word) {
    if (!Has(notation.result, c)) rest += c;
  }
  y.SumOver(rest);
  return y.InOrder(notation.result);
}

}  // namespace lamina
