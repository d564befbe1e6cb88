// For tests: every built-in layer at least once, with data that it takes and what it makes of them.
#ifndef FRAMEWORK_LAYERS_TESTING_BUILTIN_LAYER_TABLE_H_
#define FRAMEWORK_LAYERS_TESTING_BUILTIN_LAYER_TABLE_H_

#include <vector>

#include "framework/layers/builtin_layers.h"

namespace lamina {

/// A row of the table: what comes, what leaves. Written from the layers' documentation.
struct BuiltinLayerRow {
  AnyLayer layer;
  Sizes sizes;
  const char* format;
  const char* expected;     ///< Sizes and labels of the output.
  int num_inputs = 1;       ///< All alike.
  bool is_complex = false;  ///< Is what leaves?
};

std::vector<BuiltinLayerRow> BuiltinLayerTable();

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_TESTING_BUILTIN_LAYER_TABLE_H_
