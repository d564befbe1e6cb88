// The layer contract: what you write to define a layer.
//
// A layer is a struct that derives from Layer, names its properties, and has a function Predict.
// Nothing is registered and nothing is overridden: what a layer can do is read from its functions.
// A layer is a value; a copy is independent.
//
//   struct PReluLayer : Layer {
//     Learnable alpha{*this, "Alpha"};
//
//     void Initialize(const NetworkDataLayout& layout) {
//       if (alpha.empty()) alpha = Full(layout.Only('C'), 0.25);
//     }
//     DlArray Predict(const DlArray& x) const { return Where(x > 0, x, alpha * x); }
//   };
//
// Required:
//   Predict(x1, .., xN) const       returns y1, .., yM and, with states, the new states.
// Optional:
//   Initialize(layout1, .., layoutN)   sets parameters whose size depends on the input; parameters
//                                      that are set already stay.
//   Forward(x1, .., xN) const          used in training instead of Predict; with a Backward it also
//                                      returns a Memory, last.
//   Backward(x.., y.., dLdY.., [dLdStateOut..], memory, [needed]) const   your own derivative.
//                                      Returns dLdX.., dLdW.. (one for each learnable, in the
//                                      order in which they are named), [dLdStateIn..]. State
//                                      derivatives: both or neither. An argument declared as
//                                      `Unused` is not kept between Forward and Backward. `needed`,
//                                      a NeededGradients, says which derivatives are asked for.
//   ResetState()                       sets states back; may change only learnables and states.
//
// Several values are returned as std::tuple, std::pair or std::array of DlArray. For a number of
// inputs or outputs that is known only at run time take, or return, one DlArrays. The numbers of
// inputs and outputs are 1 unless the constructor says otherwise (SetNumInputs, SetNumOutputs).
//
// Without `Formattable` a layer gets and returns arrays without labels, with dims in the order of
// the input's labels ("SSCB": height, width, channels, observations), and the result has the same
// labels again. With it the layer gets and returns labelled arrays and may change labels.
//
// What is out of the ordinary a layer declares by another base: JoinsObservations,
// DrawsRandomNumbers, NotDifferentiableAtPoints.
//
// Threads: const functions of one layer may run in several threads at once.
#ifndef FRAMEWORK_LAYERS_LAYER_H_
#define FRAMEWORK_LAYERS_LAYER_H_

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/autodiff/memory.h"
#include "framework/dlarray/dlarray.h"
#include "framework/layers/network_data_layout.h"
#include "framework/layers/property.h"

namespace lamina {

/// The layer gets and returns labelled arrays.
struct Formattable {};
/// The layer is meant to leave as generated code (GenerateCode): its Predict is made of array
/// functions alone, with no branch on an array's values. CheckLayer holds it to that when asked
/// (check_codegen_compatibility). Layers without this tag are generated as well where they can be.
struct CodeGeneratable {};
/// The layer's computation may be traced once for each size and run again from the trace.
struct Acceleratable {};

// What a layer means to be where most layers are not. CheckLayer holds a layer to what it declares:
// each of these must be seen when it is declared, and must not be seen when it is not.

/// The outputs of an observation depend on others of its batch, in Predict or in Forward.
struct JoinsObservations {};
/// Predict or Forward draws random numbers, from the current random source.
struct DrawsRandomNumbers {};
/// There are points without a derivative, kinks or jumps, as many as there may be. A layer with few
/// of them, such as ReLU, need not declare it: they are found and left out.
struct NotDifferentiableAtPoints {};

/// The states of a nested network, as its Predict and Forward return them.
class NetworkState {
 public:
  NetworkState() = default;
  explicit NetworkState(DlArrays values) : values_(std::move(values)) {}
  const DlArrays& values() const { return values_; }

 private:
  DlArrays values_;
};

class Layer {
 public:
  // Public, so that a layer without a constructor of its own can be written as SReluLayer{}.
  Layer() = default;
  ~Layer() = default;

  /// "" until given here or by a network.
  const std::string& Name() const { return name_; }
  void SetName(std::string_view name) { name_ = name; }
  /// One line for lists of layers; the type unless set.
  const std::string& Description() const { return description_.empty() ? Type() : description_; }
  void SetDescription(std::string_view description) { description_ = description; }
  /// The name of the class, unless set.
  const std::string& Type() const;
  void SetType(std::string_view type) { type_ = type; }

  /// {"in"}, or {"in1", .., "inN"}, unless set.
  int NumInputs() const { return static_cast<int>(input_names_.size()); }
  const std::vector<std::string>& InputNames() const { return input_names_; }
  int NumOutputs() const { return static_cast<int>(output_names_.size()); }
  const std::vector<std::string>& OutputNames() const { return output_names_; }

  /// Factors on the learn rate and on the L2 regularization of one learnable; 1 unless set. Inside
  /// nested networks give the path: "Network/conv1/Weights". Errors: "layer:NoSuchParameter",
  /// "layer:InvalidFactor" for a negative or not finite one.
  void SetLearnRateFactor(std::string_view parameter, double factor);
  double LearnRateFactor(std::string_view parameter) const;
  void SetL2Factor(std::string_view parameter, double factor);
  double L2Factor(std::string_view parameter) const;

  /// All properties in the order in which they are named.
  const std::vector<PropertyDescriptor>& Properties() const { return properties_; }
  /// The value of a plain property. Errors: "layer:NoPlainValue" for one that holds an array or a
  /// network.
  PropertyValue GetProperty(const PropertyDescriptor& property) const;
  /// False when the value is of another kind.
  bool SetProperty(const PropertyDescriptor& property, const PropertyValue& value);
  /// The array of a Learnable or State property; null for others.
  DlArray* ArrayOf(const PropertyDescriptor& property);
  const DlArray* ArrayOf(const PropertyDescriptor& property) const;
  /// The nested network; null for others.
  LayerTree* TreeOf(const PropertyDescriptor& property);

  /// All learnable and state arrays, those of nested networks too, in the order of the properties.
  void VisitParameters(const std::string& path, const ParameterVisitor& visit);
  /// The learnable arrays, in the same order: this is what DlFeval watches.
  void ForEachLearnable(const std::function<void(DlArray&)>& visit);
  void ForEachState(const std::function<void(DlArray&)>& visit);

  /// Names of inputs and outputs; as many as there are. Meant for constructors. Errors:
  /// "layer:InvalidCount" for less than one, "layer:DuplicateName".
  void SetNumInputs(int count);
  void SetInputNames(std::vector<std::string> names);
  void SetNumOutputs(int count);
  void SetOutputNames(std::vector<std::string> names);

 protected:
  // A layer is copied as what it is, never as its base: that would lose its properties.
  Layer(const Layer&) = default;
  Layer(Layer&&) = default;
  Layer& operator=(const Layer&) = default;
  Layer& operator=(Layer&&) = default;

 private:
  friend void internal::RegisterProperty(Layer&, std::string_view, PropertyKind, const void*,
                                         const PropertyAccess*);
  double* FactorOf(std::string_view parameter, bool learn_rate);

  std::string name_, description_, type_;
  std::vector<std::string> input_names_{"in"}, output_names_{"out"};
  std::vector<PropertyDescriptor> properties_;
};

namespace internal {
/// The factor itself. Errors: "layer:InvalidFactor" when it is negative or not finite.
double CheckedFactor(double factor);
}  // namespace internal

/// The layer under a name: Named(SReluLayer(), "srelu1").
template <class T>
T Named(T layer, std::string_view name) {
  layer.SetName(name);
  return layer;
}

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_LAYER_H_
