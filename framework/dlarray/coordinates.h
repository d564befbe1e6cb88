// Where an element stands in its array, for messages.
//
// Threads: a pure function.
#ifndef FRAMEWORK_DLARRAY_COORDINATES_H_
#define FRAMEWORK_DLARRAY_COORDINATES_H_

#include <cstdint>
#include <string>

#include "framework/dlarray/format.h"

namespace lamina {

/// "3(S), 4(S), 1(C)" for element `index`, counted from 0; "the scalar" of an array without dims.
std::string Coordinates(const ArraySpec& spec, int64_t index);

}  // namespace lamina

#endif  // FRAMEWORK_DLARRAY_COORDINATES_H_
