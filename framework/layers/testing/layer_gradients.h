// For tests: are the derivatives of a layer right, with respect to its inputs, its learnables and
// its old states, of its outputs and its new states, first and second?
//
//   EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({4, 3, 2, 5}, "SSCB")}));
//
// The layer is initialised; its parameters are taken in double, at the values that they have. It is
// called as in training, so that a Backward of its own is what is checked. Threads: any one.
#ifndef FRAMEWORK_LAYERS_TESTING_LAYER_GRADIENTS_H_
#define FRAMEWORK_LAYERS_TESTING_LAYER_GRADIENTS_H_

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/layers/any_layer.h"

namespace lamina {

testing::AssertionResult LayerGradientsAgree(const AnyLayer& layer, const DlArrays& inputs,
                                             const GradientCheckOptions& options = {});

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_TESTING_LAYER_GRADIENTS_H_
