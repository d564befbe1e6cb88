// Bringing groups of elements to mean 0 and variance 1, then scaling and shifting each channel:
// batch, layer, group and instance normalization differ only in what forms a group.
//
//   y = scale * (x - mean) / sqrt(variance + epsilon) + offset
//
// mean and variance are those of the group, the variance divided by its number of elements (not one
// less). Sources: Ioffe, Szegedy, arXiv:1502.03167 (batch); Ba, Kiros, Hinton, arXiv:1607.06450
// (layer); Wu, He, arXiv:1803.08494 (group); Ulyanov, Vedaldi, Lempitsky, arXiv:1607.08022
// (instance).
//
//   BatchNormResult r = BatchNorm(x, offset, scale);     // x "SSCB"; r.mean and r.variance are "C"
//   DlArray y = BatchNorm(x, offset, scale, trained_mean, trained_variance);
//
// `offset` and `scale` have one element for each channel (a vector, or labelled "C"), or one for
// all, or are unset (0 and 1). x has a C dim. Types promote with theirs; real floating types are
// computed, logical and integers as single. Numeric contract: the variance is computed from
// differences to the mean, see framework/cpu/normalize.h. Gradients of any order.
//
// Errors of all: "ops:FormatNeeded" without labels and format; "dlarray:FormatMismatch" without a C
// dim; "ops:UnsupportedType" for complex arrays; "dlarray:SizeMismatch" for parameters of another
// size; "ops:InvalidEpsilon" unless epsilon is positive and finite; "ops:EmptyGroup" when a group
// has no element (an empty batch, for BatchNorm).
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_NORMALIZATION_H_
#define FRAMEWORK_OPS_NORMALIZATION_H_

#include <cstdint>
#include <string_view>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

struct NormOptions {
  double epsilon = 1e-5;
  std::string_view format = "";  ///< The labels of x, when x has none.
};

struct BatchNormResult {
  DlArray y;
  DlArray mean;      ///< One element for each channel, labelled "C" (unlabelled as x is).
  DlArray variance;  ///< Likewise; divided by the number n of elements, not n - 1.
};

/// One group for each channel, over all dims but C, with the statistics of x itself.
BatchNormResult BatchNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                          const NormOptions& options = {});
/// With the given statistics, one element for each channel. An empty batch gives an empty result.
DlArray BatchNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                  const DlArray& mean, const DlArray& variance, const NormOptions& options = {});

/// Which dims form a group in layer normalization.
enum class LayerNormDims : uint8_t {
  kAuto,            ///< C for data with T or at most one S dim; else S and C.
  kChannelOnly,     ///< C.
  kSpatialChannel,  ///< S and C.
  kBatchExcluded,   ///< All but B.
};

/// One group for each observation (and time step, as `dims` says).
DlArray LayerNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                  const NormOptions& options = {}, LayerNormDims dims = LayerNormDims::kAuto);

/// The channels in `num_groups` equal runs of neighbours; one group for each run and observation,
/// over all dims but B. One run normalizes all channels together. Errors: "ops:InvalidGroups" when
/// num_groups does not divide the channels.
DlArray GroupNorm(const DlArray& x, int64_t num_groups, const DlArray& offset, const DlArray& scale,
                  const NormOptions& options = {});

/// One group for each channel and observation, over all dims but C and B.
DlArray InstanceNorm(const DlArray& x, const DlArray& offset, const DlArray& scale,
                     const NormOptions& options = {});

namespace internal {

struct Standardized {
  DlArray y, mean, variance, inverse_deviation;
};
/// The op behind all of these: over the dims of x, labelled or not, in `dims` (bit d for dim d).
/// x is single or double. The statistics have size 1 in these dims.
Standardized Standardize(const DlArray& x, uint32_t dims, double epsilon);

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_OPS_NORMALIZATION_H_
