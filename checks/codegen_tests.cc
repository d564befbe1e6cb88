// The layer leaves as generated C: it is generated, compiled, run, and compared.
#include <cctype>
#include <map>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "checks/result_bound.h"
#include "framework/codegen/driver.h"
#include "framework/codegen/generate_code.h"
#include "framework/emit/program.h"
#include "framework/layers/function_layer.h"
#include "framework/network/network.h"
#include "framework/ops/moved.h"

namespace lamina::checks {
namespace {

void CodegenPragmaDefinedInClassDef(const CheckContext& c, const Variant&, TestPoint* point) {
  if (c.traits().is_code_generatable) return;
  const std::string& type = c.original()->Type();
  point->Fail({.expected = "A layer that is meant to be generated declares it.",
               .came = absl::StrCat(type, " does not derive from CodeGeneratable."),
               .where = "",
               .causes = {"The declaration was forgotten.",
                          "The layer is not meant to be generated, "
                          "and check_codegen_compatibility is set."},
               .fix = absl::StrCat("Write struct ", type, " : Layer, CodeGeneratable.")});
}

// The name of a property in C, or "" when it has none that a reader would recognise.
std::string CName(const std::string& name) {
  std::string out;
  for (unsigned char c : name) {
    if (c >= 128 || (!std::isalnum(c) && c != '_' && c != '/')) return "";
    out += static_cast<char>(std::isalnum(c) ? std::tolower(c) : '_');
  }
  std::erase(out, '_');
  return out.empty() || std::isdigit(static_cast<unsigned char>(out[0])) ? "" : out;
}

void LayerPropertiesSupportCodegen(const CheckContext& c, const Variant&, TestPoint* point) {
  std::map<std::string, std::string> taken;
  for (const ParameterName& p : CheckContext::ParameterNames(c.original())) {
    const std::string name = CName(p.name);
    const std::string other = name.empty() ? "" : taken.emplace(name, p.name).first->second;
    if (!name.empty() && other == p.name) continue;
    point->Fail(
        {.expected = "Each learnable and state has a name of its own in C.",
         .came = name.empty()
                     ? absl::StrCat("'", p.name, "' has characters that C names do not have.")
                     : absl::StrCat("'", p.name, "' and '", other, "' would have the same name."),
         .where = absl::StrCat("the property '", p.name, "'"),
         .causes = {},
         .fix = "Name properties with letters, digits and underscores, a letter first; capitals "
                "and underscores alone do not tell two names apart."});
  }
}

// A layer alone, as a network.
DlNetwork NetworkOf(const Subject& subject) { return DlNetwork({subject.layer}); }

const CodegenOptions kOptions{.name = "layer"};

Diagnostic CannotGenerate(const Error& e) {
  Diagnostic d{.expected = "C code can be generated from Predict.",
               .came = e.what(),
               .where = e.identifier(),
               .causes = {},
               .fix = e.fix()};
  if (e.identifier() == "codegen:ReadsValues") {
    d.causes = {"An if, a loop or a return depends on an element of an array (At, Scalar, Data).",
                "A value is printed or checked in Predict."};
    d.fix = "Choose with Where; take what is for a person's eye out of Predict.";
  } else if (e.identifier() == "emit:CannotPrint") {
    d.causes = {"Predict draws random numbers, where only Forward should.",
                "Predict uses an array function that has no printed form."};
  } else if (e.identifier() == "codegen:StateSize") {
    d.causes = {"A state grows with each call."};
  }
  return d;
}

Diagnostic OwnFault(const absl::Status& status) {
  return {.expected = "The generated code compiles without a warning and runs.",
          .came = std::string(status.message()),
          .where = "",
          .causes = {"This is a fault of the code generator, not of the layer."},
          .fix = "Please report it, with the layer."};
}

bool Generate(const Subject& subject, TestPoint* point, GeneratedCode* code) {
  try {
    *code = GenerateCode(NetworkOf(subject), subject.layouts, kOptions);
    return true;
  } catch (const Error& e) {
    point->Fail(CannotGenerate(e));
    return false;
  }
}

AnyLayer LayerInType(const AnyLayer& layer, DataType type) {
  AnyLayer copy = layer;
  SetParameters(copy, InType(ParametersOf(copy), type));
  return copy;
}

DlArrays AllOf(const LayerResult& result) {
  DlArrays all = result.outputs;
  all.insert(all.end(), result.states.begin(), result.states.end());
  return all;
}

// Compares `calls` calls of the generated code with the layer's.
void Compare(const CheckContext& c, const Subject& subject, const GeneratedCode& code,
             const std::vector<DlArrays>& inputs, int reset_before, TestPoint* point) {
  const auto ran = RunGenerated(code, kOptions, inputs, kStrictC, reset_before);
  if (!ran.ok()) return point->Fail(OwnFault(ran.status()));
  AnyLayer layer = subject.layer, exact = LayerInType(subject.layer, DataType::kDouble);
  for (size_t call = 0; call < inputs.size(); ++call) {
    if (static_cast<int>(call) == reset_before) {
      layer.ResetState();
      exact.ResetState();
    }
    const LayerResult y = c.Call(layer, inputs[call], Function::kPredict);
    const LayerResult e =
        c.Call(exact, InType(inputs[call], DataType::kDouble), Function::kPredict);
    const LayerResult up = c.Call(layer, Moved(inputs[call], kLastDigits), Function::kPredict);
    const LayerResult down = c.Call(layer, Moved(inputs[call], -kLastDigits), Function::kPredict);
    const DlArrays all = AllOf(y), all_e = AllOf(e), all_up = AllOf(up), all_down = AllOf(down);
    // The states that the code keeps are those that Predict changes.
    DlArrays came = (*ran)[call].outputs;
    came.insert(came.end(), (*ran)[call].states.begin(), (*ran)[call].states.end());
    const std::vector<ParameterName> names = CheckContext::ParameterNames(subject.layer);
    size_t next = y.outputs.size();
    std::vector<std::string> state_names;
    for (const ParameterName& p : names) {
      if (p.kind == PropertyKind::kState) state_names.push_back(p.name);
    }
    for (size_t k = 0; k < all.size(); ++k) {
      const bool is_state = k >= y.outputs.size();
      const std::string where =
          is_state ? absl::StrCat("the state '", state_names[k - y.outputs.size()], "'")
                   : absl::StrCat("output ", k + 1);
      size_t from = k;
      if (is_state) {
        const std::string ending = absl::StrCat("_", Identifier(state_names[k - y.outputs.size()]));
        const size_t kept = next - y.outputs.size();
        if (kept >= code.states.size() || !code.states[kept].name.ends_with(ending)) continue;
        from = next++;
      }
      const ResultBound bound(all[k], all_e[k], {all_up[k], all_down[k]});
      const int64_t i = bound.WorstBeyond(came[from]);
      if (i < 0) continue;
      point->Fail({.expected = absl::StrCat("The generated code computes what Predict computes: ",
                                            bound.value(i), " within ", bound.allowed(i), "."),
                   .came = absl::StrCat(Values(came[from])[i], " in call ", call + 1, "."),
                   .where = absl::StrCat(where, ", value ", i),
                   .causes = {"Predict depends on something that was fixed when the code was "
                              "generated: whether an array has values, a counter, a member that "
                              "is no property.",
                              "Otherwise this is a fault of the code generator."},
                   .fix = "Make what changes from call to call a State, and return it; compute the "
                          "same with and without values."});
      return;
    }
    layer.SetStates(y.states);
    exact.SetStates(e.states);
  }
}

void PredictSupportsCodegen(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  GeneratedCode code;
  if (!Generate(subject, point, &code)) return;
  if (!c.IsRepeatable(subject, Function::kPredict)) return point->Incomplete(kNotRepeatable);
  Compare(c, subject, code, {subject.inputs}, -1, point);
}

void StatesSupportCodegen(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  GeneratedCode code;
  if (!Generate(subject, point, &code)) return;
  if (!c.IsRepeatable(subject, Function::kPredict)) return point->Incomplete(kNotRepeatable);
  std::vector<DlArrays> inputs;
  for (uint64_t call = 0; call < 4; ++call) {
    inputs.push_back(c.MakeInputs(subject.layouts, v.type, /*stream=*/100 + call));
  }
  const bool resets = c.traits().has_reset_state && !code.states.empty();
  Compare(c, subject, code, inputs, resets ? 2 : -1, point);
}

// A function has no class that could declare anything, and is its own Predict.
bool IsFunction(const CheckContext& c) { return c.original().As<FunctionLayer>() != nullptr; }
bool HasClass(const CheckContext& c) { return !IsFunction(c); }

constexpr LayerTest kTests[] = {
    {"codegenPragmaDefinedInClassDef", Variants::kOnce, HasClass, CodegenPragmaDefinedInClassDef,
     Needs::kCodegen},
    {"layerPropertiesSupportCodegen", Variants::kOnce, Always, LayerPropertiesSupportCodegen,
     Needs::kCodegen},
    {"predictSupportsCodegen", Variants::kObservations, HasClass, PredictSupportsCodegen,
     Needs::kCompiler},
    {"functionLayerSupportsCodegen", Variants::kObservations, IsFunction, PredictSupportsCodegen,
     Needs::kCompiler},
    {"statesSupportCodegen", Variants::kOnce, HasStates, StatesSupportCodegen, Needs::kCompiler},
};

}  // namespace

std::span<const LayerTest> CodegenTests() { return kTests; }

}  // namespace lamina::checks
