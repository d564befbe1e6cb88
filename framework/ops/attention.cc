#include "framework/ops/attention.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/attention_op.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"

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
                absl::StrCat(internal::Counted(num_heads, "head"), " came for queries of ",
                             internal::Counted(Size(q, 'C'), "channel"), " and values of ",
                             Size(v, 'C'), "."),
                "");
  }
  if (Size(k, 'T') < 1) {
    throw Error("ops:EmptySequence", "Attention expects at least one key.",
                absl::StrCat("Keys ", ToString(k.spec()), " came."), "");
  }
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
  DataType type = Promote(Promote(q.type(), k.type()), v.type());
  if (!IsFloating(type)) type = DataType::kSingle;
  const auto plain = [type](const DlArray& x) {
    return Cast(Reshape(StripDims(x), {Size(x, 'C'), Size(x, 'B'), Size(x, 'T')}), type);
  };
  const DlArray y = internal::AttendHeads(
      plain(q), plain(k), plain(v),
      {num_heads, options.scale.value_or(1 / std::sqrt(depth)), options.causal});
  Sizes sizes{Size(v, 'C')};
  for (const char label : {'B', 'T'}) {
    if (FindDim(q, label) >= 0) sizes.push_back(Size(q, label));
  }
  return input.Finish(Reshape(y, sizes, q.format().str()));
}

}  // namespace lamina
