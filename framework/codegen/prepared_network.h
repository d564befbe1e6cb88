// A network, ready to be printed: its names in the code, its loops.
//
// Used by generate_code.cc and what writes sources. Threads: pure functions.
#ifndef FRAMEWORK_CODEGEN_PREPARED_NETWORK_H_
#define FRAMEWORK_CODEGEN_PREPARED_NETWORK_H_

#include <span>
#include <string>
#include <vector>

#include "framework/codegen/generate_code.h"
#include "framework/codegen/recorded_network.h"
#include "framework/emit/program.h"

namespace lamina::internal {

/// What stays the same for all files of one network.
struct Parts {
  RecordedNetwork network;
  std::vector<std::string> inputs, outputs, parameters, states;  ///< Names in the code.
  Program program;
  std::string prefix;
  Language language = Language::kC99;
  int64_t max_observations = 0;  ///< 0: as many as the layouts have.

  const ArraySpec& OutputSpec(size_t i) const {
    return network.graph.values()[network.graph.outputs()[i]].spec;
  }
  const ArraySpec& InputSpec(size_t i) const {
    return network.graph.values()[network.graph.inputs()[i]].spec;
  }
};

/// Errors: those of GenerateCode.
Parts Prepare(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
              const CodegenOptions& options);

}  // namespace lamina::internal

#endif  // FRAMEWORK_CODEGEN_PREPARED_NETWORK_H_
