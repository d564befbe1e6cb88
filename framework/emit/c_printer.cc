#include "framework/emit/c_printer.h"

#include <cmath>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "framework/dlarray/error.h"
#include "framework/emit/cuda_complex.h"
#include "framework/emit/kernel_prelude.h"
#include "framework/emit/program.h"

namespace lamina {

using loops::Expression;
using loops::Operation;
using loops::Statement;

namespace {

// C's precedences, the higher the tighter.
constexpr int kConditional = 1, kOr = 2, kAnd = 3, kEquality = 6, kRelation = 7, kSum = 9,
              kProduct = 10, kUnary = 11, kPrimary = 12;
constexpr size_t kWidth = 98;

struct Infix {
  const char* text;
  int precedence, left, right;
};
// Comparisons and mixed logic are put in parentheses where C would not need them: people do.
Infix InfixOf(Operation operation) {
  switch (operation) {
    case Operation::kAdd:
      return {"+", kSum, kSum, kProduct};
    case Operation::kSubtract:
      return {"-", kSum, kSum, kProduct};
    case Operation::kMultiply:
      return {"*", kProduct, kProduct, kUnary};
    case Operation::kDivide:
      return {"/", kProduct, kProduct, kUnary};
    case Operation::kModulo:
      return {"%", kProduct, kProduct, kUnary};
    case Operation::kLess:
      return {"<", kRelation, kSum, kSum};
    case Operation::kLessEqual:
      return {"<=", kRelation, kSum, kSum};
    case Operation::kGreater:
      return {">", kRelation, kSum, kSum};
    case Operation::kGreaterEqual:
      return {">=", kRelation, kSum, kSum};
    case Operation::kEqual:
      return {"==", kEquality, kSum, kSum};
    case Operation::kNotEqual:
    case Operation::kXor:
      return {"!=", kEquality, kSum, kSum};
    case Operation::kAnd:
      return {"&&", kAnd, kAnd, kEquality};
    case Operation::kOr:
      return {"||", kOr, kEquality, kEquality};
    default:
      return {nullptr, 0, 0, 0};
  }
}

// Compilers warn where a byte is compared with a number that none is less, or greater, than. As
// floating numbers the two may be compared.
bool IsByteAtLimit(const Expression& x, const Expression& with) {
  return (x.type() == DataType::kUint8 || x.type() == DataType::kLogical) && with.is_number() &&
         (with.node().value <= 0 || with.node().value >= 255);
}

// Breaks lines at spaces that do not stand inside a comment.
std::string Wrapped(const std::string& line, int indent) {
  std::string out, rest = line;
  const std::string further(2 * indent + 4, ' ');
  while (rest.size() > kWidth) {
    size_t at = rest.rfind(' ', kWidth);
    if (at == std::string::npos || at <= further.size()) break;
    absl::StrAppend(&out, rest.substr(0, at), "\n");
    rest = further + rest.substr(at + 1);
  }
  return absl::StrCat(out, rest, "\n");
}

// A compiler may contract arithmetic, so bits are rounded: see framework/cpu/cast.cc.
std::string Bfloat16Definition(Language language) {
  const bool is_cuda = language == Language::kCuda;
  return absl::StrCat(
      "/* The nearest of the numbers that have 16 bits; ties to even. */\n"
      "HOW float bfloat16_float(float x) {\n",
      is_cuda ? "  const unsigned bits = __float_as_uint(x);\n"
              : "  uint32_t bits;\n"
                "  float rounded;\n"
                "  memcpy(&bits, &x, sizeof bits);\n",
      is_cuda ? "  const float rounded =\n"
                "      __uint_as_float((bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u);\n"
              : "  bits = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;\n"
                "  memcpy(&rounded, &bits, sizeof rounded);\n",
      "  return x != x ? x : rounded;\n"
      "}\n");
}

}  // namespace

std::string CNumber(double value, DataType type, Language language) {
  if (IsComplex(type) && language == Language::kCuda) {
    const DataType part = ToReal(type);
    return absl::StrCat(CType(type, language), "{", CNumber(value, part), ", ", CNumber(0, part),
                        "}");
  }
  if (IsComplex(type) && language == Language::kCpp17) {
    return absl::StrCat(CType(type, language), "(", CNumber(value, ToReal(type)), ")");
  }
  if (!IsRealFloating(type)) return absl::StrFormat("%d", static_cast<int64_t>(value));
  const bool single = type == DataType::kSingle;
  if (single) value = static_cast<float>(value);
  if (std::isnan(value)) return single ? "NAN" : "(double)NAN";
  const char* const cast = single ? "" : "(double)";
  if (std::isinf(value)) return absl::StrCat(value < 0 ? "-" : "", cast, "INFINITY");
  std::string text;
  for (int digits = 1; digits <= 17; ++digits) {
    text = absl::StrFormat("%.*g", digits, value);
    const double read =
        single ? std::strtof(text.c_str(), nullptr) : std::strtod(text.c_str(), nullptr);
    if (read == value) break;
  }
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + (single ? "f" : "");
}

std::string CPrinter::Helper(const std::string& name, const std::string& definition) {
  helpers_[name] = absl::StrReplaceAll(definition, {{"HOW ", FunctionPrefix(language_)}});
  return name;
}

std::string CPrinter::Helpers() const {
  const bool has_complex = language_ == Language::kCuda && uses_complex_;
  return absl::StrCat(has_complex ? CudaComplexType() + CudaComplexFunctions() : "", OwnHelpers());
}

std::string CPrinter::OwnHelpers() const {
  std::string text;
  if (uses_independent_loops_) {
    text = R"text(/* The turns of the loop that follows may be computed at once. */
#if defined(__clang__)
#define LAMINA_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define LAMINA_INDEPENDENT _Pragma("GCC ivdep")
#else
#define LAMINA_INDEPENDENT
#endif

)text";
  }
  for (const auto& [name, definition] : helpers_) absl::StrAppend(&text, definition, "\n");
  return text;
}

std::string CPrinter::Call(const Expression& x) {
  const std::string& name = x.node().name;
  const DataType type = x.node().operands[0].type();
  const bool single = ToReal(type) == DataType::kSingle;
  const std::string suffix = single ? "f" : "", c_type = single ? "float" : "double";
  std::string function;
  // How the arguments are enclosed.
  char open = '(', close = ')';
  if (name == "complex" && language_ != Language::kC99) {
    uses_complex_ = true;
    function = CType(x.type(), language_);
    if (language_ == Language::kCuda) open = '{', close = '}';
  } else if (name == "complex") {
    uses_complex_ = true;
    function = Helper(absl::StrCat("complex_", c_type),
                      absl::StrReplaceAll("HOW T complex complex_T(T re, T im) {\n"
                                          "  const T parts[2] = {re, im};\n"
                                          "  T complex z;\n"
                                          "  memcpy(&z, parts, sizeof z);\n"
                                          "  return z;\n"
                                          "}\n",
                                          {{"T", c_type}}));
  } else if (IsComplex(type) || IsComplex(x.type())) {
    uses_complex_ = true;
    function = ComplexFunction(name, type, language_);
  } else if (functions_ == CFunctions::kPrelude && IsRealFloating(type) &&
             !KernelFunction(name, !single).empty()) {
    function = KernelFunction(name, !single);
  } else if (name == "sigmoid") {
    function = Helper(absl::StrCat("sigmoid_", c_type),
                      absl::StrReplaceAll("/* 1 / (1 + exp(-x)), without overflow. */\n"
                                          "HOW T sigmoid_T(T x) {\n"
                                          "  const T e = expF(-fabsF(x));\n"
                                          "  return (x < 0 ? e : 1) / (1 + e);\n"
                                          "}\n",
                                          {{"T", c_type}, {"F", suffix}}));
  } else if (name == "bfloat16") {
    function = Helper("bfloat16_float", Bfloat16Definition(language_));
  } else if (name == "mod") {
    if (!IsRealFloating(type)) {
      throw Error("emit:CannotPrint", "The modulo that is printed is that of single or double.",
                  absl::StrCat(std::string(Name(type)), " values came."), "Cast them first.");
    }
    function =
        Helper(absl::StrCat("mod_", c_type),
               absl::StrReplaceAll("/* x - floor(x / y) y: has the sign of y; x for y = 0. */\n"
                                   "HOW T mod_T(T x, T y) {\n"
                                   "  const T r = fmodF(x, y);\n"
                                   "  if (y == 0) return x;\n"
                                   "  if (r == 0) return copysignF(0, y);\n"
                                   "  return (r < 0) != (y < 0) ? r + y : r;\n"
                                   "}\n",
                                   {{"T", c_type}, {"F", suffix}}));
  } else {
    if (!IsRealFloating(type)) {
      throw Error("emit:CannotPrint",
                  absl::StrCat("The function ", name, " is printed for single and double."),
                  absl::StrCat(std::string(Name(type)), " values came."), "Cast them first.");
    }
    function = absl::StrCat(name == "abs" ? "fabs" : name, suffix);
  }
  std::string text = function + open;
  for (const Expression& operand : x.node().operands) {
    absl::StrAppend(&text, text.back() == open ? "" : ", ", Print(operand, kConditional));
  }
  return text + close;
}

std::string CPrinter::Conversion(const Expression& x, int* precedence) {
  const Expression& from = x.node().operands[0];
  const DataType to = x.type();
  *precedence = kPrimary;
  if (IsComplex(to)) {
    uses_complex_ = true;
    if (IsComplex(from.type()) && language_ == Language::kCuda) {
      return absl::StrCat("lamina_cuda::Converted<", CType(ToReal(to)), ">(",
                          Print(from, kConditional), ")");
    }
    if (IsComplex(from.type())) {
      *precedence = kUnary;
      return absl::StrCat("(", CType(to, language_), ")", Print(from, kUnary));
    }
    const DataType part = ToReal(to);
    return Print(loops::MakeComplex(Convert(from, part), Expression::Number(0, part)), kPrimary);
  }
  if (IsComplex(from.type())) {
    const Expression real = Expression::Make(Operation::kCall, ToReal(from.type()), {from}, "real");
    return Print(Convert(real, to), *precedence);
  }
  if (to == DataType::kLogical) {
    *precedence = kEquality;
    return absl::StrCat(Print(from, kSum), " != 0");
  }
  if (IsInteger(to) && IsRealFloating(from.type())) {
    const std::string t = CType(to);
    const std::string limit = to == DataType::kInt32   ? "INT32"
                              : to == DataType::kInt64 ? "INT64"
                                                       : "UINT8";
    const std::string least = to == DataType::kUint8 ? "0" : limit + "_MIN";
    // 2^31, 2^63, 2^8: the first value that does not fit.
    const std::string beyond = to == DataType::kInt32   ? "2147483648.0"
                               : to == DataType::kInt64 ? "9223372036854775808.0"
                                                        : "255.0";
    const std::string name = absl::StrCat("to_", t.substr(0, t.size() - 2));
    Helper(name, absl::StrCat("/* Rounded to the nearest, kept within the type; 0 for NaN. */\n"
                              "HOW ",
                              t, " ", name,
                              "(double x) {\n"
                              "  const double rounded = round(x);\n"
                              "  if (rounded != rounded) return 0;\n"
                              "  if (rounded <= ",
                              least, ") return ", least,
                              ";\n"
                              "  if (rounded >= ",
                              beyond, ") return ", limit,
                              "_MAX;\n"
                              "  return (",
                              t,
                              ")rounded;\n"
                              "}\n"));
    return absl::StrCat(name, "(", Print(from, kConditional), ")");
  }
  const bool is_narrower = SizeOf(to) < SizeOf(from.type());
  if (IsInteger(to) && IsInteger(from.type()) && is_narrower && !in_subscript_) {
    const bool is_byte = to == DataType::kUint8;
    const std::string name = is_byte ? "int64_to_uint8" : "int64_to_int32";
    Helper(name, absl::StrReplaceAll("/* Kept within the type. */\n"
                                     "HOW TYPE NAME(int64_t x) {\n"
                                     "  return x < LEAST ? LEAST : x > MOST ? MOST : (TYPE)x;\n"
                                     "}\n",
                                     {{"TYPE", CType(to)},
                                      {"NAME", name},
                                      {"LEAST", is_byte ? "0" : "INT32_MIN"},
                                      {"MOST", is_byte ? "UINT8_MAX" : "INT32_MAX"}}));
    return absl::StrCat(name, "(", Print(from, kConditional), ")");
  }
  *precedence = kUnary;
  return absl::StrCat("(", CType(to, language_), ")", Print(from, kUnary));
}

std::string CPrinter::Print(const Expression& x) { return Print(x, kConditional); }

// Is an integer an element of an array, or made of some? Otherwise it is an index.
bool CPrinter::IsDatum(const Expression& x) const {
  bool found = false;
  Visit(x, [&](const Expression& e) {
    found = found || e.operation() == Operation::kLoad || e.operation() == Operation::kConvert ||
            e.operation() == Operation::kCall ||
            (e.operation() == Operation::kVariable && data_.count(e.node().name) > 0);
  });
  return found;
}

// Arithmetic whose result may not fit its type. Indices fit.
bool CPrinter::WrapsAround(const Expression& x) const {
  switch (x.operation()) {
    case Operation::kAdd:
    case Operation::kSubtract:
    case Operation::kMultiply:
    case Operation::kNegate:
      break;
    default:
      return false;
  }
  return x.type() == DataType::kInt64 ||
         (x.type() == DataType::kInt32 && !in_subscript_ && IsDatum(x));
}

// Overflow of signed integers is undefined, of unsigned ones it wraps around.
std::string CPrinter::WrappingAround(const Expression& x) {
  const std::string signed_type = CType(x.type()),
                    as_unsigned = absl::StrCat("(u", signed_type, ")");
  const std::vector<Expression>& operands = x.node().operands;
  const std::string first = as_unsigned + Print(operands[0], kUnary);
  return absl::StrCat("(", signed_type, ")(",
                      x.operation() == Operation::kNegate
                          ? absl::StrCat("0 - ", first)
                          : absl::StrCat(first, " ", InfixOf(x.operation()).text, " ", as_unsigned,
                                         Print(operands[1], kUnary)),
                      ")");
}

std::string CPrinter::Print(const Expression& x, int least) {
  const Expression::Node& node = x.node();
  if (IsComplex(node.type)) uses_complex_ = true;
  std::string text;
  int precedence = kPrimary;
  switch (node.operation) {
    case Operation::kNumber:
      text = CNumber(node.value, node.type, language_);
      if (text[0] == '-') precedence = kUnary;
      if (text[0] == '-' && least > kConditional) precedence = 0;
      break;
    case Operation::kVariable:
      text = node.name;
      break;
    case Operation::kLoad:
      text = absl::StrCat(node.name, "[", Subscript(node.operands[0]), "]");
      break;
    case Operation::kNegate:
      precedence = kUnary;
      if (WrapsAround(x)) {
        text = WrappingAround(x);
        break;
      }
      text = absl::StrCat("-", Print(node.operands[0], kPrimary));
      break;
    case Operation::kNot:
      precedence = kUnary;
      text = absl::StrCat("!", Print(node.operands[0], kUnary));
      break;
    case Operation::kSelect:
      precedence = kConditional;
      text = absl::StrCat(Print(node.operands[0], kOr), " ? ", Print(node.operands[1], kOr), " : ",
                          Print(node.operands[2], kConditional));
      break;
    case Operation::kCall:
      text = Call(x);
      break;
    case Operation::kConvert:
      text = Conversion(x, &precedence);
      break;
    default: {
      if (WrapsAround(x)) {
        precedence = kUnary;
        text = WrappingAround(x);
        break;
      }
      const Infix infix = InfixOf(node.operation);
      precedence = infix.precedence;
      Expression left = node.operands[0], right = node.operands[1];
      if (precedence == kRelation && (IsByteAtLimit(left, right) || IsByteAtLimit(right, left))) {
        left = Convert(left, DataType::kSingle), right = Convert(right, DataType::kSingle);
      }
      text = absl::StrCat(Print(left, infix.left), " ", infix.text, " ", Print(right, infix.right));
    }
  }
  return precedence < least ? absl::StrCat("(", text, ")") : text;
}

std::string CPrinter::Subscript(const Expression& index) {
  const bool outer = std::exchange(in_subscript_, true);
  std::string text = Print(index, kConditional);
  in_subscript_ = outer;
  return text;
}

// One function for each set of sizes, in which they are constants: the product becomes code for
// them, once for all of its calls.
std::string CPrinter::Product(const Statement& store) {
  const Expression::Node& call = store.value.node();
  const bool is_double = call.type == DataType::kDouble;
  uses_products_[is_double] = true;
  std::string parameters, arguments, passed;
  const auto hand_on = [&](const std::string& type, const std::string& name,
                           const std::string& argument) {
    const char* const comma = parameters.empty() ? "" : ", ";
    absl::StrAppend(&parameters, comma, type, name);
    absl::StrAppend(&arguments, comma, argument);
    absl::StrAppend(&passed, passed.empty() ? "" : ", ", name);
  };
  const auto pointer = [this](const std::string& array, const Expression& index) {
    return index.is_number(0) ? array : absl::StrCat(array, " + ", Print(index, kProduct));
  };
  char next_array = 'a', next_size = 'm';
  for (size_t i = 0; i < call.operands.size(); ++i) {
    const Expression& operand = call.operands[i];
    if (i + 1 == call.operands.size()) {
      hand_on(CType(call.type, language_) + " *", "y", pointer(store.name, store.index));
    }
    if (operand.is_number()) {
      absl::StrAppend(&passed, passed.empty() ? "" : ", ", Print(operand));
    } else if (operand.operation() == Operation::kLoad) {
      hand_on(absl::StrCat("const ", CType(operand.type(), language_), " *"),
              std::string(1, next_array++),
              pointer(operand.node().name, operand.node().operands[0]));
    } else {
      hand_on("int ", std::string(1, next_size++), Print(operand));
    }
  }
  const std::string text = absl::StrCat(
      "(", parameters, ") {\n",
      Wrapped(absl::StrCat("  lamina_", call.name, is_double ? "_f64(" : "_f32(", passed, ");"), 1),
      "}\n");
  std::string& name = products_[text];
  if (name.empty()) {
    do {
      name = absl::StrCat("product_", ++last_product_);
    } while (avoided_.count(name) > 0);
    Helper(name, absl::StrCat("LAMINA_NOT_INLINED\nHOW void ", name, text));
  }
  return absl::StrCat(name, "(", arguments, ");");
}

std::string CPrinter::Print(const loops::Block& block, int indent) {
  std::string text;
  const std::string margin(2 * indent, ' ');
  const auto line = [&](const std::string& content) {
    text += Wrapped(absl::StrCat(margin, content), indent);
  };
  // Variables of indices and logicals are plain ints.
  const auto type = [this](const Expression& x) {
    return x.type() == DataType::kLogical || x.type() == DataType::kInt32
               ? std::string("int")
               : CType(x.type(), language_);
  };
  for (const Statement& s : block) {
    if (s.kind == Statement::kLet || s.kind == Statement::kVar) {
      data_.erase(s.name);
      if (s.value.type() == DataType::kInt32 && IsDatum(s.value)) data_.insert(s.name);
    }
    switch (s.kind) {
      case Statement::kFor:
        if (s.is_independent && functions_ == CFunctions::kLibrary) {
          // Other compilers than the kernels' have to take it.
          uses_independent_loops_ = true;
          line("LAMINA_INDEPENDENT");
        } else if (s.is_independent) {
          absl::StrAppend(&text, "#pragma omp simd",
                          s.sums.empty()
                              ? ""
                              : absl::StrCat(" reduction(+ : ", absl::StrJoin(s.sums, ", "), ")"),
                          "\n");
        }
        line(absl::StrCat("for (int ", s.name, " = ", Print(s.first, kSum), "; ", s.name, " < ",
                          s.extent == Statement::kVariableExtent ? Print(s.variable_extent, kSum)
                                                                 : absl::StrCat(s.extent),
                          "; ++", s.name, ") {"));
        absl::StrAppend(&text, Print(s.body, indent + 1), margin, "}\n");
        break;
      case Statement::kIf:
        line(absl::StrCat("if (", Print(s.value), ") {"));
        absl::StrAppend(&text, Print(s.body, indent + 1), margin, "}\n");
        break;
      case Statement::kLet:
        line(absl::StrCat("const ", type(s.value), " ", s.name, " = ", Print(s.value), ";"));
        break;
      case Statement::kVar:
        line(absl::StrCat(type(s.value), " ", s.name, " = ", Print(s.value), ";"));
        break;
      case Statement::kAssign: {
        // total = total + x is written total += x.
        const Expression::Node& node = s.value.node();
        const bool accumulates =
            (node.operation == Operation::kAdd || node.operation == Operation::kMultiply) &&
            node.operands[0].operation() == Operation::kVariable &&
            node.operands[0].node().name == s.name && !WrapsAround(s.value);
        if (accumulates) {
          line(absl::StrCat(s.name, node.operation == Operation::kAdd ? " += " : " *= ",
                            Print(node.operands[1]), ";"));
        } else {
          line(absl::StrCat(s.name, " = ", Print(s.value), ";"));
        }
        break;
      }
      case Statement::kStore:
        if (IsProductCall(s)) {
          line(Product(s));
          break;
        }
        line(absl::StrCat(s.name, "[", Subscript(s.index), "] = ", Print(s.value), ";"));
        break;
    }
  }
  return text;
}

}  // namespace lamina
