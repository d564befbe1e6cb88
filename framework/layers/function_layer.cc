#include "framework/layers/function_layer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/counted.h"

namespace lamina {

internal::LearnableList::LearnableList(Layer& owner, std::string_view name) {
  static constexpr PropertyAccess kAccess = {
      .tree = [](void* p) -> LayerTree* { return static_cast<LearnableList*>(p); }};
  RegisterProperty(owner, name, PropertyKind::kLearnable, this, &kAccess);
}

void internal::LearnableList::VisitParameters(const std::string& path,
                                              const ParameterVisitor& visit) {
  for (Item& item : items_) {
    visit({path, item.name, PropertyKind::kLearnable, &item.value, &item.learn_rate_factor,
           &item.l2_factor});
  }
}

FunctionLayer::FunctionLayer(const FunctionLayerOptions& options) : options_(options) {
  for (const auto& [name, value] : options.learnables) learnables_.Add(name, value);
  options_.learnables.clear();
  SetDescription("Function");
}

void FunctionLayer::SetCounts(int arguments, int results, const FunctionLayerOptions& options) {
  int inputs = std::max(options.num_inputs, 1);
  if (arguments >= 0) {
    inputs = arguments - learnables_.size();
    if (inputs < 1 || (options.num_inputs > 0 && options.num_inputs != inputs)) {
      throw Error(
          "layer:InputCount",
          absl::StrCat("FunctionLayer: the function takes the inputs and then the learnables, ",
                       options.num_inputs > 0
                           ? internal::Counted(options.num_inputs + learnables_.size(), "array")
                           : absl::StrCat(1 + learnables_.size(), " or more arrays"),
                       " in all."),
          absl::StrCat("It takes ", arguments, "."), "");
    }
  }
  if (results >= 0 && options.num_outputs > 0 && options.num_outputs != results) {
    throw Error("layer:ResultCount",
                absl::StrCat("FunctionLayer: the function returns ",
                             internal::Counted(options.num_outputs, "output"), "."),
                absl::StrCat("It returns ", results, "."), "");
  }
  SetNumInputs(inputs);
  SetNumOutputs(results >= 0 ? results : std::max(options.num_outputs, 1));
}

DlArrays FunctionLayer::Predict(const DlArrays& x) const {
  DlArrays arguments = x;
  learnables_.AppendTo(arguments);
  return function_(arguments);
}

}  // namespace lamina
