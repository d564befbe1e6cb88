#include "framework/emit/language.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace lamina {

const std::set<std::string>& CReservedWords() {
  static const auto* const kWords = [] {
    auto* words = new std::set<std::string>{
        // C, and what generated code names.
        "auto", "break", "case", "char", "complex", "const", "context", "continue", "default", "do",
        "double", "else", "enum", "extern", "float", "for", "goto", "if", "imaginary", "inline",
        "int", "int32_t", "int64_t", "long", "main", "memcpy", "observations", "parameters",
        "register", "restrict", "return", "short", "signed", "sizeof", "static", "struct", "switch",
        "to_int32", "to_int64", "to_uint8", "int64_to_int32", "int64_to_uint8", "typedef",
        "uint8_t", "union", "unsigned", "void", "volatile", "while",
        // Macros and functions of the headers that generated code includes.
        "EOF", "FILE", "I", "INFINITY", "INT32_MAX", "INT32_MIN", "INT64_C", "INT64_MAX",
        "INT64_MIN", "NAN", "NULL", "UINT64_C", "UINT8_MAX", "fclose", "fgetc", "fopen", "fread",
        "fseek", "ftell", "memcmp", "memset", "printf", "size_t", "stderr", "stdin", "stdout",
        "uint32_t", "uint64_t",
        // C++.
        "alignas", "alignof", "and", "and_eq", "asm", "bitand", "bitor", "bool", "catch",
        "char16_t", "char32_t", "class", "compl", "concept", "const_cast", "constexpr", "decltype",
        "delete", "dynamic_cast", "explicit", "export", "false", "friend", "mutable", "namespace",
        "new", "noexcept", "not", "not_eq", "nullptr", "operator", "or", "or_eq", "private",
        "protected", "public", "reinterpret_cast", "requires", "static_assert", "static_cast",
        "std", "template", "this", "thread_local", "throw", "trained", "true", "try", "typeid",
        "typename", "using", "virtual", "wchar_t", "xor", "xor_eq",
        // CUDA, and what generated kernels name.
        "aligned", "device", "element", "error", "group", "half", "item", "items", "joins",
        "memory", "part", "stream", "thread"};
    for (const char* function :
         {"acos", "acosh", "asin", "asinh",    "atan", "atan2", "atanh", "cabs",  "ceil",
          "cexp", "cimag", "conj", "copysign", "cos",  "cosh",  "creal", "csqrt", "erf",
          "exp",  "expm1", "fabs", "floor",    "fmod", "log",   "log10", "log1p", "log2",
          "pow",  "round", "sin",  "sinh",     "sqrt", "tan",   "tanh",  "trunc"}) {
      words->insert(function);
      words->insert(absl::StrCat(function, "f"));
    }
    for (const char* helper : {"bfloat16", "complex", "mod", "sigmoid"}) {
      words->insert(absl::StrCat(helper, "_float"));
      words->insert(absl::StrCat(helper, "_double"));
    }
    return words;
  }();
  return *kWords;
}

std::string CType(DataType type, Language language) {
  switch (type) {
    case DataType::kSingle:
      return "float";
    case DataType::kDouble:
      return "double";
    case DataType::kComplexSingle:
    case DataType::kComplexDouble: {
      const std::string part = CType(ToReal(type), language);
      return language == Language::kC99     ? absl::StrCat(part, " complex")
             : language == Language::kCpp17 ? absl::StrCat("std::complex<", part, ">")
                                            : absl::StrCat("lamina_cuda::Complex<", part, ">");
    }
    case DataType::kInt32:
      return "int32_t";
    case DataType::kInt64:
      return "int64_t";
    case DataType::kLogical:
    case DataType::kUint8:
      break;
  }
  return "uint8_t";
}

std::string ComplexInitializer(const std::string& re, const std::string& im, Language language) {
  return language == Language::kC99 ? absl::StrCat(re, " + ", im, " * I")
                                    : absl::StrCat("{", re, ", ", im, "}");
}

std::string ComplexFunction(const std::string& name, DataType type, Language language) {
  if (language == Language::kCpp17) return absl::StrCat("std::", name);
  if (language == Language::kCuda) {
    std::string capital = name;
    capital[0] = absl::ascii_toupper(capital[0]);
    return absl::StrCat("lamina_cuda::", capital);
  }
  return absl::StrCat(name == "conj" ? "" : "c", name,
                      ToReal(type) == DataType::kSingle ? "f" : "");
}

std::string FunctionPrefix(Language language) {
  return language == Language::kCuda ? "static __device__ " : "static ";
}

}  // namespace lamina
