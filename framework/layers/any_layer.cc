#include "framework/layers/any_layer.h"

#include <algorithm>
#include <atomic>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/own_backward.h"
#include "framework/dlarray/counted.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using internal::CallResult;
using internal::Counted;

std::string Who(const Layer& layer) {
  return layer.Name().empty() ? layer.Type()
                              : absl::StrCat("layer \"", layer.Name(), "\" (", layer.Type(), ")");
}

uint64_t NextContentId() {
  static std::atomic<uint64_t> next{0};
  return next.fetch_add(1, std::memory_order_relaxed);
}

// Counts of the contract that the properties tell.
struct Counts {
  int learnables = 0, states = 0, nested = 0;
};
Counts CountProperties(const Layer& layer) {
  Counts n;
  for (const PropertyDescriptor& p : layer.Properties()) {
    if (p.access->tree != nullptr) ++n.nested;
    if (p.kind == PropertyKind::kLearnable && p.access->array != nullptr) ++n.learnables;
    if (p.kind == PropertyKind::kState || p.kind == PropertyKind::kLearnableState) ++n.states;
  }
  return n;
}

// Equal, NaN being equal to NaN.
bool Same(const PropertyValue& a, const PropertyValue& b) {
  if (a == b) return true;
  const auto same = [](double x, double y) { return x == y || (x != x && y != y); };
  const double *x = std::get_if<double>(&a), *y = std::get_if<double>(&b);
  if (x != nullptr && y != nullptr) return same(*x, *y);
  const auto *v = std::get_if<std::vector<double>>(&a), *w = std::get_if<std::vector<double>>(&b);
  return v != nullptr && w != nullptr &&
         std::equal(v->begin(), v->end(), w->begin(), w->end(), same);
}

void CheckInputs(const Layer& layer, const LayerTraits& t) {
  if (t.num_inputs < 0 || t.num_inputs == layer.NumInputs()) return;
  throw Error("layer:InputCount",
              absl::StrCat(Who(layer), ": Predict takes as many arrays as the layer has inputs."),
              absl::StrCat("It takes ", t.num_inputs, "; NumInputs is ", layer.NumInputs(), "."),
              absl::StrCat("Call SetNumInputs(", t.num_inputs,
                           ") in the constructor, or take the inputs as one DlArrays."));
}

void CheckResults(const Layer& layer, const LayerTraits& t, const Counts& n) {
  const int expected = layer.NumOutputs() + n.states;
  if (t.num_results < 0 || t.num_results == expected) return;
  throw Error("layer:ResultCount",
              absl::StrCat(Who(layer), ": Predict returns ", Counted(layer.NumOutputs(), "output"),
                           " and ", Counted(n.states, "state"), ", ", expected, " in all."),
              absl::StrCat("It returns ", t.num_results, "."),
              n.states > 0 ? "Return each new state after the outputs, in the order of the State "
                             "properties."
                           : "Call SetNumOutputs in the constructor.");
}

void CheckBackward(const Layer& layer, const LayerTraits& t, const Counts& n) {
  if (!t.has_backward) return;
  if (n.nested > 0) {
    throw Error("layer:BackwardWithNestedNetwork",
                absl::StrCat(Who(layer),
                             ": a layer with a nested network has no Backward of its "
                             "own."),
                "It has both.", "Remove Backward: the derivative is then taken automatically.");
  }
  if (t.backward_arguments < 0 || t.backward_results < 0) return;
  const int inputs = layer.NumInputs(), outputs = layer.NumOutputs();
  const int arguments = inputs + 2 * outputs, results = inputs + n.learnables;
  const bool takes = n.states > 0 && t.backward_arguments == arguments + n.states;
  const bool returns = n.states > 0 && t.backward_results == results + n.states;
  if ((takes && t.backward_results == results) || (returns && t.backward_arguments == arguments)) {
    throw Error(
        "layer:HalfStateDerivatives",
        absl::StrCat(Who(layer),
                     ": Backward takes the derivatives of the new states and "
                     "returns those of the old ones, or does neither."),
        takes ? "It takes them but does not return any." : "It returns them but takes none.",
        absl::StrCat("Take ", Counted(n.states, "dLdStateOut"),
                     " before the memory and return as many dLdStateIn last; or leave out "
                     "both."));
  }
  if ((takes && returns) || (t.backward_arguments == arguments && t.backward_results == results)) {
    return;
  }
  throw Error(
      "layer:BackwardArity",
      absl::StrCat(
          Who(layer), ": Backward takes ", Counted(inputs, "input"), ", ",
          Counted(outputs, "output"), ", as many derivatives of outputs",
          n.states > 0 ? absl::StrCat(" (and, if wanted, of ", Counted(n.states, "state"), ")")
                       : "",
          ", and the memory, and returns ", Counted(inputs, "derivative"), " of inputs and ",
          n.learnables, " of learnables: ", Counted(arguments, "argument"), " and ",
          Counted(results, "result"), "."),
      absl::StrCat("It takes ", t.backward_arguments, " and returns ", t.backward_results, "."),
      "Declare what is not needed as Unused; return one derivative for each learnable, in the "
      "order in which they are named.");
}

void CheckResultCount(const AnyLayer& layer, const DlArrays& values) {
  const int outputs = layer->NumOutputs(), states = layer.NumStateArrays();
  if (static_cast<int>(values.size()) == outputs + states) return;
  throw Error("layer:ResultCount",
              absl::StrCat("The layer returns ", Counted(outputs, "output"), " and ",
                           Counted(states, "state array"), "."),
              absl::StrCat(Counted(values.size(), "array"), " came."),
              "Return each output, then each new state.");
}

// A state may be unset; an output is read by the next layer.
void CheckOutputsAreSet(const Layer& layer, const DlArrays& values) {
  for (int i = 0; i < layer.NumOutputs(); ++i) {
    if (values[i].data().get() != internal::ArrayData::Unset().get()) continue;
    throw Error(
        "layer:UnsetOutput", "A layer sets each output that it returns.",
        absl::StrCat("Output \"", layer.OutputNames()[i], "\" is a DlArray that was never set."),
        "Look for a variable, DlArray y;, that no branch assigned to.");
  }
}

// How many derivatives of outputs and new states the layer's Backward takes.
int BackwardDerivatives(const AnyLayer& layer, int states) {
  const int inputs = layer->NumInputs(), outputs = layer->NumOutputs();
  const int arguments = layer.traits().backward_arguments;
  const bool takes_states = arguments < 0 || arguments == inputs + 2 * outputs + states;
  return takes_states ? outputs + states : outputs;
}

// The layer's own Backward as the gradient of its Forward. Inputs of the rule: the layer's inputs,
// its learnables, its states; outputs: the layer's outputs and new states.
class LayerBackwardRule : public internal::OwnBackwardRule {
 public:
  LayerBackwardRule(const AnyLayer& layer, int states)
      : OwnBackwardRule(absl::StrCat("Backward of ", Who(layer.layer())),
                        {.inputs = layer->NumInputs(),
                         .outputs = layer->NumOutputs(),
                         .derivatives = BackwardDerivatives(layer, states),
                         .may_lack = states,
                         .used = layer.traits().backward_used}),
        layer_(layer) {}
  CallResult CallForward(Arrays inputs) const override {
    CallResult called = layer_.CallForward(inputs);
    CheckResultCount(layer_, called.values);
    CheckOutputsAreSet(layer_.layer(), called.values);
    return called;
  }
  DlArrays CallBackward(Arrays arguments, const Memory& memory,
                        const GradientCall& call) const override {
    return layer_.CallBackward(arguments, memory, NeededGradients(call.needed));
  }
  // Refuses what does not fit by the names that the layer's author gave.
  DlArrays Gradient(const GradientCall& call) const override {
    DlArrays found = OwnBackwardRule::Gradient(call);
    for (size_t i = 0; i < found.size(); ++i) {
      const ArraySpec& own = call.inputs[i].spec();
      if (!call.needed[i] || found[i].empty() || found[i].spec() == own) continue;
      throw Error("autodiff:WrongGradient",
                  absl::StrCat(std::string(Name()), " returns the derivative with respect to ",
                               NameOf(i), " in its sizes, labels and type, a ", ToString(own), "."),
                  absl::StrCat("A ", ToString(found[i].spec()), " came."),
                  "Sum it over the dims in which it is larger, and Cast it to that type.");
    }
    return found;
  }

 private:
  // What derivative number `i` of Backward is with respect to, in words.
  std::string NameOf(size_t i) const {
    std::vector<std::string> names;
    for (const std::string& input : layer_->InputNames()) {
      names.push_back(absl::StrCat("the input \"", input, "\""));
    }
    AnyLayer copy = layer_;
    for (const PropertyKind kind : {PropertyKind::kLearnable, PropertyKind::kState}) {
      copy->VisitParameters("", [&](const ParameterRef& p) {
        if (p.kind != kind) return;
        names.push_back(absl::StrCat(
            kind == PropertyKind::kState ? "the state \"" : "the learnable \"", p.parameter, "\""));
      });
    }
    return names.at(i);
  }

  AnyLayer layer_;
};

}  // namespace

void internal::WrongLayoutCount(const Layer& layer, int expected, size_t came) {
  throw Error("layer:InputCount",
              absl::StrCat(Who(layer), ": Initialize takes ", Counted(expected, "layout"),
                           ", one for each input."),
              absl::StrCat(came, " came."), "");
}

AnyLayer::AnyLayer(std::unique_ptr<internal::LayerModel> model)
    : model_(std::move(model)), traits_(model_->Traits()), content_id_(NextContentId()) {
  Layer& l = layer();
  if (l.Type() == "Layer") l.SetType(internal::ClassName(model_->type()));
  for (const PropertyDescriptor& p : l.Properties()) {
    if (p.offset < 0 || p.offset >= static_cast<std::ptrdiff_t>(model_->size())) {
      throw Error("layer:PropertyOutside",
                  absl::StrCat(Who(l), ": a property is a member of the layer."),
                  absl::StrCat("\"", p.name, "\" stands elsewhere."),
                  "Declare it as a member: Learnable weights{*this, \"Weights\"};");
    }
  }
  const Counts counts = CountProperties(l);
  CheckInputs(l, traits_);
  CheckResults(l, traits_, counts);
  CheckBackward(l, traits_, counts);
}

void AnyLayer::Initialize(std::span<const NetworkDataLayout> layouts) {
  if (static_cast<int>(layouts.size()) != layer().NumInputs()) {
    internal::WrongLayoutCount(layer(), layer().NumInputs(), layouts.size());
  }
  try {
    model_->Initialize(layouts);
  } catch (Error& e) {
    e.AddPlace(absl::StrCat(Who(layer()), ", Initialize"));
    throw;
  }
}

bool AnyLayer::IsInitialized() const {
  bool all = true;
  model_->layer().VisitParameters("",
                                  [&](const ParameterRef& p) { all = all && !p.value->empty(); });
  return all;
}

int AnyLayer::NumStateArrays() const {
  int n = 0;
  model_->layer().ForEachState([&](DlArray&) { ++n; });
  return n;
}

void AnyLayer::SetStates(Arrays states) {
  const int expected = NumStateArrays();
  if (static_cast<size_t>(expected) != states.size()) {
    throw Error("layer:StateCount",
                absl::StrCat(Who(layer()), " has ", Counted(expected, "state array"), "."),
                absl::StrCat(states.size(), " came."), "Give the states of a LayerResult.");
  }
  size_t i = 0;
  layer().ForEachState([&](DlArray& s) { s = states[i++]; });
}

LayerResult AnyLayer::Predict(Arrays inputs) const { return Call(inputs, false); }
LayerResult AnyLayer::Forward(Arrays inputs) const { return Call(inputs, true); }

LayerResult AnyLayer::Call(Arrays inputs, bool training) const {
  const Layer& l = layer();
  const std::string_view function = training && traits_.has_forward ? "Forward" : "Predict";
  if (static_cast<int>(inputs.size()) != l.NumInputs()) {
    throw Error("layer:InputCount",
                absl::StrCat(Who(l), " has ", Counted(l.NumInputs(), "input"), "."),
                absl::StrCat(inputs.size(), " came."), "");
  }
  DlArrays stripped;
  Arrays x = inputs;
  if (!traits_.is_formattable) {
    stripped.reserve(inputs.size());
    for (const DlArray& input : inputs) stripped.push_back(StripDims(input));
    x = stripped;
  }
  try {
    CallResult called;
    if (training && traits_.has_backward && Tape::Current() != nullptr) {
      DlArrays from(x.begin(), x.end());
      Layer& mutable_layer = model_->layer();
      mutable_layer.ForEachLearnable([&](DlArray& w) { from.push_back(w); });
      mutable_layer.ForEachState([&](DlArray& s) { from.push_back(s); });
      called.values = internal::RunWithOwnBackward(
          std::make_shared<LayerBackwardRule>(*this, NumStateArrays()), from);
    } else {
      called = training ? model_->Forward(x) : model_->Predict(x);
    }
    CheckResultCount(*this, called.values);
    CheckOutputsAreSet(l, called.values);
    LayerResult result;
    const auto split = called.values.begin() + l.NumOutputs();
    result.outputs.assign(called.values.begin(), split);
    result.states.assign(split, called.values.end());
    const bool labelled = !inputs.empty() && !inputs[0].format().empty();
    if (labelled && traits_.is_formattable) {
      for (size_t i = 0; i < result.outputs.size(); ++i) {
        const DlArray& y = result.outputs[i];
        if (y.rank() == 0 || !y.format().empty()) continue;
        throw Error("layer:OutputFormat",
                    absl::StrCat("A Formattable layer labels what it returns: output \"",
                                 l.OutputNames()[i], "\"."),
                    absl::StrCat("A ", ToString(y.spec()), " without labels came."),
                    "Return DlArray(y, \"SSCB\") with the labels of y.");
      }
    }
    if (labelled && !traits_.is_formattable) {
      const std::string& format = inputs[0].format().str();
      for (DlArray& y : result.outputs) {
        const Sizes& sizes = y.sizes();
        int rank = y.rank();
        while (rank > 0 && sizes[rank - 1] == 1) --rank;
        if (rank > inputs[0].rank()) {
          throw Error("layer:OutputRank",
                      absl::StrCat("A layer without Formattable returns at most the dims of its "
                                   "first input, \"",
                                   format, "\"."),
                      absl::StrCat("A ", ToString(y.spec()), " came."),
                      "Derive the layer from Formattable and label what it returns.");
        }
        if (y.format().empty()) y = DlArray(y, format);
      }
    }
    return result;
  } catch (Error& e) {
    e.AddPlace(absl::StrCat(Who(l), ", ", std::string(function)));
    throw;
  }
}

void AnyLayer::ResetState() {
  if (!traits_.has_reset_state) return;
  const AnyLayer before = *this;
  try {
    model_->ResetState();
  } catch (Error& e) {
    *this = before;
    e.AddPlace(absl::StrCat(Who(layer()), ", ResetState"));
    throw;
  }
  for (const PropertyDescriptor& p : layer().Properties()) {
    if (p.access->get == nullptr) continue;
    if (Same(layer().GetProperty(p), before.layer().GetProperty(p))) continue;
    const std::string was = ToString(before.layer().GetProperty(p)),
                      is = ToString(layer().GetProperty(p));
    const std::string who = Who(layer()), name = p.name;
    *this = before;
    throw Error("layer:ResetStateChangedProperty",
                absl::StrCat(who, ": ResetState sets learnables and states only."),
                absl::StrCat("It changed \"", name, "\" from ", was, " to ", is, "."),
                "Leave the property alone, or make it a State.");
  }
}

}  // namespace lamina
