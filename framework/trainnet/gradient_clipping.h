// Gradients that are too long are shortened before the solver sees them.
//
//   ClipGradients(gradients, 1.0, GradientThresholdMethod::kGlobalL2Norm);
//
// Gradients with NaN stay as they are: a threshold does not hide them. No value is read, so
// clipping may be part of an accelerated function. Threads: pure but for the argument.
#ifndef FRAMEWORK_TRAINNET_GRADIENT_CLIPPING_H_
#define FRAMEWORK_TRAINNET_GRADIENT_CLIPPING_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"

namespace lamina {

enum class GradientThresholdMethod : uint8_t {
  kL2Norm,         ///< Each array whose norm is above the threshold is scaled to it.
  kGlobalL2Norm,   ///< All are scaled by one factor when the norm of all together is above it.
  kAbsoluteValue,  ///< Each element larger than the threshold gets its size, and keeps its sign.
};

/// Errors: "trainnet:InvalidOption" unless the threshold is above 0; infinity clips nothing.
void ClipGradients(DlArrays& gradients, double threshold,
                   GradientThresholdMethod method = GradientThresholdMethod::kL2Norm);

}  // namespace lamina

#endif  // FRAMEWORK_TRAINNET_GRADIENT_CLIPPING_H_
