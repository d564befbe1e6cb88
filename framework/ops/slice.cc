// Parts of arrays along one dim: side by side (Cat), one of them (Slice), and one among zeros,
// which is the derivative of Slice.
#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "framework/cpu/strided_copy.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/parts_op.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {

using internal::AlongDim;

std::string SliceRange::ToString() const {
  return absl::StrCat("dim=", dim, " start=", start, " count=", count, " step=", step);
}

Indices SliceRange::At(Indices i) const {
  i.resize(std::max(i.size(), static_cast<size_t>(dim) + 1), loops::Expression(0));
  i[dim] = loops::Expression(start) + i[dim] * loops::Expression(step);
  return i;
}

namespace {

// Copies between a whole array and its part at `range`, in either direction.
void CopyPart(size_t element, const AlongDim& whole, const SliceRange& range, bool to_part,
              const void* from, void* to) {
  const std::array<int64_t, 3> sizes = {whole.inner, range.count, whole.outer};
  const std::array<int64_t, 3> in_whole = {1, range.step * whole.inner, whole.n * whole.inner};
  const std::array<int64_t, 3> in_part = {1, whole.inner, range.count * whole.inner};
  const size_t offset = range.start * whole.inner * element;
  if (to_part) {
    cpu::StridedCopy(element, sizes, static_cast<const char*>(from) + offset, in_whole, to,
                     in_part);
  } else {
    cpu::StridedCopy(element, sizes, from, in_part, static_cast<char*>(to) + offset, in_whole);
  }
}

// Zeros of `size` along the dim, the input at `range`. The range is that of a Slice.
class EmbedSliceOp : public Op, public WrittenOp {
 public:
  EmbedSliceOp(const SliceRange& range, int64_t size) : range_(range), size_(size) {}
  std::string_view Name() const override { return "embed_slice"; }
  std::string Attributes() const override {
    return absl::StrCat(range_.ToString(), " size=", size_);
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    LAMINA_CHECK(in[0].size(range_.dim) == range_.count);
    out->push_back(in[0]);
    out->back().sizes[range_.dim] = size_;
  }
  void Run(Arrays in, Results out) const override {
    void* to = out.bytes(0);
    const ArraySpec& spec = out.spec(0);
    const size_t element = SizeOf(spec.type);
    if (spec.numel() > 0) std::memset(to, 0, spec.numel() * element);
    if (in[0].numel() == 0) return;
    CopyPart(element, AlongDim(spec.sizes, range_.dim), range_, /*to_part=*/false,
             in[0].data()->bytes(), to);
  }
  void Write(OpWriter& w) const override {
    const ArraySpec& out = w.output(0);
    w.ForEach(out.sizes, out.format,
              [&](const Indices& i) { w.Store(0, i, loops::Expression::Number(0, out.type)); });
    w.ForEach(w.input(0).sizes, out.format,
              [&](const Indices& i) { w.Store(0, range_.At(i), w.Load(0, i)); });
  }
  bool ReadsElementsOnce() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Slice(call.output_gradients[0], range_.dim, range_.start, range_.count, range_.step)};
  }

 private:
  SliceRange range_;
  int64_t size_;
};

// Whether all of start, start + step, ... lie in [0, n).
bool InRange(const SliceRange& r, int64_t n) {
  if (r.count < 0 || r.step == 0) return false;
  if (r.count == 0) return true;
  if (r.start < 0 || r.start >= n) return false;
  const int64_t steps = r.step > 0 ? (n - 1 - r.start) / r.step : -(r.start / r.step);
  return r.count - 1 <= steps;
}

std::string Both(const ArraySpec& first, const ArraySpec& other, size_t number) {
  return absl::StrCat("Array 0 is a ", ToString(first), ", array ", number, " a ", ToString(other),
                      ".");
}

}  // namespace

std::string CatOp::Attributes() const { return absl::StrCat("dim=", dim_); }

void CatOp::Infer(const Specs& in, SpecList* out) const {
  int rank = dim_ + 1;
  for (size_t i = 0; i < in.size(); ++i) rank = std::max(rank, in[i].rank());
  ArraySpec spec = in[0];
  spec.sizes.resize(rank, 1);
  for (size_t i = 1; i < in.size(); ++i) {
    LAMINA_CHECK(in[i].type == spec.type);
    if (!(in[i].format == spec.format)) {
      throw Error("dlarray:FormatMismatch", "Cat expects arrays with the same labels.",
                  Both(in[0], in[i], i), "Relabel one of them, or add the missing dims.");
    }
    for (int d = 0; d < rank; ++d) {
      if (d == dim_ || in[i].size(d) == spec.sizes[d]) continue;
      throw Error("dlarray:SizeMismatch",
                  absl::StrCat("Cat along dim ", dim_, " expects equal sizes in the others."),
                  absl::StrCat(Both(in[0], in[i], i), " Dim ", d, " differs."),
                  "Make the sizes agree, or put them side by side along the other dim.");
    }
    spec.sizes[dim_] += in[i].size(dim_);
  }
  out->push_back(std::move(spec));
}

void CatOp::Run(Arrays in, Results out) const {
  void* to = out.bytes(0);
  const ArraySpec& spec = out.spec(0);
  const AlongDim whole(spec.sizes, dim_);
  int64_t start = 0;
  for (const DlArray& x : in) {
    const SliceRange range{dim_, start, x.size(dim_), 1};
    start += range.count;
    if (x.numel() == 0) continue;
    CopyPart(SizeOf(spec.type), whole, range, /*to_part=*/false, x.data()->bytes(), to);
  }
}

void CatOp::Write(OpWriter& w) const {
  int64_t start = 0;
  for (int k = 0; k < w.num_inputs(); ++k) {
    Sizes sizes = w.input(k).sizes;
    sizes.resize(w.output(0).sizes.size(), 1);
    const SliceRange range{dim_, start, sizes[dim_], 1};
    start += range.count;
    w.ForEach(sizes, w.output(0).format, [&](const Indices& i) {
      const Indices from(i.begin(), i.begin() + w.input(k).rank());
      w.Store(0, range.At(i), w.Load(k, from));
    });
  }
}

DlArrays CatOp::Gradient(const GradientCall& call) const {
  DlArrays gradients(call.inputs.size());
  int64_t start = 0;
  for (size_t i = 0; i < gradients.size(); ++i) {
    const ArraySpec& x = call.inputs[i].spec();
    if (call.needed[i]) {
      const DlArray part = Slice(call.output_gradients[0], dim_, start, x.size(dim_));
      gradients[i] = Reshape(part, x.sizes, x.format.str());  // Trailing dims of size 1 go.
    }
    start += x.size(dim_);
  }
  return gradients;
}

void SliceOp::Infer(const Specs& in, SpecList* out) const {
  out->push_back(in[0]);
  out->back().sizes[range_.dim] = range_.count;
}

void SliceOp::Run(Arrays in, Results out) const {
  void* to = out.bytes(0);
  if (out.spec(0).numel() == 0) return;
  CopyPart(SizeOf(in[0].type()), AlongDim(in[0].sizes(), range_.dim), range_, /*to_part=*/true,
           in[0].data()->bytes(), to);
}

void SliceOp::Write(OpWriter& w) const {
  w.Define(0, [this, &w](const Indices& i) { return w.Load(0, range_.At(i)); });
}

DlArrays SliceOp::Gradient(const GradientCall& call) const {
  return {EmbedSlice(call.output_gradients[0], range_, call.inputs[0].size(range_.dim))};
}

DlArray EmbedSlice(const DlArray& part, const SliceRange& range, int64_t size) {
  return Apply(std::make_shared<EmbedSliceOp>(range, size), {part});
}

DlArray Slice(const DlArray& x, const DimSet& dim, int64_t start, int64_t count, int64_t step) {
  const SliceRange range{dim.Only("Slice", x.spec()), start, count, step};
  const int64_t n = x.size(range.dim);
  if (!InRange(range, n)) {
    throw Error("dlarray:IndexOutOfRange",
                absl::StrCat("Slice takes positions from 0 to ", n - 1, " along dim ", range.dim,
                             " of a ", ToString(x.spec()), "."),
                absl::StrCat("Start ", start, ", count ", count, ", step ", step, " came."),
                "Keep start and start + (count - 1) step within the dim; the step is not 0.");
  }
  if (start == 0 && count == n && (step == 1 || n == 1)) return x;
  return Apply(std::make_shared<SliceOp>(range), {x});
}

DlArray CircShift(const DlArray& x, const DimSet& dim, int64_t shift) {
  const int d = dim.Only("CircShift", x.spec());
  const int64_t n = x.size(d);
  if (n == 0 || shift % n == 0) return x;
  const int64_t back = (shift % n + n) % n;  // So many come from the end.
  return Cat(d, {Slice(x, d, n - back, back), Slice(x, d, 0, n - back)});
}

DlArray Flip(const DlArray& x, const DimSet& dims) {
  const uint32_t mask = dims.Mask("Flip", x.spec());
  DlArray y = x;
  for (int d = 0; d < x.rank(); ++d) {
    const int64_t n = x.size(d);
    if ((mask >> d & 1) && n > 1) y = Slice(y, d, n - 1, n, -1);
  }
  return y;
}

DlArray Cat(const DimSet& dim, std::span<const DlArray> arrays) {
  if (arrays.empty()) {
    throw Error("dlarray:EmptyList", "Cat expects at least one array.", "None came.",
                "Give the arrays that stand side by side.");
  }
  ArraySpec widest = arrays[0].spec();
  DataType type = widest.type;
  for (const DlArray& x : arrays) {
    type = Promote(type, x.type());
    const bool labelled = !x.format().empty(), so_far = !widest.format.empty();
    if (labelled != so_far ? labelled : x.rank() > widest.rank()) widest = x.spec();
  }
  const std::string labels = widest.format.str();
  // Unlabelled arrays may be put side by side along a new dim.
  if (widest.format.empty()) widest.sizes.push_back(1);
  const int d = dim.Only("Cat", widest);
  DlArrays parts;
  parts.reserve(arrays.size());
  for (const DlArray& x : arrays) {
    parts.push_back(Cast(x.format().empty() && !labels.empty() ? DlArray(x, labels) : x, type));
  }
  if (parts.size() == 1) return parts[0];
  return Apply(std::make_shared<CatOp>(d), parts);
}

}  // namespace lamina
