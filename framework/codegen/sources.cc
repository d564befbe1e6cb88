#include "framework/codegen/sources.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "framework/emit/c_body.h"
#include "framework/emit/c_printer.h"

namespace lamina::internal {

std::string Spelled(const Parts& p, const std::string& text) {
  std::vector<std::pair<std::string, std::string>> names = {
      // Not in capitals: there may be a network Net beside one that is called net.
      {"GUARD", p.prefix},
      {"PREFIX", p.prefix}};
  if (p.language == Language::kC99) {
    names.emplace_back("OUTER", p.prefix);
    return absl::StrReplaceAll(text, names);
  }
  const char* const kSpellings[][2] = {
      {"context", "Context"},
      {"parameters", "Parameters"},
      {"trained", "trained"},
      {"start", "Start"},
      {"create", "Create"},
      {"destroy", "Destroy"},
      {"reset", "Reset"},
      {"predict", "Predict"},
      {"predict_device", "PredictDevice"},
      {"set_parameters", "SetParameters"},
      {"memory", "Memory"},
      {"read_parameters", "ReadParameters"},
  };
  for (const auto& [c, cpp] : kSpellings) {
    names.emplace_back(absl::StrCat("PREFIX_", c), cpp);
    names.emplace_back(absl::StrCat("OUTER_", c), absl::StrCat(p.prefix, "::", cpp));
  }
  names.emplace_back("PREFIX_read.c", absl::StrCat(p.prefix, "_read.cc"));
  names.emplace_back("OUTER_", absl::StrCat(p.prefix, "::"));
  return absl::StrReplaceAll(text, names);
}

std::string SourceName(const Parts& p, const std::string& suffix) {
  const char* const ending = p.language == Language::kC99                        ? ".c"
                             : p.language == Language::kCpp17 || !suffix.empty() ? ".cc"
                                                                                 : ".cu";
  return absl::StrCat(p.prefix, suffix, ending);
}

bool IsAnyComplex(const Parts& p) {
  const std::vector<GraphValue>& values = p.network.graph.values();
  return std::any_of(values.begin(), values.end(),
                     [](const GraphValue& v) { return IsComplex(v.spec.type); });
}

std::string ScratchName(DataType type) { return absl::StrCat("scratch_", Identifier(Name(type))); }

std::string Arguments(const Parts& p) {
  std::string text = p.max_observations > 0 ? ", int observations" : "";
  for (size_t i = 0; i < p.inputs.size(); ++i) {
    absl::StrAppend(&text, ", const ", CType(p.InputSpec(i).type, p.language), " *", p.inputs[i]);
  }
  for (size_t i = 0; i < p.outputs.size(); ++i) {
    absl::StrAppend(&text, ", ", CType(p.OutputSpec(i).type, p.language), " *", p.outputs[i]);
  }
  return text;
}

std::string NamespaceBegin(const Parts& p) {
  return p.language == Language::kC99 ? "" : "namespace PREFIX {\n\n";
}
std::string NamespaceEnd(const Parts& p) {
  return p.language == Language::kC99 ? "" : "\n}  // namespace PREFIX\n";
}

std::string HeaderBegin(const Parts& p, const std::string& comment, const std::string& includes) {
  return absl::StrCat(
      comment, "#ifndef GUARD_H_\n#define GUARD_H_\n\n#include <stdint.h>\n", includes, "\n",
      p.language == Language::kC99 ? "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
                                   : NamespaceBegin(p));
}
std::string HeaderEnd(const Parts& p) {
  return p.language == Language::kC99 ? "#ifdef __cplusplus\n}\n#endif\n\n#endif\n"
                                      : "}  // namespace PREFIX\n\n#endif\n";
}

std::string Struct(const Parts& p, const std::string& name, const std::string& fields) {
  return p.language == Language::kC99
             ? absl::StrCat("typedef struct PREFIX_", name, " {\n", fields, "} PREFIX_", name,
                            ";\n\n")
             : absl::StrCat("struct PREFIX_", name, " {\n", fields, "};\n\n");
}

std::string Field(const Parts& p, const ArraySpec& spec, const std::string& name) {
  return absl::StrCat("  ", CType(spec.type, p.language), " ", name, "[", spec.numel(), "]; ",
                      CComment(Described(spec)), "\n");
}

namespace {

// "computed from conv/Weights, norm/Scale"
std::string Origin(const RecordedParameter& parameter) {
  if (parameter.computed_from.empty()) return "";
  return absl::StrCat("computed from ", absl::StrJoin(parameter.computed_from, ", "));
}

}  // namespace

std::string SizesAndParameters(const Parts& p) {
  std::string fields, sizes;
  for (size_t i = 0; i < p.parameters.size(); ++i) {
    const RecordedParameter& parameter = p.network.parameters[i];
    const std::string origin = Origin(parameter);
    if (!origin.empty()) absl::StrAppend(&fields, "  ", CComment(origin, 1), "\n");
    fields += Field(p, parameter.value.spec(), p.parameters[i]);
  }
  const std::string outer = p.language == Language::kC99 ? "PREFIX_" : "";
  const auto size = [&](const std::string& name, const ArraySpec& spec) {
    absl::StrAppend(&sizes, "  ", outer, name, "_size = ", spec.numel(), ", ",
                    CComment(Described(spec)), "\n");
  };
  for (size_t i = 0; i < p.inputs.size(); ++i) size(p.inputs[i], p.InputSpec(i));
  for (size_t i = 0; i < p.outputs.size(); ++i) size(p.outputs[i], p.OutputSpec(i));
  std::string text =
      absl::StrCat("/* Elements of the inputs and outputs. */\nenum {\n", sizes, "};\n\n");
  if (fields.empty()) {
    return absl::StrCat(text, "/* This network has learned nothing. */\n",
                        Struct(p, "parameters", "  char none;\n"),
                        "extern const PREFIX_parameters PREFIX_trained;\n\n");
  }
  return absl::StrCat(text, "/* What was learned. */\n", Struct(p, "parameters", fields),
                      "/* The values of the network from which this was generated. */\n"
                      "extern const PREFIX_parameters PREFIX_trained;\n\n");
}

std::string StateFields(const Parts& p) {
  std::string text;
  for (const char* which : {"", "new_"}) {
    for (size_t i = 0; i < p.states.size(); ++i) {
      text += Field(p, p.network.states[i].initial.spec(), which + p.states[i]);
    }
  }
  return text;
}

std::string ScratchFields(const Parts& p) {
  std::string text;
  for (int t = 0; t < kNumDataTypes; ++t) {
    const auto type = static_cast<DataType>(t);
    if (p.program.scratch[t] == 0) continue;
    absl::StrAppend(&text, "  ", CType(type, p.language), " ", ScratchName(type), "[",
                    p.program.scratch[t], "];\n");
  }
  return text;
}

std::string StateValues(const Parts& p, bool reset) {
  std::string text;
  for (size_t i = 0; i < p.states.size(); ++i) {
    const RecordedState& s = p.network.states[i];
    absl::StrAppend(&text, "static const ", CType(s.initial.type(), p.language), " ",
                    reset ? "reset_" : "initial_", p.states[i], "[", s.initial.numel(),
                    "] = ", CValues(reset ? s.reset : s.initial, 1, p.language), ";\n");
  }
  return text;
}

namespace {

std::string Weights(const Parts& p) {
  std::string text = absl::StrCat(
      "/* The parameters of PREFIX, generated by Lamina. Do not edit. */\n"
      "#include \"PREFIX.h\"\n\n#include <math.h> /* NAN and INFINITY */\n\n",
      NamespaceBegin(p), "const PREFIX_parameters PREFIX_trained = {\n");
  for (size_t i = 0; i < p.parameters.size(); ++i) {
    const RecordedParameter& parameter = p.network.parameters[i];
    absl::StrAppend(&text, "  ", CComment(parameter.name), "\n  ",
                    CValues(parameter.value, 2, p.language), ",\n");
  }
  if (p.parameters.empty()) text += "  0\n";
  return absl::StrCat(text, "};\n", NamespaceEnd(p));
}

std::string Reader(const Parts& p) {
  std::string text =
      absl::StrCat(R"(/* Reads parameters of PREFIX, generated by Lamina. Do not edit.
 *
 * The file: "MAGIC", the number FINGERPRINT in 8 bytes, the arrays of PREFIX_parameters one after
 * another; all of it with the least significant byte first, as this machine must have it.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "PREFIX.h"

)",
                   NamespaceBegin(p),
                   R"(int PREFIX_read_parameters(PREFIX_parameters *parameters, const char *path) {
  const uint64_t expected = UINT64_C(FINGERPRINT);
  char head[8];
  uint64_t fingerprint;
  int result = 0;
  FILE *const file = fopen(path, "rb");
  if (file == NULL) return 1;
  /* All of it is looked at before anything is stored. */
  if (fread(head, 1, 8, file) != 8 || memcmp(head, "MAGIC", 8) != 0 ||
      fread(&fingerprint, 1, 8, file) != 8 || fingerprint != expected ||
      fseek(file, 0, SEEK_END) != 0 || (int64_t)ftell(file) != INT64_C(BYTES) ||
      fseek(file, 16, SEEK_SET) != 0) {
    result = 2;
  }
)");
  for (const std::string& name : p.parameters) {
    absl::StrAppend(&text, "  if (result == 0 && fread(parameters->", name, ", sizeof parameters->",
                    name, ", 1, file) != 1) {\n    result = 1;\n  }\n");
  }
  absl::StrAppend(&text, "  fclose(file);\n  return result;\n}\n", NamespaceEnd(p));
  return absl::StrReplaceAll(text, {{"FINGERPRINT", absl::StrCat(Fingerprint(p))},
                                    {"MAGIC", std::string(kMagic)},
                                    {"BYTES", absl::StrCat(16 + ParameterBytes(p))}});
}

}  // namespace

int64_t ParameterBytes(const Parts& p) {
  int64_t bytes = 0;
  for (const RecordedParameter& parameter : p.network.parameters) {
    bytes += parameter.value.numel() * static_cast<int64_t>(SizeOf(parameter.value.type()));
  }
  return bytes;
}

uint64_t Fingerprint(const Parts& p) {
  uint64_t hash = 14695981039346656037u;
  for (const RecordedParameter& parameter : p.network.parameters) {
    for (unsigned char c :
         absl::StrCat(parameter.name, Origin(parameter), ToString(parameter.value.spec()), ";")) {
      hash = (hash ^ c) * 1099511628211u;
    }
  }
  return hash;
}

std::vector<SourceFile> ParameterSources(const Parts& p) {
  std::vector<SourceFile> files{{SourceName(p, "_weights"), Spelled(p, Weights(p))}};
  if (!p.parameters.empty()) files.push_back({SourceName(p, "_read"), Spelled(p, Reader(p))});
  return files;
}

}  // namespace lamina::internal
