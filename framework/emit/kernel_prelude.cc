#include "framework/emit/kernel_prelude.h"

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

constexpr char kBase[] =
#include "framework/emit/prelude_base_text.inc"
    ;
constexpr char kMath[] =
#include "framework/emit/prelude_math_text.inc"
    ;
constexpr char kExponential[] =
#include "framework/emit/math_exponential_text.inc"
    ;
constexpr char kTrigonometric[] =
#include "framework/emit/math_trigonometric_text.inc"
    ;
constexpr char kProduct[] =
#include "framework/emit/prelude_product_text.inc"
    ;

// `text` with macros that stand for it alone.
std::string With(std::initializer_list<std::pair<std::string, std::string>> macros,
                 const char* text) {
  std::string before, after;
  for (const auto& [name, value] : macros) {
    absl::StrAppend(&before, "#define ", name, " ", value, "\n");
    absl::StrAppend(&after, "#undef ", name.substr(0, name.find('(')), "\n");
  }
  return absl::StrCat(before, text, after, "\n");
}

}  // namespace

std::string KernelFunction(std::string_view name, bool is_double) {
  static constexpr std::string_view kBoth[] = {"exp", "expm1", "log", "log1p", "tanh", "sigmoid"};
  static constexpr std::string_view kFloat[] = {"acos",  "acosh", "asin", "asinh", "atan",  "atan2",
                                                "atanh", "cos",   "cosh", "erf",   "log10", "log2",
                                                "pow",   "sin",   "sinh", "tan"};
  bool found = std::find(std::begin(kBoth), std::end(kBoth), name) != std::end(kBoth);
  if (!is_double) {
    found = found || std::find(std::begin(kFloat), std::end(kFloat), name) != std::end(kFloat);
  }
  if (!found) return "";
  std::string text = absl::StrCat("lamina_", std::string(name), is_double ? "_f64" : "_f32");
  text[7] = absl::ascii_toupper(text[7]);
  return text;
}

std::string KernelMath() {
  return absl::StrCat(
      kMath, "\n", With({{"Named(f)", "lamina_##f##_f64"}, {"REAL_IS_DOUBLE", "1"}}, kExponential),
      With({{"Named(f)", "lamina_##f##_f32"}, {"REAL_IS_DOUBLE", "0"}}, kExponential),
      With({{"Named(f)", "lamina_##f##_f64"}}, kTrigonometric),
      "#undef Single\n#undef Double\n#undef POLYNOMIAL\n#undef FUSED\n\n");
}

std::string KernelProducts(bool single, bool is_double) {
  std::string text = absl::StrCat(kBase, "\n");
  if (single) {
    absl::StrAppend(&text, With({{"Real", "float"},
                                 {"Named(x)", "lamina_##x##_f32"},
                                 {"REAL_LOW", "LAMINA_LOW_F32"},
                                 {"REAL_HIGH", "LAMINA_HIGH_F32"}},
                                kProduct));
  }
  if (is_double) {
    absl::StrAppend(&text, With({{"Real", "double"},
                                 {"Named(x)", "lamina_##x##_f64"},
                                 {"REAL_LOW", "LAMINA_LOW_F64"},
                                 {"REAL_HIGH", "LAMINA_HIGH_F64"}},
                                kProduct));
  }
  return text;
}

std::string KernelPrelude() {
  return absl::StrCat(
      "#include <complex.h>\n#include <math.h>\n#include <stdbool.h>\n#include <stddef.h>\n"
      "#include <stdint.h>\n#include <string.h>\n\n",
      KernelProducts(true, true), KernelMath());
}

}  // namespace lamina
