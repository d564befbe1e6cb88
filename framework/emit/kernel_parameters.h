// Code with parameters in the places of arrays, so that code that differs in its arrays alone is
// one kernel with other arguments.
//
//   const auto type_of = [](const std::string& array) { return std::optional(types.at(array)); };
//   const std::vector<KernelParameter> p = NameParameters(&code, type_of);
//   // x[i + 12] is p0[i] now, and p[0] is {"x", 12, kSingle, false}
//
// Threads: a pure function but for its argument.
#ifndef FRAMEWORK_EMIT_KERNEL_PARAMETERS_H_
#define FRAMEWORK_EMIT_KERNEL_PARAMETERS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "framework/loops/statement.h"

namespace lamina::internal {

struct KernelParameter {
  std::string array;
  int64_t offset = 0;  ///< Elements from the array's start.
  DataType type = DataType::kSingle;
  bool is_stored = false;
};

/// Names the arrays of `code` p0, p1, ... in the order in which they stand there. `type_of` tells
/// an array's type, or nothing for one that keeps its name. What an index has as a constant is the
/// parameter's offset, so that an array may be several parameters; one that is stored is one, from
/// the first of its offsets on, since no parameter may overlap another that is stored. Indices of
/// stores become int32.
std::vector<KernelParameter> NameParameters(
    loops::Block* code,
    const std::function<std::optional<DataType>(const std::string& array)>& type_of);

/// Gives an array another name, in all places.
void RenameArray(loops::Block* code, const std::string& from, const std::string& to);

/// "p3".
std::string ParameterName(int64_t number);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_PARAMETERS_H_
