// Tries generated code: compiles it with a main program, runs it, and reads what it computed. For
// tests and for CheckLayer.
//
//   const GeneratedCode code = GenerateCode(network, layouts, options);
//   absl::StatusOr<std::vector<GeneratedCall>> calls = RunGenerated(code, options, {{x}, {x}});
//   (*calls)[1].outputs[0]                          // of the second call
//
// Threads: pure functions; a program runs in a folder of its own.
#ifndef FRAMEWORK_CODEGEN_DRIVER_H_
#define FRAMEWORK_CODEGEN_DRIVER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/codegen/generate_code.h"

namespace lamina {

/// It reads the inputs of a call from its standard input, predicts, and writes the outputs and then
/// the states, until the input ends. `reset_before`: the number of the call before which states are
/// reset; -1: none.
SourceFile DriverFor(const GeneratedCode& code, const CodegenOptions& options,
                     int reset_before = -1);

/// What one call of the generated code gave.
struct GeneratedCall {
  DlArrays outputs, states;
};

/// `inputs` has the network's inputs for each call. Errors: those of CompileAndRun; kInternal when
/// the program wrote more or less than the results.
absl::StatusOr<std::vector<GeneratedCall>> RunGenerated(const GeneratedCode& code,
                                                        const CodegenOptions& options,
                                                        const std::vector<DlArrays>& inputs,
                                                        const std::string& flags = kStrictC,
                                                        int reset_before = -1);

}  // namespace lamina

#endif  // FRAMEWORK_CODEGEN_DRIVER_H_
