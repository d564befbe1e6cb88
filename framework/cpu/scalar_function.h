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
#include <string_view>

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

// How the type of the result follows from the type of the arguments.
enum class ResultRule : uint8_t {
  kSame,           // the type of the arguments
  kLogical,        // logical
  kRealOfComplex,  // single of complex single, double of complex double; else the same
  kComplexOfReal,  // complex single of single, complex double of double
};

struct ScalarFunctionInfo {
  std::string_view name;  // "tanh": the name that users, traces and emitted code see
  int arity;
  ResultRule result;
};

const ScalarFunctionInfo& Describe(ScalarFunction function);

// Type of the result for arguments of type `type` (for kWhere the type of its two values).
DataType ResultType(ScalarFunction function, DataType type);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SCALAR_FUNCTION_H_
