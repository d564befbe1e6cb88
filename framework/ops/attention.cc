#include "framework/ops/attention.h"

#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"

namespace lamina {
namespace {

void CheckLabels(const DlArray& x) {
  internal::RequireReal("Attention", x);
  internal::RequireLabel("Attention", x, 'C');
  if (FindDim(x, 'S') < 0 && FindDim(x, 'U') < 0) return;
  throw Error("dlarray:FormatMismatch", "Attention expects arrays labelled C, B and T.",
              absl::StrCat("A ", ToString(x.spec()), " came."),
              "Flatten or relabel the dims labelled S and U.");
}

void CheckSizes(const DlArray& q, const DlArray& k, const DlArray& v, int64_t num_heads) {
  if (Size(q, 'C') != Size(k, 'C') || Size(k, 'T') != Size(v, 'T') ||
      Size(q, 'B') != Size(k, 'B') || Size(k, 'B') != Size(v, 'B')) {
    throw Error("dlarray:SizeMismatch",
                "Attention expects keys with the channels of the queries, values with the time "
                "steps of the keys, and the same observations in all.",
                absl::StrCat("Queries ", ToString(q.spec()), ", keys ", ToString(k.spec()),
                             " and values ", ToString(v.spec()), " came."),
                "");
  }
  if (num_heads < 1 || Size(q, 'C') % num_heads != 0 || Size(v, 'C') % num_heads != 0) {
    throw Error("ops:InvalidHeads", "The number of heads divides the channels.",
                absl::StrCat(num_heads, " heads came for queries of ", Size(q, 'C'),
                             " channels and values of ", Size(v, 'C'), "."),
                "");
  }
  if (Size(k, 'T') < 1) {
    throw Error("ops:EmptySequence", "Attention expects at least one key.",
                absl::StrCat("Keys ", ToString(k.spec()), " came."), "");
  }
}

// A page for each head and observation: depth x steps.
DlArray Pages(const DlArray& x, int64_t num_heads) {
  const Sizes sizes{Size(x, 'C') / num_heads, num_heads, Size(x, 'B'), Size(x, 'T')};
  return Permute(Reshape(StripDims(x, "CBT"), sizes), {0, 3, 1, 2});
}

// keys x queries: true where the key is not later than the query.
DlArray NotLater(int64_t keys, int64_t queries) {
  std::vector<uint8_t> seen(keys * queries);
  for (int64_t t = 0; t < queries; ++t) {
    for (int64_t s = 0; s < keys; ++s) seen[s + keys * t] = s <= t;
  }
  return DlArray::FromBytes(DataType::kLogical, seen.data(), seen.size(), {keys, queries});
}

}  // namespace

DlArray Attention(const DlArray& queries, const DlArray& keys, const DlArray& values,
                  int64_t num_heads, const AttentionOptions& options) {
  const internal::FormattedInput input("Attention", queries, options.format);
  const DlArray& q = input.x();
  const DlArray k = internal::FormattedInput("Attention", keys, options.format).x();
  const DlArray v = internal::FormattedInput("Attention", values, options.format).x();
  for (const DlArray* x : {&q, &k, &v}) CheckLabels(*x);
  CheckSizes(q, k, v, num_heads);
  const double depth = static_cast<double>(Size(q, 'C') / num_heads);
  const double scale = options.scale.value_or(1 / std::sqrt(depth));
  const DlArray scaled = scale * Pages(internal::ToFloating(q), num_heads);
  DlArray scores = MatMul(Pages(k, num_heads), scaled, /*transpose_x=*/true);
  if (options.causal) {
    scores = Where(NotLater(scores.size(0), scores.size(1)), scores,
                   -std::numeric_limits<double>::infinity());
  }
  const DlArray heads = MatMul(Pages(internal::ToFloating(v), num_heads), SoftmaxOver(scores, 0));
  Sizes sizes{Size(v, 'C')};
  for (const char label : {'B', 'T'}) {
    if (FindDim(q, label) >= 0) sizes.push_back(Size(q, label));
  }
  return input.Finish(Reshape(Permute(heads, {0, 2, 3, 1}), sizes, q.format().str()));
}

}  // namespace lamina
