#include "framework/emit/testing/run_printed.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "framework/emit/c_body.h"
#include "framework/emit/c_compiler.h"
#include "framework/emit/kernel_prelude.h"

namespace lamina::testing {
namespace {

struct Function {
  std::string text;
  Program program;
};

Function Print(const Graph& graph, const std::string& name, CPrinter* printer,
               ProgramFor target = ProgramFor::kProducts) {
  ProgramNames names;
  names.reserved = CReservedWords();
  for (size_t i = 0; i < graph.inputs().size(); ++i) names.inputs.push_back(absl::StrCat("x", i));
  for (size_t i = 0; i < graph.outputs().size(); ++i) names.outputs.push_back(absl::StrCat("y", i));
  Function f;
  f.program = WriteProgram(graph, names, nullptr, target);
  std::string arguments, unused, scratch;
  for (size_t i = 0; i < names.inputs.size(); ++i) {
    const ArraySpec& spec = graph.values()[graph.inputs()[i]].spec;
    absl::StrAppend(&arguments, arguments.empty() ? "" : ", ", "const ", CType(spec.type), " *",
                    names.inputs[i]);
    if (!IsNamed(f.program, names.inputs[i])) {
      absl::StrAppend(&unused, "  (void)", names.inputs[i], ";\n");
    }
  }
  for (size_t i = 0; i < names.outputs.size(); ++i) {
    const ArraySpec& spec = graph.values()[graph.outputs()[i]].spec;
    absl::StrAppend(&arguments, arguments.empty() ? "" : ", ", CType(spec.type), " *",
                    names.outputs[i]);
  }
  for (int t = 0; t < kNumDataTypes; ++t) {
    if (f.program.scratch[t] == 0) continue;
    // Of real and complex numbers all are NaN, so that results tell of one that was never stored.
    absl::StrAppend(&scratch, "  static ", CType(static_cast<DataType>(t)), " scratch_", t, "[",
                    f.program.scratch[t], "];\n  memset(scratch_", t, ", 255, sizeof scratch_", t,
                    ");\n");
  }
  const std::string body = CBody(
      f.program,
      [&](const ProgramArray& a) -> std::string {
        if (a.role != ProgramArray::kScratch) return "";
        return absl::StrCat("scratch_", static_cast<int>(a.spec.type), " + ", a.offset);
      },
      printer);
  // Constants inside the function, so that cases do not meet.
  f.text = absl::StrCat("static void ", name, "(", arguments, ") {\n", CConstants(f.program),
                        scratch, unused, body, "}\n\n");
  return f;
}

}  // namespace

std::string PrintedFunction(const Graph& graph, const std::string& name) {
  CPrinter printer;
  const std::string text = Print(graph, name, &printer).text;
  return printer.Helpers() + text;
}

std::vector<DlArrays> RunPrinted(const std::vector<PrintedCase>& cases,
                                 const std::string& more_flags, ProgramFor target) {
  CPrinter printer;
  std::string functions, calls, input;
  for (size_t c = 0; c < cases.size(); ++c) {
    const Graph& graph = cases[c].graph;
    functions += Print(graph, absl::StrCat("case_", c), &printer, target).text;
    std::string arguments, arrays, reads, writes;
    // One element before and one behind each output must stay.
    const auto declare = [&](const ArraySpec& spec, const std::string& name) {
      absl::StrAppend(&arrays, "    static ", CType(spec.type), " ", name, "[", spec.numel() + 2,
                      "];\n");
      absl::StrAppend(&arguments, arguments.empty() ? "" : ", ", name, " + 1");
    };
    for (size_t i = 0; i < graph.inputs().size(); ++i) {
      const ArraySpec& spec = graph.values()[graph.inputs()[i]].spec;
      const std::string name = absl::StrCat("x", i);
      declare(spec, name);
      absl::StrAppend(&reads, "    if (fread(", name, " + 1, sizeof *", name, ", ", spec.numel(),
                      ", stdin) != ", spec.numel(), ") return 2;\n");
      const DlArray& x = cases[c].inputs[i];
      input.append(static_cast<const char*>(x.data()->bytes()), x.numel() * SizeOf(x.type()));
    }
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      const ArraySpec& spec = graph.values()[graph.outputs()[i]].spec;
      const std::string name = absl::StrCat("y", i);
      declare(spec, name);
      absl::StrAppend(&writes, "    if (", name, "[0] != 0 || ", name, "[", spec.numel() + 1,
                      "] != 0) return 3;\n    fwrite(", name, " + 1, sizeof *", name, ", ",
                      spec.numel(), ", stdout);\n");
    }
    absl::StrAppend(&calls, "  {\n", arrays, reads, "    case_", c, "(", arguments, ");\n", writes,
                    "  }\n");
  }
  const std::string text = absl::StrCat(
      "#include <complex.h>\n#include <math.h>\n#include <stdint.h>\n#include <stdio.h>\n"
      "#include <stddef.h>\n#include <string.h>\n\n",
      KernelProducts(printer.uses_single_products(), printer.uses_double_products()),
      printer.Helpers(), functions, "int main(void) {\n", calls, "  return 0;\n}\n");
  const absl::StatusOr<std::string> output =
      CompileAndRun({{"cases.c", text}}, absl::StrCat(kStrictC, " ", more_flags), input);
  std::vector<DlArrays> results;
  if (!output.ok()) {
    ADD_FAILURE() << output.status();
    return results;
  }
  size_t at = 0;
  for (const PrintedCase& c : cases) {
    DlArrays arrays;
    for (int v : c.graph.outputs()) {
      const ArraySpec& spec = c.graph.values()[v].spec;
      const size_t bytes = spec.numel() * SizeOf(spec.type);
      if (at + bytes > output->size()) {
        ADD_FAILURE() << "the program wrote " << output->size() << " bytes";
        return {};
      }
      arrays.push_back(DlArray::FromBytes(spec.type, output->data() + at, spec.numel(), spec.sizes,
                                          spec.format.str()));
      at += bytes;
    }
    results.push_back(std::move(arrays));
  }
  EXPECT_EQ(at, output->size());
  return results;
}

}  // namespace lamina::testing
