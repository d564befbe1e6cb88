// The functions of the prelude, as the printer calls them and the machine's compiler compiles them:
// their errors against C's functions in the next wider type, special values, and that loops over
// them become vector code.

#include "framework/emit/kernel_prelude.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "framework/emit/c_compiler.h"
#include "framework/emit/c_printer.h"

namespace lamina {
namespace {

using loops::Expression;

constexpr char kFlags[] =
    "-std=gnu99 -O3 -ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror";

struct Case {
  const char* name;
  Expression (*function)(const Expression&);
  const char* exact;  // of x, in double for float and in long double (suffix L) for double
  const char* single_ulp;
  const char* double_ulp;  // null: the prelude has none of its own
};

// The bounds of framework/cpu/math.h.
const Case kCases[] = {
    {"exp", loops::Exp, "expL(x)", "1.1", "1.1"},
    {"expm1", loops::Expm1, "expm1L(x)", "1.9", "2.5"},
    {"log", loops::Log, "logL(x)", "0.9", "1.0"},
    {"log1p", loops::Log1p, "log1pL(x)", "1.6", "1.7"},
    {"tanh", loops::Tanh, "tanhL(x)", "2.5", "2.8"},
    {"sigmoid", loops::Sigmoid, "(x >= 0 ? 1 / (1 + expL(-x)) : expL(x) / (1 + expL(x)))", "2.5",
     "2.6"},
    {"log2", loops::Log2, "log2L(x)", "0.501", nullptr},
    {"log10", loops::Log10, "log10L(x)", "0.501", nullptr},
    {"sin", loops::Sin, "sinL(x)", "0.501", nullptr},
    {"cos", loops::Cos, "cosL(x)", "0.501", nullptr},
    {"tan", loops::Tan, "tanL(x)", "0.501", nullptr},
    {"asin", loops::Asin, "asinL(x)", "0.501", nullptr},
    {"acos", loops::Acos, "acosL(x)", "0.501", nullptr},
    {"atan", loops::Atan, "atanL(x)", "0.501", nullptr},
    {"sinh", loops::Sinh, "sinhL(x)", "0.501", nullptr},
    {"cosh", loops::Cosh, "coshL(x)", "0.501", nullptr},
    {"asinh", loops::Asinh, "asinhL(x)", "0.501", nullptr},
    {"acosh", loops::Acosh, "acoshL(x)", "0.501", nullptr},
    {"atanh", loops::Atanh, "atanhL(x)", "0.501", nullptr},
    {"erf", loops::Erf, "erfL(x)", "1.6", nullptr},
};

// Loops `y[i] = f(x[i])`, one for each function and type, as a kernel holds them.
std::string Loop(const std::string& name, DataType type, const std::string& value) {
  return absl::StrReplaceAll(
      "static __attribute__((noinline)) void NAME(const T *restrict x, const T *restrict z, "
      "T *restrict y, int n) {\n  (void)z;\n  for (int i = 0; i < n; ++i) y[i] = VALUE;\n}\n",
      {{"NAME", name}, {"VALUE", value}, {"T", CType(type)}});
}

// Distances in units of the last place; two NaN and two equal numbers with one sign have none, an
// overflow on one side alone is one unit.
constexpr char kDistance[] = R"(
#include <float.h>
#include <stdio.h>

#define DISTANCE(Real, Wide, suffix, largest, least, digits, fabsW, frexpW, ldexpW)          \
  static double distance_##suffix(Real y, Wide exact) {                                      \
    const Real rounded = (Real)exact;                                                        \
    int exponent;                                                                            \
    if (y != y || exact != exact) return (y != y) == (exact != exact) ? 0 : 1e30;            \
    if (y == rounded && (isinf(y) || exact == 0)) {                                          \
      return !signbit(y) == !signbit(exact) ? 0 : 1e30;                                        \
    }                                                                                        \
    if (isinf(y) || isinf(rounded)) {                                                        \
      return fabsW(isinf(y) ? exact : (Wide)y) >= largest * (1 - 1e-6) ? 1 : 1e30;           \
    }                                                                                        \
    frexpW(exact, &exponent);                                                                \
    if (exponent < least) exponent = least;                                                  \
    return (double)(fabsW((Wide)y - exact) / ldexpW(1, exponent - digits));                  \
  }
DISTANCE(float, double, f32, FLT_MAX, FLT_MIN_EXP, FLT_MANT_DIG, fabs, frexp, ldexp)
DISTANCE(double, long double, f64, DBL_MAX, DBL_MIN_EXP, DBL_MANT_DIG, fabsl, frexpl, ldexpl)

enum { kCount = 1 << 18 };
static float single_x[kCount], single_z[kCount], single_y[kCount];
static double double_x[kCount], double_z[kCount], double_y[kCount];

/* Bits of all kinds, numbers of middling size, and in front all pairs of special ones. */
static void Fill(void) {
  const double special[] = {0.0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, INFINITY, -INFINITY, NAN,
                            0x1p-149, -0x1p-149, 0x1p-1074, 0x1p-130, 0x1p127, -0x1p127, 0x1p1023,
                            -2.5, 1e10, 88.7, -103.9, 709.7, -745.1};
  const int n = sizeof special / sizeof special[0];
  uint64_t state = 1;
  for (int i = 0; i < 2 * kCount; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    const uint64_t bits = state ^ state >> 29;
    const uint32_t half = (uint32_t)(bits >> 16);
    float f;
    double d;
    memcpy(&f, &half, sizeof f);
    memcpy(&d, &bits, sizeof d);
    const double share = (double)(bits >> 11) * 0x1p-53;
    if (i % 3 == 1) f = (float)(d = 4 * share - 2);
    if (i % 3 == 2) f = (float)(d = 200 * share - 100);
    if (i < 2 * n * n) f = (float)(d = special[i % 2 == 0 ? i / 2 % n : i / 2 / n]);
    (i % 2 == 0 ? single_x : single_z)[i / 2] = f;
    (i % 2 == 0 ? double_x : double_z)[i / 2] = d;
  }
}

#define CHECK(name, Real, Wide, suffix, array, f, EXACT, bound)                              \
  {                                                                                          \
    double worst = 0;                                                                        \
    int at = 0;                                                                              \
    f(array##_x, array##_z, array##_y, kCount);                                              \
    for (int i = 0; i < kCount; ++i) {                                                       \
      const Wide x = array##_x[i], z = array##_z[i];                                         \
      (void)z;                                                                               \
      const double error = distance_##suffix(array##_y[i], EXACT);                           \
      if (!(error <= worst)) worst = error, at = i;                                          \
    }                                                                                        \
    if (!(worst <= bound)) {                                                                 \
      printf("%s %s: %g ulp at %a, %a: %a\n", name, #Real, worst, (double)array##_x[at],     \
             (double)array##_z[at], (double)array##_y[at]);                                  \
    }                                                                                        \
  }
)";

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

std::string Program() {
  CPrinter printer(Language::kC99, CFunctions::kPrelude);
  std::string functions, checks;
  const auto add = [&](const std::string& name, DataType type, const Expression& value,
                       const std::string& exact, const std::string& ulp) {
    const bool single = type == DataType::kSingle;
    const std::string function = absl::StrCat(name, "_", single ? "single" : "double", "_loop");
    const std::string text = printer.Print(value);
    EXPECT_NE(text.find("lamina_"), std::string::npos) << text;
    functions += Loop(function, type, text);
    absl::StrAppend(&checks, "  CHECK(\"", name, "\", ",
                    single ? "float, double, f32, single, " : "double, long double, f64, double, ",
                    function, ", ", absl::StrReplaceAll(exact, {{"L(", single ? "(" : "l("}}), ", ",
                    ulp, ")\n");
  };
  const auto load = [](const char* array, DataType type) {
    return Expression::Load(array, type, Expression::Variable("i"));
  };
  for (const Case& c : kCases) {
    for (DataType type : {DataType::kSingle, DataType::kDouble}) {
      const char* const ulp = type == DataType::kSingle ? c.single_ulp : c.double_ulp;
      if (ulp == nullptr) {
        EXPECT_EQ(KernelFunction(c.name, true), "");
      } else {
        add(c.name, type, c.function(load("x", type)), c.exact, ulp);
      }
    }
  }
  const Expression x = load("x", DataType::kSingle), z = load("z", DataType::kSingle);
  add("pow", DataType::kSingle, Pow(x, z), "powL(x, z)", "0.501");
  add("atan2", DataType::kSingle, Atan2(x, z), "atan2L(x, z)", "0.501");
  return absl::StrCat(KernelPrelude(), kDistance, printer.Helpers(), functions,
                      "int main(void) {\n  Fill();\n", checks, "  return 0;\n}\n");
}

void Check(const std::string& flags) {
  const absl::StatusOr<std::string> output =
      CompileAndRun({{"functions.c", Program()}}, absl::StrCat(kFlags, " ", flags), "");
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(*output, "") << flags;
}

TEST(KernelPreludeTest, FunctionsKeepTheirErrorsOnThisMachine) { Check("-march=native"); }
TEST(KernelPreludeTest, FunctionsKeepTheirErrorsWithoutFusedOperations) {
  Check("-march=x86-64-v2");
}

// GCC writes which loops it made vector code of to a file, which the program then prints.
TEST(KernelPreludeTest, LoopsBecomeVectorCode) {
  const absl::StatusOr<std::string> clang =
      CompileAndRun({{"which.c",
                      "#include <stdio.h>\n#ifndef __clang__\n#define __clang__ 0\n#endif\n"
                      "int main(void) {\n  printf(\"%d\", __clang__);\n  return 0;\n}\n"}},
                    "", "");
  ASSERT_TRUE(clang.ok()) << clang.status();
  if (*clang != "0") GTEST_SKIP() << "Clang does not write what it vectorizes to a file.";
  const std::string program = Program();
  const std::string printing = absl::StrCat(
      program.substr(0, program.find("int main")),
      "int main(void) {\n  char text[1 << 16];\n  (void)Fill;\n",
      "  FILE *const file = fopen(\"vectorized\", \"r\");\n", "  if (file == NULL) return 1;\n",
      "  fwrite(text, 1, fread(text, 1, sizeof text, file), stdout);\n  return 0;\n}\n");
  for (const char* machine : {"native", "x86-64-v2"}) {
    const absl::StatusOr<std::string> output =
        CompileAndRun({{"functions.c", printing}},
                      absl::StrCat(kFlags, " -Wno-unused -fkeep-static-functions -march=", machine,
                                   " -fopt-info-vec-optimized=vectorized"),
                      "");
    ASSERT_TRUE(output.ok()) << output.status();
    int line = 0, loops = 0;
    for (std::string_view text : Lines(printing)) {
      ++line;
      const size_t loop = text.find("y[i] = lamina_");
      if (loop == std::string_view::npos) continue;
      ++loops;
      const std::string place = absl::StrCat("functions.c:", line, ":");
      bool found = false;
      for (std::string_view note : Lines(*output)) {
        found = found || (note.substr(0, place.size()) == place &&
                          note.find("loop vectorized") != std::string_view::npos);
      }
      EXPECT_TRUE(found) << "not vector code with " << machine << ": " << text;
    }
    EXPECT_EQ(loops, 28);
  }
}

TEST(KernelPreludeTest, ShippedCodeCallsTheLibrary) {
  const Expression x = Expression::Variable("x", DataType::kSingle);
  EXPECT_EQ(CPrinter().Print(Tanh(x)), "tanhf(x)");
  EXPECT_EQ(CPrinter(Language::kC99, CFunctions::kPrelude).Print(Tanh(x)), "lamina_Tanh_f32(x)");
  EXPECT_EQ(CPrinter(Language::kC99, CFunctions::kPrelude).Print(Sqrt(x)), "sqrtf(x)");
  const Expression d = Expression::Variable("d", DataType::kDouble);
  EXPECT_EQ(CPrinter(Language::kC99, CFunctions::kPrelude).Print(Tanh(d)), "lamina_Tanh_f64(d)");
  EXPECT_EQ(CPrinter(Language::kC99, CFunctions::kPrelude).Print(Sin(d)), "sin(d)");
}

}  // namespace
}  // namespace lamina
