#include "framework/dlarray/data_type.h"

namespace lamina {

std::string_view Name(DataType type) {
  constexpr std::string_view kNames[kNumDataTypes] = {
      "single", "double", "logical", "complex single", "complex double", "int32", "int64", "uint8"};
  return kNames[static_cast<int>(type)];
}

DataType Promote(DataType a, DataType b) {
  if (a == b) return a;
  if (a == DataType::kLogical) return b;
  if (b == DataType::kLogical) return a;
  if (IsInteger(a)) return IsInteger(b) ? DataType::kInt64 : b;
  if (IsInteger(b)) return a;
  const DataType real_a = ToReal(a), real_b = ToReal(b);
  const DataType real = real_a == real_b ? real_a : DataType::kSingle;
  return IsComplex(a) || IsComplex(b) ? ToComplex(real) : real;
}

}  // namespace lamina
