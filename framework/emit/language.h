// The languages in which programs are printed. What differs between them in an expression stands
// here; the printer (c_printer.h) is one for all.
//
//   CPrinter printer(Language::kCpp17);
//
// C99 and C++17 share all but complex numbers. CUDA is the C++17 of a device: its functions are
// marked, and its complex numbers are a type of our own (cuda_complex.h), since those of the
// standard library are the host's.
//
// Threads: pure functions.
#ifndef FRAMEWORK_EMIT_LANGUAGE_H_
#define FRAMEWORK_EMIT_LANGUAGE_H_

#include <set>
#include <string>

#include "framework/dlarray/data_type.h"

namespace lamina {

enum class Language : uint8_t { kC99, kCpp17, kCuda };

/// Words that no array and no variable may be named: those of the languages, and functions that are
/// called. One set for all: a header of C is read by C++ too.
const std::set<std::string>& CReservedWords();

/// "float", "double", "uint8_t" for logical, "int32_t", "float complex", "std::complex<float>" or
/// "lamina_cuda::Complex<float>", ...
std::string CType(DataType type, Language language = Language::kC99);

/// A complex number from its printed parts, in an initializer.
std::string ComplexInitializer(const std::string& re, const std::string& im, Language language);

/// The function of complex numbers of this name ("conj", "real", "exp").
std::string ComplexFunction(const std::string& name, DataType type, Language language);

/// What stands before a function that the printed code calls: "static ".
std::string FunctionPrefix(Language language);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_LANGUAGE_H_
