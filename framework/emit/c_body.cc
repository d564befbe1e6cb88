#include "framework/emit/c_body.h"

#include <algorithm>
#include <complex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace lamina {
namespace {

bool Names(const loops::Expression& x, const std::string& array) {
  bool found = false;
  Visit(x, [&](const loops::Expression& e) {
    found = found || (e.operation() == loops::Operation::kLoad && e.node().name == array);
  });
  return found;
}

bool Names(const loops::Block& block, const std::string& array) {
  for (const loops::Statement& s : block) {
    if (s.kind == loops::Statement::kStore && s.name == array) return true;
    if (Names(s.value, array) || Names(s.index, array) || Names(s.body, array)) return true;
  }
  return false;
}

std::string Element(const DlArray& x, int64_t i, Language language) {
  if (!IsComplex(x.type())) {
    // Integers beyond 2^53 are no doubles, and C has no negative constants: the least of all
    // integers would be the negative of one that does not fit.
    if (x.type() == DataType::kInt64) {
      const int64_t value = x.Data<int64_t>()[i];
      return value == INT64_MIN ? "INT64_MIN" : absl::StrFormat("INT64_C(%d)", value);
    }
    return CNumber(x.At(i), x.type());
  }
  const std::complex<double> z = x.ComplexAt(i);
  const DataType part = ToReal(x.type());
  return ComplexInitializer(CNumber(z.real(), part), CNumber(z.imag(), part), language);
}

}  // namespace

std::string CComment(std::string_view text, int indent) {
  std::string plain;
  for (char c : text) {
    if (c < ' ' || c > '~') c = '?';
    // Neither the end of a comment nor the beginning of another, also where the two overlap.
    const char last = plain.empty() ? ' ' : plain.back();
    if ((c == '/' && last == '*') || (c == '*' && last == '/')) plain += ' ';
    plain += c;
  }
  std::string rest = absl::StrCat("/* ", plain, " */");
  std::string out;
  const std::string further(2 * indent + 3, ' ');
  const size_t width = 100 - 2 * static_cast<size_t>(indent);
  while (rest.size() > width) {
    const size_t at = rest.rfind(' ', width);
    if (at == std::string::npos || at <= further.size()) break;
    absl::StrAppend(&out, rest.substr(0, at), "\n");
    rest = further + rest.substr(at + 1);
  }
  return out + rest;
}

bool IsNamed(const Program& program, const std::string& array) {
  for (const ProgramStep& step : program.steps) {
    if (Names(step.code, array)) return true;
  }
  return false;
}

std::string CPointers(const Program& program,
                      const std::function<std::string(const ProgramArray&)>& where,
                      CPrinter* printer) {
  std::string text;
  for (const ProgramArray& a : program.arrays) {
    const std::string place = where(a);
    if (place.empty() || !IsNamed(program, a.name)) continue;
    const bool is_const = a.role == ProgramArray::kInput;
    absl::StrAppend(&text, "  ", is_const ? "const " : "", CType(a.spec.type, printer->language()),
                    " *const ", a.name, " = ", place, ";",
                    is_const ? "" : absl::StrCat(" ", CComment(Described(a.spec))), "\n");
  }
  return text;
}

std::string CBody(const Program& program,
                  const std::function<std::string(const ProgramArray&)>& where, CPrinter* printer) {
  std::string text = CPointers(program, where, printer);
  for (const ProgramStep& step : program.steps) {
    absl::StrAppend(&text, text.empty() ? "" : "\n", "  ", CComment(step.comment, 1), "\n");
    // Variables outside of loops stand in a block of their own.
    const bool needs_block = std::any_of(step.code.begin(), step.code.end(), [](const auto& s) {
      return s.kind == loops::Statement::kLet || s.kind == loops::Statement::kVar;
    });
    if (needs_block) {
      absl::StrAppend(&text, "  {\n", printer->Print(step.code, 2), "  }\n");
    } else {
      absl::StrAppend(&text, printer->Print(step.code, 1));
    }
  }
  return text;
}

std::string CConstants(const Program& program, Language language) {
  std::string text;
  for (const ProgramArray& a : program.arrays) {
    if (a.role != ProgramArray::kConstant || !IsNamed(program, a.name)) continue;
    absl::StrAppend(&text,
                    language == Language::kCuda ? "static __device__ const " : "static const ",
                    CType(a.spec.type, language), " ", a.name, "[", a.spec.numel(),
                    "] = ", CValues(a.constant, 1, language), ";\n");
  }
  return text;
}

std::string CValues(const DlArray& values, int indent, Language language) {
  const std::string margin(2 * indent, ' ');
  std::string text = "{\n", line = margin;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const std::string element = Element(values, i, language) + (i + 1 < values.numel() ? "," : "");
    if (line.size() + 1 + element.size() > 100 && line != margin) {
      absl::StrAppend(&text, line, "\n");
      line = margin;
    }
    absl::StrAppend(&line, line == margin ? "" : " ", element);
  }
  return absl::StrCat(text, line, "\n", std::string(2 * (indent - 1), ' '), "}");
}

}  // namespace lamina
