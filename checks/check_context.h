// What a test of CheckLayer works with: the layer made ready, data for it, and the calls of its
// functions. Used by the tests of this folder.
//
//   Subject subject = context.MakeSubject({Observations::kSeveral, DataType::kDouble});
//   LayerResult result = context.Call(subject, Function::kPredict);
//
// Threads: a context is used by one thread.
#ifndef CHECKS_CHECK_CONTEXT_H_
#define CHECKS_CHECK_CONTEXT_H_

#include <functional>
#include <string>
#include <vector>

#include "checks/array_components.h"
#include "checks/check_layer.h"
#include "framework/ops/random.h"

namespace lamina::checks {

enum class Observations : uint8_t { kOne, kSeveral, kAsGiven };
struct Variant {
  Observations observations = Observations::kAsGiven;
  DataType type = DataType::kSingle;
};

enum class Function : uint8_t { kPredict, kForward, kBackward, kInitialize, kResetState };
std::string_view ToString(Function function);

/// A function of the layer threw. A test whose subject is something else is then incomplete.
struct FunctionThrew {
  Function function;
  std::string message;
  bool is_error = false;  ///< A lamina::Error: the layer refuses what it got.
};

/// A copy of the layer that can be called, and inputs for it.
struct Subject {
  AnyLayer layer;
  std::vector<NetworkDataLayout> layouts;
  DlArrays inputs;
};

/// One array property, in words: "LeftSlope", "Network/conv1/Weights".
struct ParameterName {
  std::string name;
  PropertyKind kind;
};

/// An input, learnable or state, as the layer's functions see it.
struct BackwardTarget {
  std::string name;
  DlArray value;
  bool is_input;
};

class CheckContext {
 public:
  /// Errors: as CheckLayer.
  CheckContext(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
               const CheckOptions& options, const lamina::internal::LayerMaker& maker);

  const AnyLayer& original() const { return layer_; }
  const LayerTraits& traits() const { return layer_.traits(); }
  const CheckOptions& options() const { return options_; }
  const lamina::internal::LayerMaker& maker() const { return maker_; }
  /// The dim of the observations of input `i`, or -1.
  int observation_dim(int i) const { return observation_dims_[i]; }
  bool has_observations() const { return has_observations_; }
  bool has_states() const { return has_states_; }
  bool has_learnables() const { return has_learnables_; }
  /// Without unknown sizes, with the given number of observations.
  const std::vector<NetworkDataLayout>& given() const { return layouts_; }
  std::vector<NetworkDataLayout> Layouts(Observations observations) const;
  /// Smaller ones of the same kind, for tests that call the layer many times: at most `size` along
  /// S, T and U (where `shrink_all`) and B.
  std::vector<NetworkDataLayout> Reduced(std::vector<NetworkDataLayout> layouts, int64_t size,
                                         bool shrink_all) const;
  /// Which sizes were chosen, or made smaller; empty when the layouts are as they came.
  const std::vector<std::string>& notes() const { return notes_; }

  /// A copy, initialised for the layouts, its floating arrays converted to `type`, its states those
  /// after two calls with other data (so that they are neither zero nor out of reach), its
  /// learnables moved by a tenth (so that ties of an initial value are no ties). Inputs as drawn
  /// from (seed, stream). Made once for the same arguments. Throws FunctionThrew.
  Subject MakeSubject(const std::vector<NetworkDataLayout>& layouts, DataType type,
                      uint64_t stream = 0) const;
  Subject MakeSubject(const Variant& variant, uint64_t stream = 0) const {
    return MakeSubject(Layouts(variant.observations), variant.type, stream);
  }
  /// A copy, initialised. Throws FunctionThrew.
  AnyLayer Initialized(const std::vector<NetworkDataLayout>& layouts) const;
  DlArrays MakeInputs(const std::vector<NetworkDataLayout>& layouts, DataType type,
                      uint64_t stream) const;
  /// Evenly distributed values of this spec in [low, high), from (seed, stream).
  DlArray MakeArray(const ArraySpec& spec, double low, double high, uint64_t stream) const;

  /// The same, the very layer that was initialised, not a copy of it: for tests of copies.
  Subject MakeSubjectAnew(const std::vector<NetworkDataLayout>& layouts, DataType type,
                          uint64_t stream = 0) const;
  /// The same with other inputs, and with other signs of real learnables: what a test looks at too
  /// before it says that something has no effect, since a Relu may hide it. `draw` counts from 1.
  Subject Redrawn(const Subject& subject, DataType type, int draw) const;
  /// Whether `has_effect` is true of one of some such draws. Draws that the layer refuses, or that
  /// give infinity or NaN, tell nothing.
  bool HasEffectInSomeDraw(const Subject& subject, DataType type,
                           const std::function<bool(const Subject&)>& has_effect) const;
  /// The layer with the smallest data that it takes, in double: at most 3 observations and, where
  /// the layer allows it, 5 along S and T. Throws FunctionThrew.
  Subject MakeSmallSubject(Observations observations) const;
  /// Calls Predict or Forward as a network does; random numbers drawn inside are the same in each
  /// call with the same `random`. Throws FunctionThrew.
  LayerResult Call(const AnyLayer& layer, Arrays inputs, Function function,
                   uint64_t random = 0) const;
  LayerResult Call(const Subject& subject, Function function) const {
    return Call(subject.layer, subject.inputs, function);
  }
  /// Two calls give the same results, bit for bit, with a call with other inputs between them.
  /// Throws FunctionThrew.
  bool IsRepeatable(const Subject& subject, Function function) const;
  /// The layer's function itself: memory too, arrays as the layer sees them. Throws FunctionThrew.
  internal::CallResult CallRaw(const AnyLayer& layer, Arrays raw_inputs, Function function) const;
  internal::CallResult CallRaw(const Subject& subject, Function function) const {
    return CallRaw(subject.layer, Raw(subject.inputs), function);
  }
  /// What the layer's functions see of these arrays.
  DlArrays Raw(Arrays arrays) const;
  /// Backward of the layer itself, after `forward`, with these derivatives of outputs (and states).
  /// Throws FunctionThrew.
  DlArrays CallBackward(const Subject& subject, const internal::CallResult& forward,
                        Arrays derivatives) const;
  /// How many arrays Backward takes as derivatives: of outputs, and of states if it wants them.
  int NumBackwardDerivatives() const;
  bool backward_takes_states() const;
  /// Derivatives of some loss for the results of `forward`, to hand to CallBackward.
  DlArrays MakeDerivatives(const internal::CallResult& forward) const;
  /// What Backward returns derivatives of, in its order.
  std::vector<BackwardTarget> BackwardTargets(const Subject& subject) const;
  /// Forward where there is one, else Predict.
  Function training_function() const {
    return traits().has_forward ? Function::kForward : Function::kPredict;
  }

  /// All array properties in the order of VisitParameters.
  static std::vector<ParameterName> ParameterNames(const AnyLayer& layer);

 private:
  void SetObservationDims();
  void CheckOptionsOfInputs() const;
  std::vector<NetworkDataLayout> WithObservations(int64_t count) const;

  AnyLayer layer_;
  CheckOptions options_;
  lamina::internal::LayerMaker maker_;
  std::vector<NetworkDataLayout> layouts_;
  std::vector<int> observation_dims_;
  std::vector<std::string> notes_;
  bool has_observations_ = false, has_states_ = false, has_learnables_ = false;

  struct Made {
    DataType type;
    uint64_t stream;
    Subject subject;
  };
  mutable std::vector<Made> made_;
};

/// Calls `f`; what it throws becomes FunctionThrew of `function`.
template <class F>
auto Guarded(Function function, F&& f) {
  try {
    return f();
  } catch (const FunctionThrew&) {
    throw;
  } catch (const Error& e) {
    throw FunctionThrew{function, e.what(), true};
  } catch (const std::exception& e) {
    throw FunctionThrew{function, e.what()};
  } catch (...) {
    throw FunctionThrew{function, "something that is no std::exception"};
  }
}

/// "1 observation, single".
std::string ToString(const Variant& variant, bool with_type);

/// The arrays of a layer, in the order of ParameterNames.
DlArrays ParametersOf(const AnyLayer& layer);
void SetParameters(AnyLayer& layer, Arrays values);

/// The number of elements in all layouts.
int64_t NumElementsOf(const std::vector<NetworkDataLayout>& layouts);
/// How many observations they have; 1 when not known.
int64_t NumObservations(const CheckContext& c, const std::vector<NetworkDataLayout>& layouts);

/// All results are equal, bit for bit.
bool Same(Arrays a, Arrays b);
inline bool Same(const LayerResult& a, const LayerResult& b) {
  return Same(a.outputs, b.outputs) && Same(a.states, b.states);
}
/// Why a test that compares two calls is incomplete.
inline constexpr char kNotRepeatable[] =
    "The same call gives different results: see predictIsRepeatable and forwardIsRepeatable.";

}  // namespace lamina::checks

#endif  // CHECKS_CHECK_CONTEXT_H_
