#include "framework/ops/split.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

class SplitOp : public Op, public WrittenOp {
 public:
  SplitOp(int dim, Sizes parts) : dim_(dim), parts_(std::move(parts)) {}
  std::string_view Name() const override { return "split"; }
  std::string Attributes() const override {
    std::string text = absl::StrCat("dim=", dim_, " parts=[");
    for (int64_t p : parts_) absl::StrAppend(&text, text.back() == '[' ? "" : " ", p);
    return text + "]";
  }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    outputs->assign(parts_.size(), inputs[0]);
    for (size_t i = 0; i < parts_.size(); ++i) (*outputs)[i].sizes[dim_] = parts_[i];
  }
  void Run(Arrays inputs, Results outputs) const override {
    const DlArray& x = inputs[0];
    size_t inner = SizeOf(x.type());
    int64_t outer = 1;
    for (int d = 0; d < dim_; ++d) inner *= static_cast<size_t>(x.size(d));
    for (int d = dim_ + 1; d < x.rank(); ++d) outer *= x.size(d);
    const size_t row = inner * static_cast<size_t>(x.size(dim_));
    const char* from = static_cast<const char*>(x.data()->bytes());
    for (size_t i = 0; i < parts_.size(); ++i) {
      const size_t bytes = inner * static_cast<size_t>(parts_[i]);
      char* to = static_cast<char*>(outputs.bytes(i));
      for (int64_t o = 0; bytes > 0 && o < outer; ++o) {
        std::memcpy(to + static_cast<size_t>(o) * bytes, from + static_cast<size_t>(o) * row,
                    bytes);
      }
      from += bytes;
    }
  }
  void Write(OpWriter& w) const override {
    int64_t start = 0;
    for (size_t part = 0; part < parts_.size(); ++part) {
      w.Define(static_cast<int>(part), [this, &w, start](Indices i) {
        i[dim_] = i[dim_] + loops::Expression(start);
        return w.Load(0, i);
      });
      start += parts_[part];
    }
  }
  DlArrays Gradient(const GradientCall& call) const override {
    DlArrays parts(call.output_gradients.begin(), call.output_gradients.end());
    for (size_t i = 0; i < parts.size(); ++i) {
      const ArraySpec& spec = call.outputs[i].spec();
      // L does not depend on this part.
      if (parts[i].empty()) parts[i] = BroadcastTo(Cast(0.0, spec.type), spec);
    }
    return {Cat(dim_, parts)};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  int dim_;
  Sizes parts_;
};

}  // namespace

DlArrays Split(const DlArray& x, const DimSet& dim, const Sizes& parts) {
  const int d = dim.Only("Split", x.spec());
  if (parts.empty()) {
    throw Error("dlarray:EmptyList", "Split expects the size of at least one part.", "None came.",
                "");
  }
  int64_t sum = 0;
  bool valid = true;
  for (int64_t p : parts) {
    valid = valid && p >= 0 && p <= x.size(d);
    if (valid) sum += p;
  }
  if (!valid || sum != x.size(d)) {
    std::string text;
    for (int64_t p : parts) absl::StrAppend(&text, text.empty() ? "" : ", ", p);
    throw Error("dlarray:SizeMismatch",
                absl::StrCat("The parts of a split along dim ", d, " of a ", ToString(x.spec()),
                             " add up to ", x.size(d), "."),
                absl::StrCat("Parts ", text, " came."), "Give the size of each part.");
  }
  return ApplyAll(std::make_shared<SplitOp>(d, parts), Arrays(&x, 1));
}

}  // namespace lamina
