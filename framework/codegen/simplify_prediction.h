// A prediction with less work: what its parameters alone decide is computed when code is generated.
//
// - A max pooling of max(x, 0) is that of x, and max(., 0) of what is left.
// - What scales a convolution's channels and adds to them, as a batch normalization does after
//   training, goes into its filters and bias: s (conv(x, w) + b) + t = conv(x, s w) + (s b + t).
// - Values that depend on parameters alone become parameters themselves, in place of those that
//   nothing else reads.
//
// Used by prepared_network.cc. Threads: pure functions.
#ifndef FRAMEWORK_CODEGEN_SIMPLIFY_PREDICTION_H_
#define FRAMEWORK_CODEGEN_SIMPLIFY_PREDICTION_H_

#include "framework/codegen/recorded_network.h"

namespace lamina::internal {

/// The same outputs but for rounding, where parameters are finite.
RecordedNetwork SimplifyPrediction(const RecordedNetwork& network);

}  // namespace lamina::internal

#endif  // FRAMEWORK_CODEGEN_SIMPLIFY_PREDICTION_H_
