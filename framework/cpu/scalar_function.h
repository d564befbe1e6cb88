#ifndef FRAMEWORK_CPU_SCALAR_FUNCTION_H_
#define FRAMEWORK_CPU_SCALAR_FUNCTION_H_

// The names of the functions that work on each element alone. Their values are written in
// scalar_functions.h; here stand only the facts that others need to choose one: name, number of
// arguments, type of the result.
//
// Threads: plain data and pure functions.
//
//   cpu::Describe(cpu::ScalarFunction::kAbs).arity                             // 1
//   cpu::ResultType(cpu::ScalarFunction::kAbs, DataType::kComplexSingle)       // kSingle

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

enum class ScalarFunction : uint8_t {
  // One argument.
  kNegate,
  kAbs,
  kSign,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kLog2,
  kLog10,
  kSqrt,
  kRsqrt,
  kSquare,
  kReciprocal,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kTanh,
  kAsinh,
  kAcosh,
  kAtanh,
  kSigmoid,
  kErf,
  kFloor,
  kCeil,
  kRound,
  kFix,
  kRelu,
  kNot,
  kConj,
  kReal,
  kImag,
  kIsNan,
  // Two arguments of one type.
  kPlus,
  kMinus,
  kTimes,
  kDivide,
  kPower,
  kMax,
  kMin,
  kAtan2,
  kMod,
  kEq,
  kNe,
  kLt,
  kLe,
  kGt,
  kGe,
  kAnd,
  kOr,
  kXor,
  kComplex,
  // Three arguments: a logical mask, then two of one type.
  kWhere,
};

inline constexpr int kNumScalarFunctions = static_cast<int>(ScalarFunction::kWhere) + 1;

/// How the type of the result follows from the type of the arguments.
enum class ResultRule : uint8_t {
  kSame,           ///< the type of the arguments
  kLogical,        ///< logical
  kRealOfComplex,  ///< single of complex single, double of complex double; else the same
  kComplexOfReal,  ///< complex single of single, complex double of double
};

struct ScalarFunctionInfo {
  const char* name;  ///< "tanh": the name that users, traces and emitted code see
  int arity;
  ResultRule result;
};

/// In the order of the enumeration.
inline constexpr ScalarFunctionInfo kScalarFunctionInfo[kNumScalarFunctions] = {
    {"negate", 1, ResultRule::kSame},        {"abs", 1, ResultRule::kRealOfComplex},
    {"sign", 1, ResultRule::kSame},          {"exp", 1, ResultRule::kSame},
    {"expm1", 1, ResultRule::kSame},         {"log", 1, ResultRule::kSame},
    {"log1p", 1, ResultRule::kSame},         {"log2", 1, ResultRule::kSame},
    {"log10", 1, ResultRule::kSame},         {"sqrt", 1, ResultRule::kSame},
    {"rsqrt", 1, ResultRule::kSame},         {"square", 1, ResultRule::kSame},
    {"reciprocal", 1, ResultRule::kSame},    {"sin", 1, ResultRule::kSame},
    {"cos", 1, ResultRule::kSame},           {"tan", 1, ResultRule::kSame},
    {"asin", 1, ResultRule::kSame},          {"acos", 1, ResultRule::kSame},
    {"atan", 1, ResultRule::kSame},          {"sinh", 1, ResultRule::kSame},
    {"cosh", 1, ResultRule::kSame},          {"tanh", 1, ResultRule::kSame},
    {"asinh", 1, ResultRule::kSame},         {"acosh", 1, ResultRule::kSame},
    {"atanh", 1, ResultRule::kSame},         {"sigmoid", 1, ResultRule::kSame},
    {"erf", 1, ResultRule::kSame},           {"floor", 1, ResultRule::kSame},
    {"ceil", 1, ResultRule::kSame},          {"round", 1, ResultRule::kSame},
    {"fix", 1, ResultRule::kSame},           {"relu", 1, ResultRule::kSame},
    {"not", 1, ResultRule::kLogical},        {"conj", 1, ResultRule::kSame},
    {"real", 1, ResultRule::kRealOfComplex}, {"imag", 1, ResultRule::kRealOfComplex},
    {"isnan", 1, ResultRule::kLogical},      {"plus", 2, ResultRule::kSame},
    {"minus", 2, ResultRule::kSame},         {"times", 2, ResultRule::kSame},
    {"divide", 2, ResultRule::kSame},        {"power", 2, ResultRule::kSame},
    {"max", 2, ResultRule::kSame},           {"min", 2, ResultRule::kSame},
    {"atan2", 2, ResultRule::kSame},         {"mod", 2, ResultRule::kSame},
    {"eq", 2, ResultRule::kLogical},         {"ne", 2, ResultRule::kLogical},
    {"lt", 2, ResultRule::kLogical},         {"le", 2, ResultRule::kLogical},
    {"gt", 2, ResultRule::kLogical},         {"ge", 2, ResultRule::kLogical},
    {"and", 2, ResultRule::kLogical},        {"or", 2, ResultRule::kLogical},
    {"xor", 2, ResultRule::kLogical},        {"complex", 2, ResultRule::kComplexOfReal},
    {"where", 3, ResultRule::kSame},
};

constexpr const ScalarFunctionInfo& Describe(ScalarFunction function) {
  return kScalarFunctionInfo[static_cast<int>(function)];
}

/// Type of the result for arguments of type `type` (for kWhere the type of its two values).
constexpr DataType ResultType(ScalarFunction function, DataType type) {
  switch (Describe(function).result) {
    case ResultRule::kLogical:
      return DataType::kLogical;
    case ResultRule::kRealOfComplex:
      return ToReal(type);
    case ResultRule::kComplexOfReal:
      return ToComplex(type);
    default:
      return type;
  }
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SCALAR_FUNCTION_H_
