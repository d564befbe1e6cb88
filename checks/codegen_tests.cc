// The layer leaves as generated C: it is generated, compiled, run, and compared.
//
// How close the C program must come: its rounding differs from the framework's, so a layer's own
// noise is measured, by the framework in single against the framework in double, and by inputs that
// are moved by a few units in their last place (docs/checking.md).
#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "framework/codegen/driver.h"
#include "framework/codegen/generate_code.h"
#include "framework/emit/program.h"
#include "framework/network/network.h"
#include "framework/ops/elementwise.h"

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

std::vector<double> Values(const DlArray& x) {
  std::vector<double> values;
  for (int64_t i = 0; i < x.numel(); ++i) {
    const std::complex<double> z = x.ComplexAt(i);
    values.push_back(z.real());
    if (IsComplex(x.type())) values.push_back(z.imag());
  }
  return values;
}

// How much the values of one result may differ from those of the framework.
class Bound {
 public:
  // `y` in single, `exact` in double, and y for inputs moved up and down.
  Bound(const DlArray& y, const DlArray& exact, const DlArray& up, const DlArray& down)
      : y_(Values(y)) {
    const std::vector<double> e = Values(exact), u = Values(up), d = Values(down);
    double squares = 0;
    int64_t finite = 0;
    for (double v : y_) {
      if (!std::isfinite(v)) continue;
      squares += v * v;
      ++finite;
    }
    const double rms = finite > 0 ? std::sqrt(squares / static_cast<double>(finite)) : 0;
    std::vector<double> noise;
    for (size_t i = 0; i < y_.size(); ++i) {
      const double scale = std::abs(y_[i]) + rms;
      const double relative = scale > 0 ? std::abs(y_[i] - e[i]) / scale : 0;
      if (std::isfinite(relative)) noise.push_back(relative);
      scale_.push_back(scale);
      moved_.push_back(std::max(std::abs(u[i] - y_[i]), std::abs(d[i] - y_[i])));
    }
    constexpr double kLeast = 0x1p-22;
    noise_ = kLeast;
    if (!noise.empty()) {
      // Nine of ten are below: a few values may be at a jump of the function.
      const size_t rank = noise.size() * 9 / 10;
      std::nth_element(noise.begin(), noise.begin() + rank, noise.end());
      noise_ = std::max(noise_, noise[rank]);
    }
  }
  // The first value out of bounds, or -1.
  int64_t FirstBeyond(const DlArray& came) const {
    const std::vector<double> v = Values(came);
    for (size_t i = 0; i < y_.size(); ++i) {
      if (v[i] == y_[i] || (std::isnan(v[i]) && std::isnan(y_[i]))) continue;
      const double allowed = 16 * noise_ * scale_[i] + 4 * moved_[i];
      if (!(std::abs(v[i] - y_[i]) <= allowed)) return static_cast<int64_t>(i);
    }
    return -1;
  }
  double value(int64_t i) const { return y_[i]; }
  double allowed(int64_t i) const { return 16 * noise_ * scale_[i] + 4 * moved_[i]; }

 private:
  std::vector<double> y_, scale_, moved_;
  double noise_ = 0;
};

// Each element moved by four units in its last place, in turn up and down.
DlArrays Moved(const DlArrays& inputs, double direction) {
  DlArrays out;
  for (const DlArray& x : inputs) out.push_back(x * (1 + direction * 0x1p-22));
  return out;
}

DlArrays InType(const DlArrays& arrays, DataType type) {
  DlArrays out;
  for (const DlArray& x : arrays) {
    const DataType to = IsComplex(x.type()) ? ToComplex(type) : type;
    out.push_back(IsFloating(x.type()) ? Cast(x, to) : x);
  }
  return out;
}

AnyLayer InType(const AnyLayer& layer, DataType type) {
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
  AnyLayer layer = subject.layer, exact = InType(subject.layer, DataType::kDouble);
  for (size_t call = 0; call < inputs.size(); ++call) {
    if (static_cast<int>(call) == reset_before) {
      layer.ResetState();
      exact.ResetState();
    }
    const LayerResult y = c.Call(layer, inputs[call], Function::kPredict);
    const LayerResult e =
        c.Call(exact, InType(inputs[call], DataType::kDouble), Function::kPredict);
    const LayerResult up = c.Call(layer, Moved(inputs[call], 1), Function::kPredict);
    const LayerResult down = c.Call(layer, Moved(inputs[call], -1), Function::kPredict);
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
      const Bound bound(all[k], all_e[k], all_up[k], all_down[k]);
      const int64_t i = bound.FirstBeyond(came[from]);
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

constexpr LayerTest kTests[] = {
    {"codegenPragmaDefinedInClassDef", Variants::kOnce, Always, CodegenPragmaDefinedInClassDef,
     Needs::kCodegen},
    {"layerPropertiesSupportCodegen", Variants::kOnce, Always, LayerPropertiesSupportCodegen,
     Needs::kCodegen},
    {"predictSupportsCodegen", Variants::kObservations, Always, PredictSupportsCodegen,
     Needs::kCompiler},
    {"statesSupportCodegen", Variants::kOnce, HasStates, StatesSupportCodegen, Needs::kCompiler},
};

}  // namespace

std::span<const LayerTest> CodegenTests() { return kTests; }

}  // namespace lamina::checks
