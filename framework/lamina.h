// All that a layer author includes: the layer contract, first values of weights, arrays and what
// can be done with them, derivatives.
//
//   #include "framework/lamina.h"
//
//   struct ScaleLayer : lamina::Layer {
//     lamina::Learnable scale{*this, "Scale", 1.0};
//     lamina::DlArray Predict(const lamina::DlArray& x) const { return scale * x; }
//   };
//
// Threads: see each header.
#ifndef FRAMEWORK_LAMINA_H_
#define FRAMEWORK_LAMINA_H_

// IWYU pragma: begin_exports
#include "framework/autodiff/differentiable_function.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/kernel_function.h"
#include "framework/dlarray/dlarray.h"
#include "framework/layers/any_layer.h"
#include "framework/layers/initializers.h"
#include "framework/layers/layer.h"
#include "framework/layers/network_data_layout.h"
#include "framework/network/nested_network.h"
#include "framework/ops/activation.h"
#include "framework/ops/attention.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/cumulative.h"
#include "framework/ops/dims.h"
#include "framework/ops/einsum.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gather_along.h"
#include "framework/ops/linear_algebra.h"
#include "framework/ops/loss.h"
#include "framework/ops/lstm.h"
#include "framework/ops/matmul.h"
#include "framework/ops/normalization.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "framework/ops/sort.h"
#include "framework/ops/spectral.h"
#include "framework/ops/split.h"
// IWYU pragma: end_exports

#endif  // FRAMEWORK_LAMINA_H_
