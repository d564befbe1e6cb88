#include "framework/ops/softmax.h"

#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/cpu/softmax.h"
#include "framework/ops/data_format.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

// Softmax or its logarithm over `count` neighbouring dims from `first` on.
class SoftmaxOp : public Op, public WrittenOp {
 public:
  SoftmaxOp(bool logarithm, int first, int count)
      : logarithm_(logarithm), first_(first), count_(count) {}
  std::string_view Name() const override { return logarithm_ ? "logsoftmax" : "softmax"; }
  std::string Attributes() const override {
    return absl::StrCat("first_dim=", first_, " dims=", count_);
  }
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    outputs->push_back(inputs[0]);
  }
  void Run(Arrays inputs, Results outputs) const override {
    const DlArray& x = inputs[0];
    int64_t inner = 1, n = 1, outer = 1;
    for (int d = 0; d < x.rank(); ++d) {
      (d < first_ ? inner : d < first_ + count_ ? n : outer) *= x.size(d);
    }
    const auto kernel = logarithm_ ? cpu::LogSoftmax : cpu::Softmax;
    if (x.numel() > 0) kernel(x.type(), inner, n, outer, x.data()->bytes(), outputs.bytes(0));
    if (x.numel() == 0) outputs.Share(0, x);
  }
  bool HasFastKernel() const override { return true; }
  // The greatest element is taken off first, so that nothing overflows.
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const ArraySpec& x = w.input(0);
    Sizes others = x.sizes, along = x.sizes;
    for (int d = 0; d < x.rank(); ++d) {
      (d >= first_ && d < first_ + count_ ? others : along)[d] = 1;
    }
    loops::LoopBuilder& code = w.code();
    w.ForEach(others, x.format, [&](const Indices& outer) {
      const auto each = [&](const std::function<void(const Indices&)>& body) {
        w.ForEach(along, x.format, [&](Indices at) {
          for (int d = 0; d < x.rank(); ++d) {
            if (d < first_ || d >= first_ + count_) at[d] = outer[d];
          }
          body(at);
        });
      };
      const Expression greatest = code.Var(
          "greatest", Expression::Number(-std::numeric_limits<double>::infinity(), x.type));
      const Expression total = code.Var("total", Expression::Number(0, x.type));
      each([&](const Indices& at) {
        const Expression value = code.Let("value", w.Load(0, at));
        code.If(value > greatest, [&] { code.Assign(greatest, value); });
      });
      each([&](const Indices& at) {
        const Expression value = Exp(w.Load(0, at) - greatest);
        if (logarithm_) return code.Assign(total, total + value);
        const Expression power = code.Let("power", value);
        w.Store(0, at, power);
        code.Assign(total, total + power);
      });
      if (logarithm_) {
        const Expression shift = code.Let("shift", greatest + Log(total));
        each([&](const Indices& at) { w.Store(0, at, w.Load(0, at) - shift); });
      } else {
        each([&](const Indices& at) { w.Store(0, at, w.LoadOutput(0, at) / total); });
      }
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    std::vector<int> dims(count_);
    std::iota(dims.begin(), dims.end(), first_);
    const DlArray &y = call.outputs[0], &dy = call.output_gradients[0];
    if (logarithm_) return {dy - Exp(y) * Sum(dy, DimSet(dims))};
    return {y * (dy - Sum(dy * y, DimSet(dims)))};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }

 private:
  bool logarithm_;
  int first_, count_;
};

DlArray Over(std::string_view function, bool logarithm, const DlArray& x_any, const DimSet& dims) {
  internal::RequireReal(function, x_any);
  const DlArray x = internal::ToFloating(x_any);
  const uint32_t mask = dims.Mask(function, x.spec());
  std::vector<int> chosen, others;
  for (int d = 0; d < x.rank(); ++d) (mask >> d & 1 ? chosen : others).push_back(d);
  const int count = static_cast<int>(chosen.size());
  const int first = count > 0 ? chosen[0] : 0;
  if (count == 0 || chosen.back() - first == count - 1) {
    return Apply(std::make_shared<SoftmaxOp>(logarithm, first, count), {x});
  }
  // Dims that are no neighbours are brought together first.
  std::vector<int> order = chosen;
  order.insert(order.end(), others.begin(), others.end());
  std::vector<int> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) back[order[i]] = static_cast<int>(i);
  const DlArray together = Permute(StripDims(x), order);
  const DlArray y =
      Permute(Apply(std::make_shared<SoftmaxOp>(logarithm, 0, count), {together}), back);
  return x.format().empty() ? y : DlArray(y, x.format().str());
}

DlArray OverChannels(std::string_view function, bool logarithm, const DlArray& x,
                     std::string_view format) {
  const internal::FormattedInput input(function, x, format);
  internal::RequireLabel(function, input.x(), 'C');
  return input.Finish(Over(function, logarithm, input.x(), 'C'));
}

}  // namespace

DlArray Softmax(const DlArray& x, std::string_view format) {
  return OverChannels("Softmax", false, x, format);
}
DlArray LogSoftmax(const DlArray& x, std::string_view format) {
  return OverChannels("LogSoftmax", true, x, format);
}
DlArray SoftmaxOver(const DlArray& x, const DimSet& dims) {
  return Over("Softmax", false, x, dims);
}
DlArray LogSoftmaxOver(const DlArray& x, const DimSet& dims) {
  return Over("LogSoftmax", true, x, dims);
}

}  // namespace lamina
