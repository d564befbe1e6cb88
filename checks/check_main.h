// The main function of a check target: runs CheckLayer, prints its report, and writes it as JUnit
// XML where the environment variable XML_OUTPUT_FILE asks for it, as Bazel does. The macro
// check_layer (check_layer.bzl) writes such a main function:
//
//   int main() {
//     return lamina::CheckLayerMain([] {
//       return lamina::CheckLayer(SReluLayer(), {NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
//     });
//   }
#ifndef CHECKS_CHECK_MAIN_H_
#define CHECKS_CHECK_MAIN_H_

#include <functional>

#include "checks/check_layer.h"

namespace lamina {

/// The exit status: 0 when all is well, 1 when a test failed or is incomplete, 2 when CheckLayer
/// was used wrongly (the message goes to standard error) or the XML could not be written.
int CheckLayerMain(const std::function<CheckReport()>& check);

}  // namespace lamina

#endif  // CHECKS_CHECK_MAIN_H_
