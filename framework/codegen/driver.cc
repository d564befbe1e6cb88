#include "framework/codegen/driver.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "framework/emit/c_printer.h"

namespace lamina {

namespace {

// What a driver calls, in the language: NAME_start(&context, ...) or NAME::Start(...).
struct Calls {
  const char *context, *start, *reset, *predict, *end;
};
Calls CallsOf(Language language) {
  switch (language) {
    case Language::kC99:
      return {"static NAME_context context;\n", "  NAME_start(&context, &NAME_trained);\n",
              "NAME_reset(&context)", "NAME_predict(&context", ""};
    case Language::kCpp17:
      return {"static NAME::Context context;\n", "  NAME::Start(&context, &NAME::trained);\n",
              "NAME::Reset(&context)", "NAME::Predict(&context", ""};
    case Language::kCuda:
      break;
  }
  return {
      "static NAME::Context context;\n\nstatic void Check(cudaError_t error) {\n"
      "  if (error == cudaSuccess) return;\n"
      "  fprintf(stderr, \"%s\\n\", cudaGetErrorString(error));\n  exit(2);\n}\n\n",
      "  Check(NAME::Create(&context, &NAME::trained));\n", "Check(NAME::Reset(&context, 0))",
      "Check(NAME::Predict(&context", "  NAME::Destroy(&context);\n"};
}

}  // namespace

SourceFile DriverFor(const GeneratedCode& code, const CodegenOptions& options, int reset_before) {
  const bool is_cuda = options.language == Language::kCuda;
  const Calls calls = CallsOf(options.language);
  std::string arrays, reads, arguments, writes;
  const auto declare = [&](const GeneratedArray& a) {
    absl::StrAppend(&arrays, "static ", CType(a.spec.type, options.language), " ", a.name, "[",
                    a.spec.numel(), "];\n");
  };
  for (const GeneratedArray& a : code.inputs) {
    declare(a);
    absl::StrAppend(&arguments, ", ", a.name);
    absl::StrAppend(&reads, reads.empty() ? "" : " && ", "fread(", a.name, ", sizeof ", a.name,
                    ", 1, stdin) == 1");
  }
  for (const GeneratedArray& a : code.outputs) {
    declare(a);
    absl::StrAppend(&arguments, ", ", a.name);
    absl::StrAppend(&writes, "    fwrite(", a.name, ", sizeof ", a.name, ", 1, stdout);\n");
  }
  for (const GeneratedArray& a : code.states) {
    if (is_cuda) {
      declare(a);
      absl::StrAppend(&writes, "    Check(cudaMemcpy(", a.name, ", context.memory->", a.name,
                      ", sizeof ", a.name, ", cudaMemcpyDeviceToHost));\n");
    }
    const std::string from = absl::StrCat(is_cuda ? "" : "context.", a.name);
    absl::StrAppend(&writes, "    fwrite(", from, ", sizeof ", from, ", 1, stdout);\n");
  }
  const std::string reset =
      reset_before < 0 ? ""
                       : absl::StrCat("    if (call == ", reset_before, ") ", calls.reset, ";\n");
  const std::string text = absl::StrCat(
      "/* Tries NAME. */\n#include <stdio.h>\n", is_cuda ? "#include <stdlib.h>\n" : "",
      "\n#include \"NAME.h\"\n\n", calls.context, arrays, "\nint main(void) {\n  int call;\n",
      calls.start, "  for (call = 0; ", reads, "; ++call) {\n", reset, "    ", calls.predict,
      arguments, is_cuda ? "));\n" : ");\n", writes, "  }\n", calls.end,
      "  return call > 0 ? 0 : 1;\n}\n");
  return {absl::StrCat(options.name, "_driver", options.language == Language::kC99 ? ".c" : ".cc"),
          absl::StrReplaceAll(text, {{"NAME", options.name}})};
}

absl::StatusOr<std::vector<GeneratedCall>> RunGenerated(const GeneratedCode& code,
                                                        const CodegenOptions& options,
                                                        const std::vector<DlArrays>& inputs,
                                                        const std::string& flags,
                                                        int reset_before) {
  std::string bytes;
  for (const DlArrays& call : inputs) {
    for (const DlArray& x : call) {
      bytes.append(static_cast<const char*>(x.data()->bytes()), x.numel() * SizeOf(x.type()));
    }
  }
  std::vector<SourceFile> files = code.files;
  files.push_back(DriverFor(code, options, reset_before));
  const absl::StatusOr<std::string> output = CompileAndRun(files, flags, bytes);
  if (!output.ok()) return output.status();
  size_t at = 0;
  const auto read = [&](const std::vector<GeneratedArray>& arrays, DlArrays* out) {
    for (const GeneratedArray& a : arrays) {
      const size_t size = a.spec.numel() * SizeOf(a.spec.type);
      if (at + size > output->size()) return false;
      out->push_back(DlArray::FromBytes(a.spec.type, output->data() + at, a.spec.numel(),
                                        a.spec.sizes, a.spec.format.str()));
      at += size;
    }
    return true;
  };
  std::vector<GeneratedCall> calls(inputs.size());
  bool whole = true;
  for (GeneratedCall& call : calls) {
    whole = whole && read(code.outputs, &call.outputs) && read(code.states, &call.states);
  }
  if (whole && at == output->size()) return calls;
  return absl::InternalError(
      absl::StrCat("the program wrote ", output->size(), " bytes, not those of its results"));
}

}  // namespace lamina
