// One observation of a batch, and the others.
//
//   Split s = SplitObservations(y, dim);            // s.first, s.others: elements as numbers
//   DlArrays x = WithFirstObservation(c, a, b);     // a, but the first observation is b's
//
// Threads: pure functions.
#ifndef CHECKS_OBSERVATION_SPLIT_H_
#define CHECKS_OBSERVATION_SPLIT_H_

#include <vector>

#include "checks/check_context.h"

namespace lamina::checks {

/// An array's elements of the first observation, and of all others; real and imaginary parts apart.
struct Split {
  std::vector<double> first, others;
};
Split SplitObservations(const DlArray& y, int dim);

/// `inputs`, with the first observation of each replaced by that of `other`. Inputs without a known
/// dim of observations stay.
DlArrays WithFirstObservation(const CheckContext& c, Arrays inputs, Arrays other);

/// New values of the first observation leave the outputs of the others alone. Throws FunctionThrew.
bool ObservationsAreApart(const CheckContext& c, const Subject& subject, Function function);

/// The dim of the observations of an output; -1 when it has none, or another number of them than
/// `observations`.
int ObservationDimOf(const CheckContext& c, const DlArray& output, int64_t observations);

}  // namespace lamina::checks

#endif  // CHECKS_OBSERVATION_SPLIT_H_
