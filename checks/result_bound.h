// How close results must come that are computed in another order: by generated C, by compiled
// kernels.
//
// Their rounding differs from the framework's, so a layer's own noise is measured, by the framework
// in single against the framework in double, and by arguments that are moved by a few units in
// their last place (docs/checking.md).
//
//   const ResultBound bound(y, exact, {up, down});
//   const int64_t worst = bound.WorstBeyond(came);
//
// Threads: pure functions.
#ifndef CHECKS_RESULT_BOUND_H_
#define CHECKS_RESULT_BOUND_H_

#include <cstdint>
#include <vector>

#include "framework/autodiff/tape.h"

namespace lamina::checks {

/// Elements of any type as doubles, the real and imaginary parts of complex ones side by side.
std::vector<double> Values(const DlArray& x);

/// How much the values of one result may differ from those of the framework.
class ResultBound {
 public:
  /// `y` in single, `exact` in double, and y for arguments moved by kLastDigits (moved.h). `exact`
  /// is y itself where random numbers are drawn: in double there are others.
  ResultBound(const DlArray& y, const DlArray& exact, const DlArrays& moved);

  /// The value that is furthest out of bounds, or -1. `came` has the spec of y.
  int64_t WorstBeyond(const DlArray& came) const;
  double value(int64_t i) const { return y_[i]; }
  double allowed(int64_t i) const { return 16 * noise_ * scale_[i] + 4 * moved_[i]; }

 private:
  std::vector<double> y_, scale_, moved_;
  double noise_ = 0;
};

/// The floating ones converted to this type, or to the complex one of its precision.
DlArrays InType(const DlArrays& arrays, DataType type);

}  // namespace lamina::checks

#endif  // CHECKS_RESULT_BOUND_H_
