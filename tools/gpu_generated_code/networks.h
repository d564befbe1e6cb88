// Networks that are generated, compiled and compared with the framework in each language: the
// reference layers, a convolutional and a recurrent network, normalization.
//
// Threads: pure functions.
#ifndef TOOLS_GPU_GENERATED_CODE_NETWORKS_H_
#define TOOLS_GPU_GENERATED_CODE_NETWORKS_H_

#include <string>
#include <vector>

#include "framework/codegen/generate_code.h"

namespace lamina {

struct TriedNetwork {
  std::string name;
  DlNetwork network;
  std::vector<NetworkDataLayout> layouts;
  int calls = 1;  ///< One after another: states pass from one to the next.
  /// Of the longest sum of products that a value goes through: sums in another order differ by 2 n
  /// u of the sum of magnitudes.
  int terms = 64;
};

/// With the same values in each run.
std::vector<TriedNetwork> NetworksToTry();

/// The inputs of each call: numbers in [-1, 1).
std::vector<DlArrays> InputsFor(const TriedNetwork& tried);

/// What the framework gives for each call, outputs and then the states that `code` keeps.
std::vector<DlArrays> ExpectedFrom(const TriedNetwork& tried, const GeneratedCode& code,
                                   const std::vector<DlArrays>& inputs);

/// How far values may be from the framework's, relative to the greatest of the array.
double ToleranceOf(const TriedNetwork& tried);

}  // namespace lamina

#endif  // TOOLS_GPU_GENERATED_CODE_NETWORKS_H_
