#include "tools/bench/workload.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"

namespace lamina::bench {

DlArrays Run(Work& work, int steps) {
  DlArrays outputs;
  for (int i = 0; i < steps; ++i) {
    if (work.rates) work.inputs[0] = work.rates(++work.step);
    outputs = work.function(work.inputs);
    std::copy_n(outputs.begin(), work.carried, work.inputs.end() - work.carried);
  }
  return outputs;
}

std::function<void()> StepOf(Work work) {
  if (!work.is_eager) {
    work.function = [f = DlAccelerate(std::move(work.function), {.wait_for_compiler = true})](
                        const DlArrays& in) { return f(in); };
  }
  return [work = std::move(work)]() mutable { Run(work, 1); };
}

Work WithGradients(std::function<DlArray(const DlArrays&)> f, DlArrays inputs, DlArray weights) {
  inputs.push_back(std::move(weights));
  const auto function = [f = std::move(f)](const DlArrays& in) {
    return DlFeval(
        [&](const DlArrays& watched) {
          DlArrays outputs{f(watched)};
          DlArrays gradients = DlVectorJacobian(outputs[0], in.back(), watched);
          std::move(gradients.begin(), gradients.end(), std::back_inserter(outputs));
          return outputs;
        },
        DlArrays(in.begin(), in.end() - 1));
  };
  return {.inputs = std::move(inputs), .function = function};
}

}  // namespace lamina::bench
