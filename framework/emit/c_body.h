// The inside of a C function that runs a program.
//
// Threads: a pure function but for the printer.
#ifndef FRAMEWORK_EMIT_C_BODY_H_
#define FRAMEWORK_EMIT_C_BODY_H_

#include <functional>
#include <string>
#include <string_view>

#include "framework/emit/c_printer.h"
#include "framework/emit/program.h"

namespace lamina {

/// Pointers to the arrays that are not arguments. `where` gives the C expression at which an array
/// begins; "" for one that is known by its name already.
std::string CPointers(const Program& program,
                      const std::function<std::string(const ProgramArray&)>& where,
                      CPrinter* printer);

/// Pointers, then the loops, each with its comment.
std::string CBody(const Program& program,
                  const std::function<std::string(const ProgramArray&)>& where, CPrinter* printer);

/// A C comment with this text, whatever characters it has, in lines of at most 100 characters.
std::string CComment(std::string_view text, int indent = 0);

/// True when the program's loops read or write the array.
bool IsNamed(const Program& program, const std::string& array);

/// Constants of the program as "static const float constant[12] = {...};".
std::string CConstants(const Program& program, Language language = Language::kC99);

/// "{0.5f, 1.0f, ...}": the values of an array, in lines of at most 100 characters.
std::string CValues(const DlArray& values, int indent, Language language = Language::kC99);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_C_BODY_H_
