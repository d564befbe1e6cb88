// Between complex and real data.
//
//   ComplexToRealLayer(), RealToComplexLayer(), ComplexReluLayer()
//
//   DlNetwork net({SequenceInputLayer(3), ComplexToRealLayer(), FullyConnectedLayer(8)});
//
// Other layers take complex data where their formula has a meaning for it (fully connected,
// convolution, LSTM, addition, dropout, ...). Those that need an order of numbers or work on real
// ones (ReLU and its kind, softmax, pooling, normalization) refuse it and name themselves.
// Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_COMPLEX_LAYERS_H_
#define FRAMEWORK_LAYERS_COMPLEX_LAYERS_H_

#include "framework/layers/layer.h"
#include "framework/ops/elementwise.h"

namespace lamina {

/// The real parts, and behind them the imaginary parts, along C: complex 3(C) x 8(B) gives real
/// 6(C) x 8(B). The imaginary parts of real data are zeros. Errors: "dlarray:LabelNotFound" without
/// a C dim.
struct ComplexToRealLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const;
};

/// Back again: the first half of the channels are real parts, the second half imaginary parts.
/// Errors: "layer:InputFormat" for an odd number of channels and for complex data;
/// "dlarray:LabelNotFound" without a C dim.
struct RealToComplexLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const;
};

/// max(x, 0) of the real and of the imaginary part, each by itself. Source: Trabelsi et al., Deep
/// Complex Networks, arXiv:1705.09792, section 3.4.
struct ComplexReluLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    return IsComplex(x.type()) ? Complex(Relu(Real(x)), Relu(Imag(x))) : Relu(x);
  }
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_COMPLEX_LAYERS_H_
