// A function as a layer.
//
//   FunctionLayer([](const DlArray& x) { return x * Sigmoid(x); })
//   FunctionLayer([](const DlArray& a, const DlArray& b) { return std::pair(a + b, a - b); },
//                 {.formattable = true})
//   FunctionLayer([](const DlArray& x, const DlArray& gain) { return gain * x; },
//                 {.learnables = {{"Gain", Ones({1})}}})
//
// The function takes the inputs and then the learnables, each as const DlArray&, or all of them as
// one const DlArrays&; it returns what Predict of a layer without states returns. It must do the
// same whenever it is called with the same arrays. A network with a function layer cannot be saved:
// a function cannot be written to a file. Learnables are found under "Learnables/Gain".
// Threads: the function may be called in several threads at once.
#ifndef FRAMEWORK_LAYERS_FUNCTION_LAYER_H_
#define FRAMEWORK_LAYERS_FUNCTION_LAYER_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/layers/any_layer.h"

namespace lamina {

struct FunctionLayerOptions {
  bool formattable = false;
  bool acceleratable = false;
  int num_inputs = 0;   ///< 0: the function's arguments but for the learnables; 1 for a list.
  int num_outputs = 0;  ///< 0: what the function returns; 1 for a list.
  std::vector<std::pair<std::string, DlArray>> learnables = {};
  /// What a layer declares by its bases of these names (layer.h).
  bool joins_observations = false;
  bool draws_random_numbers = false;
  bool not_differentiable_at_points = false;
};

namespace internal {

/// Learnables as many as there happen to be.
class LearnableList : public LayerTree {
 public:
  LearnableList(Layer& owner, std::string_view name);
  void Add(const std::string& name, DlArray value) { items_.push_back({name, std::move(value)}); }
  void VisitParameters(const std::string& path, const ParameterVisitor& visit) override;
  void ResetState() override {}
  void AppendTo(DlArrays& arrays) const {
    for (const Item& item : items_) arrays.push_back(item.value);
  }
  int size() const { return static_cast<int>(items_.size()); }

 private:
  struct Item {
    std::string name;
    DlArray value;
    double learn_rate_factor = 1, l2_factor = 1;
  };
  std::vector<Item> items_;
};

/// What can be called like a function: its operator(), or the function.
template <class F>
struct CallableOf {
  using type = decltype(&F::operator());
};
template <class R, class... P>
struct CallableOf<R (*)(P...)> {
  struct Other {};
  using type = R (Other::*)(P...) const;
};

}  // namespace internal

class FunctionLayer : public Layer {
 public:
  using Function = std::function<DlArrays(const DlArrays&)>;

  /// Errors: "layer:InputCount", "layer:ResultCount" when the function does not fit the numbers of
  /// inputs and outputs in `options`.
  template <class F>
  explicit FunctionLayer(F function, const FunctionLayerOptions& options = {})
      : FunctionLayer(options) {
    static_assert(
        std::is_pointer_v<F> || requires { &F::operator(); },
        "A layer function names the types of its arguments: const DlArray&, not auto.");
    using Signature = typename internal::CallableOf<F>::type;
    static_assert(internal::Declaration<Signature>::kIsConst,
                  "A layer function does the same each time: it is not mutable.");
    static_assert(internal::Inputs<Signature>::kIsValid,
                  "A layer function takes `const DlArray&` for each input and learnable, or one "
                  "`const DlArrays&`.");
    static_assert(
        internal::Result<Signature>::kIsValid && internal::Result<Signature>::kMemories == 0,
        "A layer function returns DlArray, a tuple or array of DlArray, or DlArrays.");
    using Returned = internal::Result<Signature>;
    SetCounts(internal::Inputs<Signature>::kCount, Returned::kIsVariable ? -1 : Returned::kCount,
              options);
    function_ = [function](const DlArrays& x) {
      internal::CallResult out;
      if constexpr (internal::Inputs<Signature>::kIsVariable) {
        internal::Flatten(function(x), out);
      } else {
        [&]<size_t... I>(std::index_sequence<I...>) { internal::Flatten(function(x[I]...), out); }
        (std::make_index_sequence<internal::Inputs<Signature>::kCount>());
      }
      return std::move(out.values);
    };
  }

  DlArrays Predict(const DlArrays& x) const;
  bool IsFormattable() const { return options_.formattable; }
  bool IsAcceleratable() const { return options_.acceleratable; }
  bool DoesJoinObservations() const { return options_.joins_observations; }
  bool DoesDrawRandomNumbers() const { return options_.draws_random_numbers; }
  bool IsNotDifferentiableAtPoints() const { return options_.not_differentiable_at_points; }

 private:
  explicit FunctionLayer(const FunctionLayerOptions& options);
  void SetCounts(int arguments, int results, const FunctionLayerOptions& options);

  internal::LearnableList learnables_{*this, "Learnables"};
  FunctionLayerOptions options_;  // Without the learnables.
  Function function_;
};

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_FUNCTION_LAYER_H_
