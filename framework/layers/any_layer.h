// AnyLayer holds a layer of any type: what networks, checks and files work with.
//
//   AnyLayer layer = SReluLayer();
//   layer.Initialize({NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
//   LayerResult result = layer.Predict({x});         // result.outputs[0], result.states
//
// Calls here follow the whole contract: arrays are stripped of labels and labelled again for layers
// that are not Formattable, a layer's own Backward is put on the tape, errors name the layer and
// the function. An AnyLayer is a value like the layer in it.
//
// Threads: const functions may run in several threads at once.
#ifndef FRAMEWORK_LAYERS_ANY_LAYER_H_
#define FRAMEWORK_LAYERS_ANY_LAYER_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <typeindex>
#include <utility>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/member_function.h"
#include "framework/layers/layer.h"
#include "framework/layers/layer_traits.h"

namespace lamina {

struct LayerResult {
  DlArrays outputs;
  /// New states in the order of the state properties; those of a nested network one after another.
  DlArrays states;
};

/// What a layer's declarations say.
struct LayerTraits {
  bool has_forward = false;
  bool has_backward = false;
  bool has_initialize = false;
  bool has_reset_state = false;
  bool is_formattable = false;
  bool is_code_generatable = false;
  bool is_acceleratable = false;
  bool joins_observations = false;
  bool draws_random_numbers = false;
  bool not_differentiable_at_points = false;
  int num_inputs = -1;          ///< Of Predict; -1 when known only at run time.
  int num_results = -1;         ///< Outputs and states of Predict; -1 likewise.
  int backward_arguments = -1;  ///< Without the memory; -1 for none or when known at run time.
  int backward_results = -1;
  uint64_t backward_used = 0;  ///< Bit i: Backward reads argument i.
};

namespace internal {

/// The functions of a layer with arrays in a row for their arguments.
class LayerModel {
 public:
  virtual ~LayerModel() = default;
  virtual std::unique_ptr<LayerModel> Clone() const = 0;
  virtual Layer& layer() = 0;
  virtual const std::type_info& type() const = 0;
  virtual size_t size() const = 0;
  virtual LayerTraits Traits() const = 0;
  virtual CallResult Predict(Arrays x) const = 0;
  virtual CallResult Forward(Arrays x) const = 0;
  virtual DlArrays Backward(Arrays arguments, const Memory& memory,
                            const NeededGradients& needed) const = 0;
  virtual void Initialize(std::span<const NetworkDataLayout> layouts) = 0;
  virtual void ResetState() = 0;
  virtual std::optional<NetworkDataLayout> InputLayout() const = 0;
};

/// Errors: "layer:InputCount" for a number of layouts that Initialize cannot take.
[[noreturn]] void WrongLayoutCount(const Layer& layer, int expected, size_t came);

template <class T>
class LayerModelOf : public LayerModel {
 public:
  explicit LayerModelOf(T layer) : layer_(std::move(layer)) {}
  std::unique_ptr<LayerModel> Clone() const override {
    return std::make_unique<LayerModelOf>(layer_);
  }
  Layer& layer() override { return layer_; }
  const std::type_info& type() const override { return typeid(T); }
  size_t size() const override { return sizeof(T); }

  LayerTraits Traits() const override {
    using P = decltype(&T::Predict);
    LayerTraits t;
    t.has_forward = HasForward<T>;
    t.has_backward = HasBackward<T>;
    t.has_initialize = HasInitialize<T>;
    t.has_reset_state = HasResetState<T>;
    t.is_formattable = std::derived_from<T, Formattable>;
    t.is_code_generatable = std::derived_from<T, CodeGeneratable>;
    t.is_acceleratable = std::derived_from<T, Acceleratable>;
    t.joins_observations = std::derived_from<T, JoinsObservations>;
    t.draws_random_numbers = std::derived_from<T, DrawsRandomNumbers>;
    t.not_differentiable_at_points = std::derived_from<T, NotDifferentiableAtPoints>;
    // A layer that holds a function learns these at run time.
    if constexpr (requires { layer_.IsFormattable(); }) t.is_formattable = layer_.IsFormattable();
    if constexpr (requires { layer_.IsAcceleratable(); }) {
      t.is_acceleratable = layer_.IsAcceleratable();
    }
    if constexpr (requires { layer_.DoesJoinObservations(); }) {
      t.joins_observations = layer_.DoesJoinObservations();
    }
    if constexpr (requires { layer_.DoesDrawRandomNumbers(); }) {
      t.draws_random_numbers = layer_.DoesDrawRandomNumbers();
    }
    if constexpr (requires { layer_.IsNotDifferentiableAtPoints(); }) {
      t.not_differentiable_at_points = layer_.IsNotDifferentiableAtPoints();
    }
    t.num_inputs = Inputs<P>::kCount;
    t.num_results = Result<P>::kIsVariable ? -1 : Result<P>::kCount;
    if constexpr (HasBackward<T>) {
      using B = decltype(&T::Backward);
      using Traits = BackwardTraits<B>;
      t.backward_arguments = Traits::kIsVariable ? -1 : Traits::kCount;
      t.backward_results = Result<B>::kIsVariable ? -1 : Result<B>::kCount;
      t.backward_used = Traits::kUsed;
    }
    return t;
  }

  CallResult Predict(Arrays x) const override { return CallWithInputs(layer_, &T::Predict, x); }

  CallResult Forward(Arrays x) const override {
    if constexpr (HasForward<T>) {
      return CallWithInputs(layer_, &T::Forward, x);
    } else {
      return Predict(x);
    }
  }

  DlArrays Backward(Arrays arguments, const Memory& memory,
                    const NeededGradients& needed) const override {
    if constexpr (HasBackward<T>) {
      return CallBackward(layer_, arguments, memory, needed);
    } else {
      (void)arguments, (void)memory, (void)needed;
      LAMINA_CHECK(HasBackward<T>);
      return {};
    }
  }

  void Initialize(std::span<const NetworkDataLayout> layouts) override {
    if constexpr (HasInitialize<T>) {
      using Traits = Layouts<decltype(&T::Initialize)>;
      if constexpr (Traits::kIsVariable) {
        layer_.Initialize(layouts);
      } else {
        constexpr size_t kCount = Traits::kCount;
        if (layouts.size() != kCount) {
          WrongLayoutCount(layer_, static_cast<int>(kCount), layouts.size());
        }
        [&]<size_t... I>(std::index_sequence<I...>) { layer_.Initialize(layouts[I]...); }
        (std::make_index_sequence<kCount>());
      }
    }
  }

  void ResetState() override {
    if constexpr (HasResetState<T>) layer_.ResetState();
  }

  std::optional<NetworkDataLayout> InputLayout() const override {
    if constexpr (requires { layer_.InputLayout(); }) return layer_.InputLayout();
    return std::nullopt;
  }

  const T& get() const { return layer_; }

 private:
  T layer_;
};

template <class T>
std::unique_ptr<LayerModel> MakeLayerModel(T&& layer) {
  using L = std::remove_cvref_t<T>;
  if constexpr (CheckContract<L>()) {
    return std::make_unique<LayerModelOf<L>>(std::forward<T>(layer));
  } else {
    return nullptr;  // Does not compile: CheckContract told why.
  }
}

}  // namespace internal

class AnyLayer {
 public:
  /// Takes any layer. What the compiler cannot see is checked here. Errors: "layer:InputCount",
  /// "layer:ResultCount", "layer:BackwardArity" when the functions do not fit the numbers of
  /// inputs, outputs, learnables and states; "layer:HalfStateDerivatives" when Backward takes or
  /// returns state derivatives but not both; "layer:BackwardWithNestedNetwork";
  /// "layer:PropertyOutside" for a property that is no member of the layer.
  template <class T>
  requires internal::MeantAsLayer<std::remove_cvref_t<T>> &&
      (!std::same_as<std::remove_cvref_t<T>, AnyLayer>)
          AnyLayer(T&& layer)  // NOLINT(runtime/explicit): lists of layers are written as layers.
      : AnyLayer(internal::MakeLayerModel(std::forward<T>(layer))) {}
  AnyLayer(const AnyLayer& other)
      : model_(other.model_->Clone()), traits_(other.traits_), content_id_(other.content_id_) {}
  AnyLayer(AnyLayer&&) noexcept = default;
  AnyLayer& operator=(const AnyLayer& other) {
    model_ = other.model_->Clone();
    traits_ = other.traits_;
    content_id_ = other.content_id_;
    return *this;
  }
  AnyLayer& operator=(AnyLayer&&) noexcept = default;

  Layer& layer() { return model_->layer(); }
  const Layer& layer() const { return model_->layer(); }
  Layer* operator->() { return &layer(); }
  const Layer* operator->() const { return &layer(); }
  const LayerTraits& traits() const { return traits_; }
  std::type_index type() const { return model_->type(); }
  /// The same for copies, another one for each layer that an AnyLayer was made of: layers with the
  /// same content_id and equal properties do the same.
  uint64_t content_id() const { return content_id_; }

  /// The layer itself when it is a T; null otherwise.
  template <class T>
  const T* As() const {
    if (model_->type() != typeid(T)) return nullptr;
    return &static_cast<const internal::LayerModelOf<T>&>(*model_).get();
  }

  /// The layout that an input layer expects: what its function InputLayout() says, if it has one.
  std::optional<NetworkDataLayout> InputLayout() const { return model_->InputLayout(); }

  /// Sets what needs the input's sizes. Does nothing for a layer without Initialize. Errors:
  /// "layer:InputCount", those of the layer.
  void Initialize(std::span<const NetworkDataLayout> layouts);
  void Initialize(std::initializer_list<NetworkDataLayout> layouts) {
    Initialize(std::span(layouts.begin(), layouts.size()));
  }
  /// True when no learnable (or state) is unset.
  bool IsInitialized() const;

  /// As at prediction time. Errors: "layer:InputCount", "layer:ResultCount", "layer:OutputRank"
  /// when a layer that is not Formattable returns more dims than it got; "layer:OutputFormat" when
  /// a Formattable one returns an output without labels for labelled inputs; those of the layer.
  LayerResult Predict(Arrays inputs) const;
  LayerResult Predict(std::initializer_list<DlArray> x) const {
    return Predict(Arrays(x.begin(), x.size()));
  }
  /// As in training: Forward where there is one; with the layer's own Backward on the tape.
  LayerResult Forward(Arrays inputs) const;
  LayerResult Forward(std::initializer_list<DlArray> x) const {
    return Forward(Arrays(x.begin(), x.size()));
  }
  /// The layer's functions as they are, arrays unlabelled unless it is Formattable: for checks.
  internal::CallResult CallPredict(Arrays inputs) const { return model_->Predict(inputs); }
  internal::CallResult CallForward(Arrays inputs) const { return model_->Forward(inputs); }
  DlArrays CallBackward(Arrays arguments, const Memory& memory,
                        const NeededGradients& needed = {}) const {
    return model_->Backward(arguments, memory, needed);
  }

  /// Errors: "layer:ResetStateChangedProperty" when more than learnables and states changed; the
  /// layer is then as before.
  void ResetState();
  /// Puts `states` (as in LayerResult) into the state properties. Errors: "layer:StateCount".
  void SetStates(Arrays states);
  int NumStateArrays() const;
  /// As in Layer: DlFeval watches the learnables of an AnyLayer too.
  void ForEachLearnable(const std::function<void(DlArray&)>& visit) {
    layer().ForEachLearnable(visit);
  }

 private:
  explicit AnyLayer(std::unique_ptr<internal::LayerModel> model);
  LayerResult Call(Arrays inputs, bool training) const;

  std::unique_ptr<internal::LayerModel> model_;
  LayerTraits traits_;
  uint64_t content_id_;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_ANY_LAYER_H_
