#include "framework/layers/testing/layer_gradients.h"

#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"

namespace lamina {

testing::AssertionResult LayerGradientsAgree(const AnyLayer& layer, const DlArrays& inputs,
                                             const GradientCheckOptions& options) {
  DlArrays all = inputs;
  AnyLayer copy = layer;
  const auto append = [&](const DlArray& p) { all.push_back(Double(p)); };
  copy->ForEachLearnable(append);
  copy->ForEachState(append);
  const auto f = [&](const DlArrays& values) {
    RandomSource source{.seed = 7};  // Each call of the function draws the same.
    const ScopedRandomSource scope(source);
    AnyLayer called = layer;
    size_t next = inputs.size();
    const auto take = [&](DlArray& p) { p = values[next++]; };
    called->ForEachLearnable(take);
    called->ForEachState(take);
    const LayerResult result = called.Forward(Arrays(values.data(), inputs.size()));
    DlArrays flat;
    for (const DlArrays* list : {&result.outputs, &result.states}) {
      for (const DlArray& y : *list) flat.push_back(Reshape(StripDims(y), {-1}));
    }
    return Cat(0, flat);
  };
  return GradientsAgree(f, all, options);
}

}  // namespace lamina
