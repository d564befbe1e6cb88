#include "framework/ops/shape.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/cpu/permute.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

// The same elements under other sizes and labels.
class ReshapeOp : public Op, public WrittenOp {
 public:
  ReshapeOp(Sizes sizes, Format format) : sizes_(std::move(sizes)), format_(std::move(format)) {}
  std::string_view Name() const override { return "reshape"; }
  std::string Attributes() const override {
    std::string text = absl::StrCat("sizes=", ToString(sizes_));
    if (!format_.empty()) absl::StrAppend(&text, " format=", format_.str());
    return text;
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    const int64_t have = in[0].numel(), want = NumElements(sizes_);
    if (have != want) {
      throw Error("dlarray:ElementCount",
                  absl::StrCat("Reshape to ", ToString(sizes_), " needs ",
                               internal::Counted(want, "element"), "."),
                  absl::StrCat("A ", ToString(in[0]), " with ", have, " came."),
                  "Give sizes whose product is the number of elements; one may be -1.");
    }
    out->push_back(ArraySpec{in[0].type, sizes_, format_});
  }
  void Run(Arrays in, Results out) const override { out.Share(0, in[0]); }
  void Write(OpWriter& w) const override { w.View(0, 0); }
  DlArrays Gradient(const GradientCall& call) const override {
    return {
        Reshape(call.output_gradients[0], call.inputs[0].sizes(), call.inputs[0].format().str())};
  }

 private:
  Sizes sizes_;
  Format format_;
};

// Replaces the one -1 by what the number of elements leaves for it.
Sizes Completed(const ArraySpec& x, const Sizes& sizes) {
  Sizes out = sizes;
  int64_t* open = nullptr;
  int64_t rest = 1;
  bool good = true;
  for (int64_t& s : out) {
    if (s == -1 && open == nullptr) {
      open = &s;
    } else if (s < 0) {
      good = false;
    } else if (s > 0 && rest > x.numel() / s) {
      rest = x.numel() + 1;  // Too many already; the product itself might overflow.
    } else {
      rest *= s;
    }
  }
  if (open != nullptr) {
    if (!good || rest == 0 || x.numel() % rest != 0) {
      good = false;
    } else {
      *open = x.numel() / rest;
    }
  } else if (rest != x.numel()) {
    good = false;
  }
  if (!good) {
    throw Error(
        "dlarray:ElementCount",
        absl::StrCat("Reshape keeps the number of elements, here ", x.numel(), "."),
        absl::StrCat("A ", ToString(x), " and sizes [", absl::StrJoin(sizes, " "), "] came."),
        "Give sizes with that product; one of them may be -1 if the others divide it.");
  }
  return out;
}

class PermuteOp : public Op, public WrittenOp {
 public:
  explicit PermuteOp(std::vector<int> order) : order_(std::move(order)) {}
  std::string_view Name() const override { return "permute"; }
  std::string Attributes() const override {
    return absl::StrCat("order=[", absl::StrJoin(order_, " "), "]");
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    LAMINA_CHECK(in[0].sizes.size() == order_.size());
    ArraySpec spec = in[0];
    for (size_t d = 0; d < order_.size(); ++d) spec.sizes[d] = in[0].sizes[order_[d]];
    out->push_back(std::move(spec));
  }
  void Run(Arrays in, Results out) const override {
    const Sizes& sizes = in[0].sizes();
    if (!internal::MovesElements(sizes, order_) || in[0].numel() == 0) {
      return out.Share(0, in[0]);
    }
    cpu::Permute(SizeOf(in[0].type()), in[0].data()->bytes(), sizes, order_, out.bytes(0));
  }
  void Write(OpWriter& w) const override { internal::WritePermuted(w, order_); }
  DlArrays Gradient(const GradientCall& call) const override {
    std::vector<int> inverse(order_.size());
    for (size_t d = 0; d < order_.size(); ++d) inverse[order_[d]] = static_cast<int>(d);
    return {Permute(call.output_gradients[0], inverse)};
  }

 private:
  std::vector<int> order_;
};

bool IsPermutation(std::span<const int> order) {
  std::vector<bool> seen(order.size());
  for (int d : order) {
    if (d < 0 || d >= static_cast<int>(order.size()) || seen[d]) return false;
    seen[d] = true;
  }
  return true;
}

}  // namespace

DlArray StripDims(const DlArray& x, std::string_view format) {
  Format::SortingPermutation(format);  // Its labels are good.
  if (x.format().empty()) return x;
  // Dims of x in the order of `format`; -1 where x has none.
  std::vector<int> order;
  Sizes sizes;
  std::vector<bool> taken(x.rank());
  for (char label : format) {
    int dim = 0;
    while (dim < x.rank() && (taken[dim] || x.format()[dim] != label)) ++dim;
    if (dim == x.rank()) {
      sizes.push_back(1);
      continue;
    }
    taken[dim] = true;
    order.push_back(dim);
    sizes.push_back(x.size(dim));
  }
  if (static_cast<int>(order.size()) < x.rank()) {
    throw Error("dlarray:FormatMismatch", "StripDims needs each label of the array in the format.",
                absl::StrCat("A ", ToString(x.spec()), " and the format \"", std::string(format),
                             "\" came."),
                "Add the missing labels to the format.");
  }
  return Reshape(Permute(StripDims(x), order), sizes);
}

DlArray Reshape(const DlArray& x, const Sizes& sizes, std::string_view format) {
  Sizes completed = Completed(x.spec(), sizes);
  if (format.empty()) {
    if (x.format().empty() && x.sizes() == completed) return x;
    return Apply(std::make_shared<ReshapeOp>(std::move(completed), Format()), {x});
  }
  Format sorted = Format::Sorted(format);
  if (!(sorted == format)) return DlArray(Reshape(x, completed), format);
  completed = internal::SizesForLabels(completed, format);
  if (x.format() == sorted && x.sizes() == completed) return x;
  return Apply(std::make_shared<ReshapeOp>(std::move(completed), std::move(sorted)), {x});
}

DlArray Permute(const DlArray& x, std::span<const int> order) {
  const int rank = static_cast<int>(order.size());
  if (!IsPermutation(order) || rank < x.rank() || (rank > x.rank() && !x.format().empty())) {
    throw Error(
        "dlarray:DimOutOfRange",
        absl::StrCat("Permute expects each dim of the array once, from 0 to ", x.rank() - 1, "."),
        absl::StrCat("The order [", absl::StrJoin(order, " "), "] for a ", ToString(x.spec()),
                     " came."),
        "Write a permutation of the dims.");
  }
  std::vector<int> dims(order.begin(), order.end());
  if (!x.format().empty()) {
    std::string labels;
    for (int d : dims) labels += x.format()[d];
    const std::vector<int> sorting = Format::SortingPermutation(labels);
    for (int d = 0; d < rank; ++d) dims[d] = order[sorting[d]];
  }
  if (std::is_sorted(dims.begin(), dims.end())) return x;
  if (rank > x.rank()) {
    Sizes sizes = x.sizes();
    sizes.resize(rank, 1);
    return Apply(std::make_shared<PermuteOp>(std::move(dims)), {Reshape(x, sizes)});
  }
  return Apply(std::make_shared<PermuteOp>(std::move(dims)), {x});
}

DlArray Transpose(const DlArray& x) {
  if (!x.format().empty()) {
    throw Error("dlarray:FormatMismatch",
                "Transpose expects an array without labels: a labelled one always has its dims in "
                "the order S C B T U.",
                absl::StrCat("A ", ToString(x.spec()), " came."),
                "Use StripDims(x) first, or Contract, which names the dim it sums over.");
  }
  if (x.rank() == 0) return x;
  std::vector<int> order(std::max(x.rank(), 2));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[0], order[1]);
  return Permute(x, order);
}

DlArray Repmat(const DlArray& x, std::span<const int64_t> counts) {
  const bool negative = std::any_of(counts.begin(), counts.end(), [](int64_t c) { return c < 0; });
  const int rank = std::max(x.rank(), static_cast<int>(counts.size()));
  if (negative || (rank > x.rank() && !x.format().empty())) {
    throw Error(negative ? "dlarray:InvalidSize" : "dlarray:DimOutOfRange",
                "Repmat expects for each dim how often it is repeated, 0 or more.",
                absl::StrCat("Counts [", absl::StrJoin(counts, " "), "] for a ", ToString(x.spec()),
                             " came."),
                "Give at most one count for each dim of a labelled array.");
  }
  // A repeated dim of size n becomes n x 1, is broadcast to n x count, and is taken together again.
  Sizes split, repeated, result;
  bool changes = false;
  for (int d = 0; d < rank; ++d) {
    const int64_t count = d < static_cast<int>(counts.size()) ? counts[d] : 1;
    split.push_back(x.size(d));
    repeated.push_back(x.size(d));
    result.push_back(x.size(d) * count);
    if (count == 1) continue;
    changes = true;
    split.push_back(1);
    repeated.push_back(count);
  }
  if (!changes) return Reshape(x, result, x.format().str());
  return Reshape(BroadcastTo(Reshape(x, split), ArraySpec{x.type(), repeated, {}}), result,
                 x.format().str());
}

DlArray Squeeze(const DlArray& x) {
  Sizes sizes;
  std::string labels;
  for (int d = 0; d < x.rank(); ++d) {
    if (x.size(d) == 1) continue;
    sizes.push_back(x.size(d));
    if (!x.format().empty()) labels += x.format()[d];
  }
  return Reshape(x, sizes, labels);
}

}  // namespace lamina
