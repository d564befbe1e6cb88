// For tests of ops: elements by their index, the slow and obvious way, and what an Error says.
#ifndef FRAMEWORK_OPS_TESTING_INDEXING_H_
#define FRAMEWORK_OPS_TESTING_INDEXING_H_

#include <complex>
#include <functional>
#include <string>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

inline constexpr DataType kAllTypes[] = {
    DataType::kSingle,        DataType::kDouble, DataType::kLogical, DataType::kComplexSingle,
    DataType::kComplexDouble, DataType::kInt32,  DataType::kInt64,   DataType::kUint8};

/// The element of x at `index`, which may have more entries than x has dims: those are 0.
std::complex<double> ElementAt(const DlArray& x, const Sizes& index);

/// Calls f with every index below `sizes`, first dim fastest.
void ForEachIndex(const Sizes& sizes, const std::function<void(const Sizes&)>& f);

/// An array whose elements are f(index) converted to `type`, made without any op. `format` has its
/// labels in order.
DlArray ArrayOf(DataType type, const Sizes& sizes, std::string_view format,
                const std::function<std::complex<double>(const Sizes&)>& f);

/// Element number i is i (modulo 2 for logical), plus (i + 0.5) i for complex types.
DlArray Numbered(const Sizes& sizes, std::string_view format = "",
                 DataType type = DataType::kSingle);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_TESTING_INDEXING_H_
