// For tests: the whole text of the Error that a call throws.
#ifndef FRAMEWORK_LAYERS_TESTING_MESSAGE_OF_H_
#define FRAMEWORK_LAYERS_TESTING_MESSAGE_OF_H_

#include <string>
#include <utility>

#include "framework/dlarray/error.h"

namespace lamina {

/// What f's Error says, places and identifier included; "no error" when there is none.
template <class F>
std::string MessageOf(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_TESTING_MESSAGE_OF_H_
