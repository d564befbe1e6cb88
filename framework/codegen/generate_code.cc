#include "framework/codegen/generate_code.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <set>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "framework/codegen/recorded_network.h"
#include "framework/emit/c_body.h"
#include "framework/emit/c_printer.h"
#include "framework/emit/program.h"
#include "framework/io/file.h"
#include "framework/loops/variable_size.h"

namespace lamina {
namespace {

using internal::RecordedNetwork;

class NameList {
 public:
  std::string Add(const std::string& text) {
    const std::string hint = Identifier(text);
    std::string name = hint;
    for (int i = 2; CReservedWords().count(name) > 0 || !taken_.insert(name).second; ++i) {
      name = absl::StrCat(hint, "_", i);
    }
    return name;
  }

 private:
  std::set<std::string> taken_;
};

std::string ScratchName(DataType type) { return absl::StrCat("scratch_", Identifier(Name(type))); }

// What stays the same for all files of one network.
struct Parts {
  RecordedNetwork network;
  std::vector<std::string> inputs, outputs, parameters, states;  // C names
  Program program;
  std::string prefix;
  int64_t max_observations = 0;  ///< 0: as many as the layouts have.
};

const ArraySpec& OutputSpec(const Parts& p, size_t i) {
  return p.network.graph.values()[p.network.graph.outputs()[i]].spec;
}
const ArraySpec& InputSpec(const Parts& p, size_t i) {
  return p.network.graph.values()[p.network.graph.inputs()[i]].spec;
}

void CheckName(const std::string& name) {
  bool good = !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
              CReservedWords().count(name) == 0;
  for (unsigned char c : name) good = good && c < 128 && (std::isalnum(c) || c == '_');
  if (good) return;
  throw Error("codegen:InvalidName", "The name of generated code is a C identifier.",
              absl::StrCat("\"", name, "\" came."), "Use letters, digits and underscores.");
}

Parts Prepare(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
              const CodegenOptions& options) {
  CheckName(options.name);
  Parts p;
  p.prefix = options.name;
  p.network = internal::RecordNetwork(network, layouts, options.type);
  NameList names;
  for (const std::string& name : p.network.input_names) {
    p.inputs.push_back(names.Add(p.network.input_names.size() == 1 ? "input" : name));
  }
  for (const std::string& name : p.network.output_names) {
    p.outputs.push_back(names.Add(p.network.output_names.size() == 1 ? "output" : name));
  }
  for (const auto& parameter : p.network.parameters) {
    p.parameters.push_back(names.Add(parameter.name));
  }
  for (const auto& state : p.network.states) p.states.push_back(names.Add(state.name));
  ProgramNames program_names{p.inputs, p.outputs, p.network.layers, CReservedWords()};
  program_names.inputs.insert(program_names.inputs.end(), p.parameters.begin(), p.parameters.end());
  for (const std::string& state : p.states) {
    program_names.inputs.push_back(state);
    program_names.outputs.push_back(names.Add("new_" + state));
  }
  p.program = WriteProgram(p.network.graph, program_names);
  return p;
}

Error NotForAnyNumber(std::string came, std::string_view fix) {
  return Error("codegen:Observations",
               "Code for a number of observations that varies is the same for any number.",
               std::move(came), fix);
}

std::vector<NetworkDataLayout> WithObservations(std::span<const NetworkDataLayout> layouts,
                                                int64_t count) {
  std::vector<NetworkDataLayout> out;
  for (const NetworkDataLayout& layout : layouts) {
    const int b = layout.FindDim('B');
    if (b < 0) {
      throw NotForAnyNumber(absl::StrCat("The layout ", ToString(layout), " has no dim of them."),
                            "Label it B.");
    }
    Sizes sizes = layout.sizes();
    sizes[b] = count;
    out.emplace_back(sizes, layout.format().str());
  }
  return out;
}

bool SameStates(const Parts& a, const Parts& b) {
  for (size_t i = 0; i < a.network.states.size(); ++i) {
    if (!(a.network.states[i].initial.spec() == b.network.states[i].initial.spec())) return false;
  }
  return true;
}

bool SameConstants(const Parts& a, const Parts& b) {
  for (size_t i = 0; i < a.program.arrays.size(); ++i) {
    const ProgramArray &x = a.program.arrays[i], &y = b.program.arrays[i];
    if (x.name != y.name || x.role != y.role) return false;
    if (x.role == ProgramArray::kConstant && !(x.spec == y.spec)) return false;
  }
  return true;
}

// The network for `most` observations and for two larger numbers; what differs is taken to be
// linear in the number, and the third must agree.
Parts PrepareForUpTo(int64_t most, const DlNetwork& network,
                     std::span<const NetworkDataLayout> layouts, const CodegenOptions& options) {
  const int64_t n = std::max<int64_t>(most, 2);  // A dim of size 1 has no loop.
  Parts p = Prepare(network, WithObservations(layouts, n), options);
  const Parts second = Prepare(network, WithObservations(layouts, n + 1), options);
  const Parts third = Prepare(network, WithObservations(layouts, n + 2), options);
  if (!SameStates(p, second)) {
    throw NotForAnyNumber("A state has another size for another number.",
                          "Generate it for a fixed number: leave max_observations out.");
  }
  const loops::Expression size = loops::Expression::Variable("observations");
  bool agrees = p.program.steps.size() == second.program.steps.size() &&
                p.program.steps.size() == third.program.steps.size() &&
                p.program.arrays.size() == second.program.arrays.size() && SameConstants(p, second);
  for (size_t i = 0; agrees && i < p.program.steps.size(); ++i) {
    ProgramStep& step = p.program.steps[i];
    const auto two = WithVariableSize(step.code, second.program.steps[i].code, n, n + 1, size);
    const auto three = WithVariableSize(step.code, third.program.steps[i].code, n, n + 2, size);
    CPrinter printer;
    agrees = two && three && printer.Print(*two, 0) == printer.Print(*three, 0);
    if (!agrees) {
      throw NotForAnyNumber(
          absl::StrCat("The code of this step is not: ", step.comment, "."),
          "Does it join observations? Generate it for a fixed number: leave max_observations out.");
    }
    step.code = *two;
  }
  if (agrees) return p;
  throw NotForAnyNumber("It has other steps or constants for another number.",
                        "Generate it for a fixed number: leave max_observations out.");
}

Parts PrepareAny(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                 const CodegenOptions& options) {
  Parts p = options.max_observations > 0
                ? PrepareForUpTo(options.max_observations, network, layouts, options)
                : Prepare(network, layouts, options);
  p.max_observations = options.max_observations;
  return p;
}

std::string Arguments(const Parts& p) {
  std::string text = p.max_observations > 0 ? ", int observations" : "";
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    absl::StrAppend(&text, ", const ", CType(InputSpec(p, i).type), " *", p.inputs[i]);
  }
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    absl::StrAppend(&text, ", ", CType(OutputSpec(p, i).type), " *", p.outputs[i]);
  }
  return text;
}

bool IsAnyComplex(const Parts& p) {
  for (const GraphValue& v : p.network.graph.values()) {
    if (IsComplex(v.spec.type)) return true;
  }
  return false;
}

std::string Field(const ArraySpec& spec, const std::string& name) {
  return absl::StrCat("  ", CType(spec.type), " ", name, "[", spec.numel(), "]; ",
                      CComment(Described(spec)), "\n");
}

std::string Header(const Parts& p) {
  std::string fields, states, scratch, sizes;
  for (size_t i = 0; i < p.parameters.size(); ++i) {
    fields += Field(p.network.parameters[i].value.spec(), p.parameters[i]);
  }
  for (size_t i = 0; i < p.states.size(); ++i) {
    states += Field(p.network.states[i].initial.spec(), p.states[i]);
  }
  for (size_t i = 0; i < p.states.size(); ++i) {
    states += Field(p.network.states[i].initial.spec(), "new_" + p.states[i]);
  }
  for (int t = 0; t < kNumDataTypes; ++t) {
    const auto type = static_cast<DataType>(t);
    if (p.program.scratch[t] == 0) continue;
    absl::StrAppend(&scratch, "  ", CType(type), " ", ScratchName(type), "[", p.program.scratch[t],
                    "];\n");
  }
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    absl::StrAppend(&sizes, "  PREFIX_", p.inputs[i], "_size = ", InputSpec(p, i).numel(), ", ",
                    CComment(Described(InputSpec(p, i))), "\n");
  }
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    absl::StrAppend(&sizes, "  PREFIX_", p.outputs[i], "_size = ", OutputSpec(p, i).numel(), ", ",
                    CComment(Described(OutputSpec(p, i))), "\n");
  }
  std::string text = R"(/* PREFIX: a network as C, generated by Lamina. Do not edit.
 *
 *   static PREFIX_context context;
 *   PREFIX_start(&context, &PREFIX_trained);
 *   PREFIX_predict(&context, ...);
 *
 * Arrays are column-major: the first dim is the fastest. All memory that is used lies in the
 * context; two contexts may run in two threads.
 */
#ifndef GUARD_H_
#define GUARD_H_

INCLUDES
#ifdef __cplusplus
extern "C" {
#endif

)";
  absl::StrAppend(&text, "/* Elements of the inputs and outputs. */\nenum {\n", sizes, "};\n\n");
  if (!fields.empty()) {
    absl::StrAppend(&text, "/* What was learned. */\ntypedef struct PREFIX_parameters {\n", fields,
                    "} PREFIX_parameters;\n\n",
                    "/* The values of the network from which this was generated. */\n"
                    "extern const PREFIX_parameters PREFIX_trained;\n\n");
  } else {
    absl::StrAppend(&text,
                    "/* This network has learned nothing. */\ntypedef struct PREFIX_parameters {\n"
                    "  char none;\n} PREFIX_parameters;\n\n"
                    "extern const PREFIX_parameters PREFIX_trained;\n\n");
  }
  absl::StrAppend(&text, "/* A running network. */\ntypedef struct PREFIX_context {\n",
                  "  const PREFIX_parameters *parameters;\n", states, scratch,
                  "} PREFIX_context;\n\n");
  absl::StrAppend(
      &text, "/* Before the first prediction. The parameters must live as long as the context",
      p.states.empty() ? "." : ";\n * states are those that the network had.",
      " */\nvoid PREFIX_start(PREFIX_context *context, const PREFIX_parameters *parameters);\n\n");
  if (!p.states.empty()) {
    absl::StrAppend(&text, "/* Sets the states back, as before the first observation. */\n",
                    "void PREFIX_reset(PREFIX_context *context);\n\n");
  }
  if (p.max_observations > 0) {
    absl::StrAppend(&text, "/* For 1 to ", p.max_observations,
                    " observations: arrays have as many in their dim B. 0: done; 1: another\n"
                    " * number came, and nothing was done. */\nint");
  } else {
    text += "void";
  }
  absl::StrAppend(&text, " PREFIX_predict(PREFIX_context *context", Arguments(p), ");\n\n");
  if (!fields.empty()) {
    absl::StrAppend(&text,
                    "/* Other parameters, from a file of them (PREFIX_read.c). 0: they were read;\n"
                    " * 1: the file cannot be read; 2: it is for another network. */\n"
                    "int PREFIX_read_parameters(PREFIX_parameters *parameters, const char *path);"
                    "\n\n");
  }
  absl::StrAppend(&text, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n");
  return text;
}

std::string Copies(const std::string& source, const Parts& p) {
  std::string text;
  for (const std::string& state : p.states) {
    absl::StrAppend(&text, "  memcpy(context->", state, ", ", source, state, ", sizeof context->",
                    state, ");\n");
  }
  return text;
}

std::string StateValues(const Parts& p, bool reset) {
  std::string text;
  for (size_t i = 0; i < p.states.size(); ++i) {
    const internal::RecordedState& s = p.network.states[i];
    absl::StrAppend(&text, "static const ", CType(s.initial.type()), " ",
                    reset ? "reset_" : "initial_", p.states[i], "[", s.initial.numel(),
                    "] = ", CValues(reset ? s.reset : s.initial, 1), ";\n");
  }
  return text;
}

std::string Source(const Parts& p) {
  CPrinter printer;
  const auto where = [&](const ProgramArray& a) -> std::string {
    const auto index = static_cast<size_t>(a.index);
    switch (a.role) {
      case ProgramArray::kConstant:
        return "";
      case ProgramArray::kScratch:
        return absl::StrCat("context->", ScratchName(a.spec.type), " + ", a.offset);
      case ProgramArray::kOutput:
        return index < p.outputs.size() ? "" : absl::StrCat("context->", a.name);
      case ProgramArray::kInput:
        break;
    }
    if (index < p.inputs.size()) return "";
    return absl::StrCat(
        index < p.inputs.size() + p.parameters.size() ? "context->parameters->" : "context->",
        a.name);
  };
  const std::string body = CBody(p.program, where, &printer);
  const std::string range = p.max_observations > 0
                                ? absl::StrCat("  if (observations < 1 || observations > ",
                                               p.max_observations, ") return 1;\n")
                                : "";
  const std::string constants = CConstants(p.program);
  std::string unused;
  for (const std::string& input : p.inputs) {
    if (!IsNamed(p.program, input)) absl::StrAppend(&unused, "  (void)", input, ";\n");
  }
  std::string text =
      "/* The computation of PREFIX, generated by Lamina. Do not edit. */\n"
      "#include \"PREFIX.h\"\n\n#include <math.h>\n#include <string.h>\n\n";
  absl::StrAppend(&text, printer.Helpers(), constants, constants.empty() ? "" : "\n");
  if (!p.states.empty()) {
    absl::StrAppend(&text, StateValues(p, false), StateValues(p, true), "\n");
  }
  absl::StrAppend(&text,
                  "void PREFIX_start(PREFIX_context *context, const PREFIX_parameters *parameters) "
                  "{\n  context->parameters = parameters;\n",
                  Copies("initial_", p), "}\n\n");
  if (!p.states.empty()) {
    absl::StrAppend(&text, "void PREFIX_reset(PREFIX_context *context) {\n", Copies("reset_", p),
                    "}\n\n");
  }
  const bool varies = p.max_observations > 0;
  absl::StrAppend(&text, varies ? "int" : "void", " PREFIX_predict(PREFIX_context *context",
                  Arguments(p), ") {\n",
                  body.find("context->") == std::string::npos ? "  (void)context;\n" : "", unused,
                  range, body);
  if (!p.states.empty()) {
    absl::StrAppend(&text, "\n  /* The new states. */\n", Copies("context->new_", p));
  }
  return text + (varies ? "  return 0;\n}\n" : "}\n");
}

std::string Weights(const Parts& p) {
  std::string text =
      "/* The parameters of PREFIX, generated by Lamina. Do not edit. */\n"
      "#include \"PREFIX.h\"\n\nconst PREFIX_parameters PREFIX_trained = {\n";
  for (size_t i = 0; i < p.parameters.size(); ++i) {
    absl::StrAppend(&text, "  ", CComment(p.network.parameters[i].name), "\n  ",
                    CValues(p.network.parameters[i].value, 2), ",\n");
  }
  if (p.parameters.empty()) text += "  0\n";
  return text + "};\n";
}

// Tells one list of parameters from another: FNV-1a of names, sizes and types.
uint64_t Fingerprint(const Parts& p) {
  uint64_t hash = 14695981039346656037u;
  for (const internal::RecordedParameter& parameter : p.network.parameters) {
    for (unsigned char c : absl::StrCat(parameter.name, ToString(parameter.value.spec()), ";")) {
      hash = (hash ^ c) * 1099511628211u;
    }
  }
  return hash;
}

constexpr std::string_view kMagic = "LAMINAW1";

std::string Reader(const Parts& p) {
  std::string text = R"(/* Reads parameters of PREFIX, generated by Lamina. Do not edit.
 *
 * The file: "LAMINAW1", the number FINGERPRINT in 8 bytes, the arrays of PREFIX_parameters one after
 * another; all of it with the least significant byte first, as this machine must have it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "PREFIX.h"

int PREFIX_read_parameters(PREFIX_parameters *parameters, const char *path) {
  const uint64_t expected = UINT64_C(FINGERPRINT);
  char head[8];
  uint64_t fingerprint;
  int result = 0;
  FILE *const file = fopen(path, "rb");
  if (file == NULL) return 1;
  if (fread(head, 1, 8, file) != 8 || memcmp(head, "LAMINAW1", 8) != 0 ||
      fread(&fingerprint, 1, 8, file) != 8 || fingerprint != expected) {
    result = 2;
  }
)";
  for (const std::string& name : p.parameters) {
    absl::StrAppend(&text, "  if (result == 0 && fread(parameters->", name, ", sizeof parameters->",
                    name, ", 1, file) != 1) {\n    result = 2;\n  }\n");
  }
  absl::StrAppend(&text,
                  "  if (result == 0 && fgetc(file) != EOF) result = 2;\n"
                  "  fclose(file);\n  return result;\n}\n");
  return absl::StrReplaceAll(text, {{"FINGERPRINT", absl::StrCat(Fingerprint(p))}});
}

}  // namespace

GeneratedCode GenerateCode(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                           const CodegenOptions& options) {
  const Parts p = PrepareAny(network, layouts, options);
  GeneratedCode code;
  const auto add = [&](std::string_view suffix, std::string text) {
    const std::string includes =
        absl::StrCat("#include <stdint.h>\n", IsAnyComplex(p) ? "#include <complex.h>\n" : "");
    code.files.push_back({absl::StrCat(p.prefix, std::string(suffix)),
                          absl::StrReplaceAll(text, {{"PREFIX", p.prefix},
                                                     {"GUARD", absl::AsciiStrToUpper(p.prefix)},
                                                     {"INCLUDES", includes}})});
  };
  add(".h", Header(p));
  add(".c", Source(p));
  add("_weights.c", Weights(p));
  if (!p.parameters.empty()) add("_read.c", Reader(p));
  for (int t = 0; t < kNumDataTypes; ++t) {
    code.context_bytes +=
        p.program.scratch[t] * static_cast<int64_t>(SizeOf(static_cast<DataType>(t)));
  }
  for (size_t i = 0; i < p.states.size(); ++i) {
    const ArraySpec& spec = p.network.states[i].initial.spec();
    code.states.push_back({p.states[i], spec});
    code.context_bytes += 2 * spec.numel() * static_cast<int64_t>(SizeOf(spec.type));
  }
  for (const auto& parameter : p.network.parameters) {
    code.parameter_bytes +=
        parameter.value.numel() * static_cast<int64_t>(SizeOf(parameter.value.type()));
  }
  for (const ProgramArray& a : p.program.arrays) {
    if (a.role != ProgramArray::kScratch || a.first_step < 0) continue;
    code.plan.push_back({a.name, a.spec, a.offset, a.first_step, a.last_step});
  }
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    code.inputs.push_back({p.inputs[i], InputSpec(p, i)});
  }
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    code.outputs.push_back({p.outputs[i], OutputSpec(p, i)});
  }
  return code;
}

std::string WeightsFile(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                        const CodegenOptions& options) {
  const Parts p = PrepareAny(network, layouts, options);
  std::string bytes(kMagic);
  const uint64_t fingerprint = Fingerprint(p);
  bytes.append(reinterpret_cast<const char*>(&fingerprint), sizeof fingerprint);
  for (const internal::RecordedParameter& parameter : p.network.parameters) {
    bytes.append(static_cast<const char*>(parameter.value.data()->bytes()),
                 parameter.value.numel() * SizeOf(parameter.value.type()));
  }
  return bytes;
}

absl::Status WriteFiles(const GeneratedCode& code, const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make the folder '", folder, "': ", error.message()));
  }
  for (const SourceFile& file : code.files) {
    const absl::Status status =
        WriteFileAtomically((std::filesystem::path(folder) / file.name).string(), file.text);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace lamina
