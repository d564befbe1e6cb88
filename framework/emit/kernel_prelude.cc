#include "framework/emit/kernel_prelude.h"

#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

constexpr char kBase[] =
#include "framework/emit/prelude_base_text.inc"
    ;
constexpr char kProduct[] =
#include "framework/emit/prelude_product_text.inc"
    ;

// `text` for one element type: the macros that it asks for, and nothing of them left behind.
std::string ForType(const char* text, const char* type, const char* suffix, const char* upper) {
  return absl::StrCat("#define Real ", type, "\n#define Named(x) lamina_##x##_", suffix,
                      "\n#define REAL_LOW LAMINA_LOW_", upper, "\n#define REAL_HIGH LAMINA_HIGH_",
                      upper, "\n", text,
                      "#undef Real\n#undef Named\n#undef REAL_LOW\n#undef REAL_HIGH\n\n");
}

}  // namespace

std::string KernelPrelude() {
  return absl::StrCat(kBase, "\n", ForType(kProduct, "float", "f32", "F32"),
                      ForType(kProduct, "double", "f64", "F64"));
}

}  // namespace lamina
