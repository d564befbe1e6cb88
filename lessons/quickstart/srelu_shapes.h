// A picture of what SReLU layers do to their input: one small chart for each channel.
//
//   absl::StatusOr<std::string> svg = SReluShapesSvg(initial_network, trained_network, "srelu1",
//   8);
//
// Threads: pure function.
#ifndef LESSONS_QUICKSTART_SRELU_SHAPES_H_
#define LESSONS_QUICKSTART_SRELU_SHAPES_H_

#include <string>

#include "absl/status/statusor.h"
#include "framework/network/network.h"

namespace lamina {

/// Draws y over x in [-2, 2] for the first `channels` channels of the SReLU layer called `layer`,
/// as it was before training and as it is after.
///
/// Errors: kInvalidArgument when a network has no SReluLayer of that name, or it has no parameters
/// yet; those of LineChartSvg.
absl::StatusOr<std::string> SReluShapesSvg(const DlNetwork& before, const DlNetwork& after,
                                           const std::string& layer, int channels);

}  // namespace lamina

#endif  // LESSONS_QUICKSTART_SRELU_SHAPES_H_
