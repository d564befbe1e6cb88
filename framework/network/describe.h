// How messages name a layer of a network.
#ifndef FRAMEWORK_NETWORK_DESCRIBE_H_
#define FRAMEWORK_NETWORK_DESCRIBE_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "framework/layers/any_layer.h"

namespace lamina {

/// "fc1" (FullyConnectedLayer)
inline std::string Quoted(const AnyLayer& layer) {
  return absl::StrCat("\"", layer->Name(), "\" (", layer->Type(), ")");
}

}  // namespace lamina

#endif  // FRAMEWORK_NETWORK_DESCRIBE_H_
