// All built-in layers, and the list of their types: what is read from a file is made from it.
//
// They are layers like yours, on the same contract (layer.h): nothing here is known to the rest of
// the framework by more than its type.
#ifndef FRAMEWORK_LAYERS_BUILTIN_LAYERS_H_
#define FRAMEWORK_LAYERS_BUILTIN_LAYERS_H_

#include "framework/layers/activation_layers.h"
#include "framework/layers/combination_layers.h"
#include "framework/layers/complex_layers.h"
#include "framework/layers/convolution_layers.h"
#include "framework/layers/fully_connected_layer.h"
#include "framework/layers/function_layer.h"
#include "framework/layers/input_layers.h"
#include "framework/layers/lstm_layer.h"
#include "framework/layers/normalization_layers.h"
#include "framework/layers/pooling_layers.h"
#include "framework/layers/utility_layers.h"

namespace lamina {

/// Some classes of layers.
template <class... T>
struct LayerTypes {};

/// All that can be made without arguments: not FunctionLayer, which holds a function.
using BuiltinLayers =
    LayerTypes<FeatureInputLayer, ImageInputLayer, Image3dInputLayer, SequenceInputLayer,
               InputLayer, FullyConnectedLayer, Convolution1dLayer, Convolution2dLayer,
               Convolution3dLayer, ReluLayer, LeakyReluLayer, ClippedReluLayer, EluLayer,
               PReluLayer, GeluLayer, SoftplusLayer, SwishLayer, TanhLayer, SigmoidLayer,
               SoftmaxLayer, BatchNormalizationLayer, LayerNormalizationLayer,
               GroupNormalizationLayer, InstanceNormalizationLayer, MaxPooling1dLayer,
               MaxPooling2dLayer, MaxPooling3dLayer, AveragePooling1dLayer, AveragePooling2dLayer,
               AveragePooling3dLayer, GlobalMaxPooling1dLayer, GlobalMaxPooling2dLayer,
               GlobalMaxPooling3dLayer, GlobalAveragePooling1dLayer, GlobalAveragePooling2dLayer,
               GlobalAveragePooling3dLayer, DropoutLayer, FlattenLayer, IdentityLayer,
               AdditionLayer, MultiplicationLayer, ConcatenationLayer, DepthConcatenationLayer,
               LstmLayer, ComplexToRealLayer, RealToComplexLayer, ComplexReluLayer>;

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_BUILTIN_LAYERS_H_
