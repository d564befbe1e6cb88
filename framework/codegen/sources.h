// The files of a generated network.
//
// Used by generate_code.cc. Threads: pure functions.
#ifndef FRAMEWORK_CODEGEN_SOURCES_H_
#define FRAMEWORK_CODEGEN_SOURCES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "framework/codegen/prepared_network.h"

namespace lamina::internal {

/// Header and computation: C99 and C++17.
std::vector<SourceFile> CSources(const Parts& p);
/// Header, and kernels with the host's functions that launch them.
std::vector<SourceFile> CudaSources(const Parts& p);
/// The parameters as they are now, and what reads others from a file: all languages.
std::vector<SourceFile> ParameterSources(const Parts& p);

/// Of all parameters.
int64_t ParameterBytes(const Parts& p);
/// Tells one list of parameters from another: FNV-1a of names, sizes and types.
uint64_t Fingerprint(const Parts& p);
/// With which a file of parameters begins.
inline constexpr char kMagic[] = "LAMINAW1";

/// Names are written as C has them, PREFIX_context, PREFIX_parameters, PREFIX_trained,
/// PREFIX_start, ... inside of the code and OUTER_... outside of it, and as the language has them
/// here: C++ has a namespace.
std::string Spelled(const Parts& p, const std::string& text);
/// "digits.c", "digits.cc", "digits.cu".
std::string SourceName(const Parts& p, const std::string& suffix = "");

// Pieces of headers and sources.
/// Whether the network has complex numbers anywhere.
bool IsAnyComplex(const Parts& p);
std::string ScratchName(DataType type);
/// ", const float *input, float *output".
std::string Arguments(const Parts& p);
/// What opens the header, with this comment, and closes it.
std::string HeaderBegin(const Parts& p, const std::string& comment, const std::string& includes);
std::string HeaderEnd(const Parts& p);
/// "struct Name {fields};"
std::string Struct(const Parts& p, const std::string& name, const std::string& fields);
std::string SizesAndParameters(const Parts& p);
std::string StateFields(const Parts& p);
std::string ScratchFields(const Parts& p);
std::string Field(const Parts& p, const ArraySpec& spec, const std::string& name);
/// The states when it was generated, or after a reset, as constants of the host.
std::string StateValues(const Parts& p, bool reset);
/// What a file of the language opens and closes around its functions: a namespace, or nothing.
std::string NamespaceBegin(const Parts& p);
std::string NamespaceEnd(const Parts& p);

}  // namespace lamina::internal

#endif  // FRAMEWORK_CODEGEN_SOURCES_H_
