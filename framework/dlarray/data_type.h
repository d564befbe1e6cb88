// The element types of arrays, and how types combine.
//
// Single is the working type, double the type of checks. Logical holds 0 or 1 in one byte. The
// integer types hold indices and counts; arithmetic on them is left to the floating types.
// All functions here may be called from any thread.
//
//   Promote(DataType::kSingle, DataType::kDouble)   // kSingle: the less precise type wins
//   ToComplex(DataType::kDouble)                    // kComplexDouble
#ifndef FRAMEWORK_DLARRAY_DATA_TYPE_H_
#define FRAMEWORK_DLARRAY_DATA_TYPE_H_

#include <complex>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace lamina {

enum class DataType : uint8_t {
  kSingle,
  kDouble,
  kLogical,
  kComplexSingle,
  kComplexDouble,
  kInt32,
  kInt64,
  kUint8,
};
inline constexpr int kNumDataTypes = 8;

/// Bytes of one element.
constexpr size_t SizeOf(DataType type) {
  constexpr size_t kSizes[kNumDataTypes] = {4, 8, 1, 8, 16, 4, 8, 1};
  return kSizes[static_cast<int>(type)];
}

/// The name that a reader sees: "single", "double", "logical", "complex single", "complex double",
/// "int32", "int64", "uint8".
std::string_view Name(DataType type);

/// Single or double.
constexpr bool IsRealFloating(DataType t) {
  return t == DataType::kSingle || t == DataType::kDouble;
}
constexpr bool IsComplex(DataType t) {
  return t == DataType::kComplexSingle || t == DataType::kComplexDouble;
}
/// Types that have gradients: single, double and their complex forms.
constexpr bool IsFloating(DataType t) { return IsRealFloating(t) || IsComplex(t); }
constexpr bool IsInteger(DataType t) {
  return t == DataType::kInt32 || t == DataType::kInt64 || t == DataType::kUint8;
}

/// The real type of the same precision: complex single gives single. Others are themselves.
constexpr DataType ToReal(DataType t) {
  if (t == DataType::kComplexSingle) return DataType::kSingle;
  if (t == DataType::kComplexDouble) return DataType::kDouble;
  return t;
}
/// The complex type of the same precision; `t` is a floating type.
constexpr DataType ToComplex(DataType t) {
  if (t == DataType::kSingle) return DataType::kComplexSingle;
  if (t == DataType::kDouble) return DataType::kComplexDouble;
  return t;
}

/// The type of a result of arithmetic between the two: single with double gives single, complex
/// with real gives complex, logical takes the other's type, integer with floating gives the
/// floating type, two different integer types give int64.
DataType Promote(DataType a, DataType b);

/// The element type of a C++ type: DataTypeOf<float>() is kSingle. bool stands for logical.
template <class T>
constexpr DataType DataTypeOf();
template <>
constexpr DataType DataTypeOf<float>() {
  return DataType::kSingle;
}
template <>
constexpr DataType DataTypeOf<double>() {
  return DataType::kDouble;
}
template <>
constexpr DataType DataTypeOf<bool>() {
  return DataType::kLogical;
}
template <>
constexpr DataType DataTypeOf<std::complex<float>>() {
  return DataType::kComplexSingle;
}
template <>
constexpr DataType DataTypeOf<std::complex<double>>() {
  return DataType::kComplexDouble;
}
template <>
constexpr DataType DataTypeOf<int32_t>() {
  return DataType::kInt32;
}
template <>
constexpr DataType DataTypeOf<int64_t>() {
  return DataType::kInt64;
}
template <>
constexpr DataType DataTypeOf<uint8_t>() {
  return DataType::kUint8;
}

}  // namespace lamina

#endif  // FRAMEWORK_DLARRAY_DATA_TYPE_H_
