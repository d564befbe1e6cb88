// Labels given, replaced and dropped, as one op, so that derivatives pass.
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/cpu/permute.h"
#include "framework/ops/op.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

class RelabelOp : public Op, public WrittenOp {
 public:
  // Labels in any order, one for each dim of the input; none to drop labels.
  explicit RelabelOp(std::string_view labels) : labels_(labels) {}
  std::string_view Name() const override { return "relabel"; }
  std::string Attributes() const override { return absl::StrCat("format=\"", labels_, "\""); }
  void Infer(const Specs& x, SpecList* outputs) const override {
    outputs->push_back(internal::SpecInOrder(x[0].type, x[0].sizes, labels_));
  }
  void Run(Arrays x, Results outputs) const override {
    const std::vector<int> order = Format::SortingPermutation(labels_);
    if (std::is_sorted(order.begin(), order.end())) return outputs.Share(0, x[0]);
    const Sizes sizes = internal::SizesForLabels(x[0].sizes(), labels_);
    cpu::Permute(SizeOf(x[0].type()), x[0].data()->bytes(), {sizes.data(), sizes.size()}, order,
                 outputs.bytes(0));
  }
  void Write(OpWriter& w) const override {
    internal::WritePermuted(w, Format::SortingPermutation(labels_));
  }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray& dy = call.output_gradients[0];
    const ArraySpec& x = call.inputs[0].spec();
    // Back to the order of the input's dims, then to its sizes and labels.
    const std::vector<int> order = Format::SortingPermutation(labels_);
    std::vector<int> back(order.size());
    for (size_t i = 0; i < order.size(); ++i) back[order[i]] = static_cast<int>(i);
    DlArray g = StripDims(dy);
    if (!std::is_sorted(order.begin(), order.end())) g = Permute(g, back);
    return {Reshape(g, x.sizes, x.format.str())};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  std::string labels_;
};

}  // namespace

DlArray::DlArray(const DlArray& data, std::string_view format)
    : data_(data.format() == format
                ? data.data()
                : Apply(std::make_shared<RelabelOp>(format), Arrays(&data, 1)).data()) {}

DlArray StripDims(const DlArray& x) {
  static const RelabelOp* const kStrip = new RelabelOp("");
  return x.format().empty() ? x : Apply(StaticOp(*kStrip), Arrays(&x, 1));
}

}  // namespace lamina
