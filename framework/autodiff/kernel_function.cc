#include "framework/autodiff/kernel_function.h"

#include <algorithm>
#include <memory>

#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"

namespace lamina::internal {
namespace {

// Arrays with handles of their own.
class SameArrays : public GradientRule {
 public:
  std::string_view Name() const override { return "same"; }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  DlArrays Gradient(const GradientCall& call) const override {
    return DlArrays(call.output_gradients.begin(), call.output_gradients.end());
  }
};

class KernelFunctionOp : public DeviceKernelOp {
 public:
  using DeviceKernelOp::DeviceKernelOp;

  SaveMask SavedOutputs() const override { return kSaveNone; }
  DlArrays Gradient(const GradientCall& call) const override {
    const bool is_watched = Tape::Current() != nullptr;  // To be differentiated again.
    return DlFeval([&](const DlArrays& x) { return GradientOf(x, call, is_watched); },
                   DlArrays(call.inputs.begin(), call.inputs.end()));
  }

 private:
  DlArrays GradientOf(const DlArrays& watched, const GradientCall& call, bool again) const {
    // One array may be two inputs: each is a variable of its own.
    const DlArrays x =
        WithGradientRule(std::make_shared<SameArrays>(), watched, [&] { return watched; });
    DlArrays variables;
    for (size_t i = 0; i < x.size(); ++i) {
      if (call.needed[i]) variables.push_back(x[i]);
    }
    const DlArrays y = Compose(x);
    DlArrays sums(variables.size());
    for (size_t k = 0; k < y.size(); ++k) {
      const DlArray& g = call.output_gradients[k];
      if (g.empty() || !Tape::Current()->IsWatched(y[k])) continue;
      const DlArrays part = DlVectorJacobian(
          y[k], g, variables, {.retain_data = true, .enable_higher_derivatives = again});
      for (size_t v = 0; v < sums.size(); ++v) {
        sums[v] = sums[v].empty() ? part[v] : sums[v] + part[v];
      }
    }
    DlArrays gradients(call.inputs.size());
    for (size_t i = 0, v = 0; i < gradients.size(); ++i) {
      if (call.needed[i]) gradients[i] = sums[v++];
    }
    return gradients;
  }
};

}  // namespace

OpPtr MakeKernelFunctionOp(DeviceKernel kernel, const std::type_info& type,
                           std::function<DlArrays(Arrays)> function) {
  return std::make_shared<KernelFunctionOp>(std::move(kernel), ClassName(type),
                                            std::move(function));
}

bool AllHaveValues(Arrays inputs) {
  return std::all_of(inputs.begin(), inputs.end(), [](const DlArray& x) { return x.has_values(); });
}

}  // namespace lamina::internal
