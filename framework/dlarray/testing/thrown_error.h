// For tests: what the Error says that a call throws.
#ifndef FRAMEWORK_DLARRAY_TESTING_THROWN_ERROR_H_
#define FRAMEWORK_DLARRAY_TESTING_THROWN_ERROR_H_

#include <string>
#include <utility>

#include "framework/dlarray/error.h"

namespace lamina {

/// The whole text, places and identifier included; "no error" when there is none.
template <class F>
std::string MessageOf(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

/// The identifier; "no error" when there is none.
template <class F>
std::string IdentifierOf(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const Error& e) {
    return e.identifier();
  }
  return "no error";
}

}  // namespace lamina

#endif  // FRAMEWORK_DLARRAY_TESTING_THROWN_ERROR_H_
