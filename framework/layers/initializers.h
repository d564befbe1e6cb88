// First values of weights.
//
// Sums of many products keep their variance from layer to layer when the weights' variance fits the
// number of terms: the fan-in is the number of products that enter one output, the fan-out the
// number of outputs that one input enters. Numbers are drawn from the calling thread's random
// source (framework/ops/random.h), so Rng(seed) repeats them. All are single.
//
//   weights = GlorotUniform({10, 64}, 64, 10);
//
// Threads: callable from any thread.
#ifndef FRAMEWORK_LAYERS_INITIALIZERS_H_
#define FRAMEWORK_LAYERS_INITIALIZERS_H_

#include <cstdint>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// Uniform with mean 0 and variance 2 / (fan_in + fan_out). Source: Glorot, Bengio, "Understanding
/// the difficulty of training deep feedforward neural networks", 2010.
DlArray GlorotUniform(const Sizes& sizes, int64_t fan_in, int64_t fan_out);
/// Normal with mean 0 and variance 2 / fan_in, for layers that ReLU follows. Source: He et al.,
/// arXiv:1502.01852.
DlArray HeNormal(const Sizes& sizes, int64_t fan_in);
/// Orthonormal columns, or rows where there are fewer of them: Q of the QR decomposition of a
/// normal random matrix whose R has a positive diagonal, which makes all rotations equally likely.
/// Dims beyond the first count as columns together. Source: Saxe, McClelland, Ganguli,
/// arXiv:1312.6120.
DlArray Orthogonal(const Sizes& sizes);
/// Normal with mean 0 and standard deviation 0.01.
DlArray NarrowNormal(const Sizes& sizes);
/// Zeros of 4H x 1 with ones for the forget gate, the second quarter, so that a new LSTM remembers.
/// Source: Jozefowicz, Zaremba, Sutskever, "An Empirical Exploration of Recurrent Network
/// Architectures", 2015.
DlArray UnitForgetGate(int64_t num_hidden_units);

/// The fans of a parameter.
struct Fans {
  int64_t in = 1, out = 1;
};
/// By name: "glorot", "he", "orthogonal", "narrow-normal", "zeros", "ones", "unit-forget-gate" (for
/// 4H x 1). Errors: "layer:InvalidInitializer" for another name.
DlArray InitialValue(std::string_view name, const Sizes& sizes, Fans fans);
/// Does nothing for one of these names. Errors: "layer:InvalidInitializer".
void CheckInitializer(std::string_view name);

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_INITIALIZERS_H_
