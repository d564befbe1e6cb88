// The labelled product, written with the unlabelled one.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

// One factor: its dim that is summed over, those that only it has, those that both have.
struct Factor {
  explicit Factor(const DlArray& x, char label)
      : array(x), summed(DimSet(label).Only("Contract", x.spec())) {}

  Format RestOfLabels() const {
    std::string labels = Dims(array);
    labels.erase(summed, 1);
    return Format(labels);
  }
  // For each dim of the result the dim of this factor, or -1.
  std::vector<int> DimsFor(const Format& result) const {
    std::vector<int> dims(result.rank(), -1);
    const std::vector<int> to = AlignLabels(RestOfLabels(), result);
    for (int d = 0; d < static_cast<int>(to.size()); ++d) dims[to[d]] = d + (d >= summed);
    return dims;
  }
  int64_t NumFree() const { return Product(free); }
  int64_t NumBatch() const { return Product(batch); }
  int64_t NumSummed() const { return array.size(summed); }

  const DlArray& array;
  const int summed;
  std::vector<int> free, batch;
  std::vector<int> free_in_result;

 private:
  int64_t Product(const std::vector<int>& dims) const {
    int64_t n = 1;
    for (int d : dims) n *= array.size(d);
    return n;
  }
};

Error SizesDiffer(const Factor& x, const Factor& y, char label, std::string_view role) {
  return Error(
      "dlarray:SizeMismatch",
      absl::StrCat("Contract ", std::string(role), " the dims labelled ", std::string(1, label),
                   " of both arrays, which must be of equal size."),
      absl::StrCat("A ", ToString(x.array.spec()), " and a ", ToString(y.array.spec()), " came."),
      "Make the sizes agree, or relabel one of the arrays.");
}

// The factor as pages of matrices, free x summed, or summed x free if `summed_first`. Where that
// would move elements and the other order would not, the other order, and `*transposed`.
DlArray AsPages(const Factor& f, bool summed_first, bool may_transpose, bool* transposed) {
  const auto order = [&](bool first) {
    std::vector<int> dims(f.free);
    dims.insert(first ? dims.begin() : dims.end(), f.summed);
    dims.insert(dims.end(), f.batch.begin(), f.batch.end());
    return dims;
  };
  const auto stays = [](const std::vector<int>& o) { return std::is_sorted(o.begin(), o.end()); };
  *transposed = may_transpose && !stays(order(summed_first)) && stays(order(!summed_first));
  const bool first = summed_first != *transposed;
  const int64_t rows = first ? f.NumSummed() : f.NumFree();
  const int64_t columns = first ? f.NumFree() : f.NumSummed();
  return Reshape(Permute(StripDims(f.array), order(first)), {rows, columns, f.NumBatch()});
}

}  // namespace

DlArray Contract(const DlArray& x, const DlArray& y, char label) {
  Factor fx(x, label), fy(y, label);
  if (fx.NumSummed() != fy.NumSummed()) throw SizesDiffer(fx, fy, label, "sums over");
  const Format format = Combine(fx.RestOfLabels(), fy.RestOfLabels());
  const std::vector<int> from_x = fx.DimsFor(format), from_y = fy.DimsFor(format);
  Sizes sizes;
  std::vector<int> batch;
  for (int d = 0; d < format.rank(); ++d) {
    const int in_x = from_x[d], in_y = from_y[d];
    sizes.push_back(in_x >= 0 ? x.size(in_x) : y.size(in_y));
    if (in_x >= 0 && in_y >= 0) {
      if (x.size(in_x) != y.size(in_y)) throw SizesDiffer(fx, fy, format[d], "matches");
      fx.batch.push_back(in_x);
      fy.batch.push_back(in_y);
      batch.push_back(d);
    } else {
      Factor& f = in_x >= 0 ? fx : fy;
      f.free.push_back(in_x >= 0 ? in_x : in_y);
      f.free_in_result.push_back(d);
    }
  }
  // The factor whose dims come first in the result stands on the left, so that the product is
  // already in order where it can be.
  const bool swap =
      !fy.free.empty() && (fx.free.empty() || fy.free_in_result[0] < fx.free_in_result[0]);
  const Factor &left = swap ? fy : fx, &right = swap ? fx : fy;
  // A transposed product would take the conjugate of complex numbers.
  const bool may_transpose = !IsComplex(x.type()) && !IsComplex(y.type());
  bool transpose_left, transpose_right;
  const DlArray a = AsPages(left, /*summed_first=*/false, may_transpose, &transpose_left);
  const DlArray b = AsPages(right, /*summed_first=*/true, may_transpose, &transpose_right);
  const DlArray product = MatMul(a, b, transpose_left, transpose_right);

  std::vector<int> order(left.free_in_result);
  order.insert(order.end(), right.free_in_result.begin(), right.free_in_result.end());
  order.insert(order.end(), batch.begin(), batch.end());
  Sizes product_sizes;
  std::vector<int> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    product_sizes.push_back(sizes[order[i]]);
    back[order[i]] = static_cast<int>(i);
  }
  return Reshape(Permute(Reshape(product, product_sizes), back), sizes, format.str());
}

}  // namespace lamina
