// A hint, no test: an input that a layer does not read. It may be meant so; more often another one
// is read in its place.
#ifndef CHECKS_UNUSED_INPUTS_H_
#define CHECKS_UNUSED_INPUTS_H_

#include <string>
#include <vector>

#include "checks/check_context.h"

namespace lamina::checks {

/// A note for each input whose values change nothing that Predict and Forward return, in the small
/// data and in 24 other draws of inputs and parameters.
std::vector<std::string> NotesOfUnusedInputs(const CheckContext& c);

}  // namespace lamina::checks

#endif  // CHECKS_UNUSED_INPUTS_H_
