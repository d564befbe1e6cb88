// Layers that make one array of several.
//
//   AdditionLayer(2), MultiplicationLayer(2), ConcatenationLayer('T', 2),
//   DepthConcatenationLayer(3)
//
// Their inputs are named "in1", "in2", ... Sums and products expand dims of size 1. Errors of the
// constructors: "layer:InvalidSetting". Threads: as any layer (layer.h).
#ifndef FRAMEWORK_LAYERS_COMBINATION_LAYERS_H_
#define FRAMEWORK_LAYERS_COMBINATION_LAYERS_H_

#include <string>

#include "framework/layers/layer.h"

namespace lamina {

class AdditionLayer : public Layer, public Formattable, public Acceleratable {
 public:
  explicit AdditionLayer(int num_inputs = 2);
  DlArray Predict(const DlArrays& x) const;
};

class MultiplicationLayer : public Layer, public Formattable, public Acceleratable {
 public:
  explicit MultiplicationLayer(int num_inputs = 2);
  DlArray Predict(const DlArrays& x) const;
};

/// Side by side along the dim with this label (the first of several S dims), or along a dim counted
/// from 0. All other sizes are equal.
class ConcatenationLayer : public Layer, public Formattable, public Acceleratable {
 public:
  Property<std::string> label{*this, "Label", "C"};  ///< "": along Dim.
  Property<int64_t> dim{*this, "Dim", -1};

  ConcatenationLayer() : ConcatenationLayer('C', 2) {}
  ConcatenationLayer(char label, int num_inputs);
  ConcatenationLayer(int dim, int num_inputs);
  DlArray Predict(const DlArrays& x) const;
};

/// Side by side along C.
class DepthConcatenationLayer : public Layer, public Formattable, public Acceleratable {
 public:
  explicit DepthConcatenationLayer(int num_inputs = 2);
  DlArray Predict(const DlArrays& x) const;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_COMBINATION_LAYERS_H_
