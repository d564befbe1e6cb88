// Layouts like the given ones with other sizes along S, T and B: 1 and odd ones among them.
//
// Threads: pure functions.
#ifndef CHECKS_SIZE_SWEEP_H_
#define CHECKS_SIZE_SWEEP_H_

#include <optional>
#include <vector>

#include "checks/check_context.h"

namespace lamina::checks {

struct SizeCase {
  char label;    ///< The dims that are varied: 'S', 'T' or 'B' (the observations).
  int64_t size;  ///< Their size.
  std::vector<NetworkDataLayout> layouts;
};

/// Sizes 1, 3 and 7 along each of the labels that the layouts have; of several S dims the second
/// and third are smaller than the first.
std::vector<SizeCase> OtherSizes(const CheckContext& c);

/// The layer with data of these layouts; none when it refuses them by an Error, in Initialize,
/// Predict or Forward. Throws FunctionThrew for what is no Error.
std::optional<Subject> SubjectUnlessRefused(const CheckContext& c,
                                            const std::vector<NetworkDataLayout>& layouts,
                                            DataType type);

}  // namespace lamina::checks

#endif  // CHECKS_SIZE_SWEEP_H_
