// plot_scale.h: from values to positions along an axis, and the round numbers that stand at it.
//
// Threads: plain values and pure functions.
//
//   // From 0 to 1, with ticks at 0, 0.2, ..., 1.
//   PlotScale scale = *PlotScale::Make({0.013, 0.97}, false, 5);
//   scale.Position(0.5);  // 0.5: half way along the axis
#ifndef FRAMEWORK_IO_PLOT_SCALE_H_
#define FRAMEWORK_IO_PLOT_SCALE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace lamina {

struct PlotTick {
  double value = 0;
  std::string label{};
};

/// kWhole: there is nothing between two whole numbers, so no tick stands there (of linear scales).
enum class TickKind { kAny, kWhole };

struct ValueRange {
  double low = 0;
  double high = 0;
};

class PlotScale {
 public:
  /// A scale that holds `range`, widened to round numbers, with about `ticks` of them. A range of a
  /// single value is widened on both sides.
  ///
  /// Errors: kInvalidArgument when an end is not finite, low is above high, the width is beyond
  /// double, or, for a logarithmic scale, low is not positive.
  static absl::StatusOr<PlotScale> Make(ValueRange range, bool logarithmic, int ticks,
                                        TickKind kind = TickKind::kAny);

  /// A linear scale from low to high and no further, with about `ticks` round numbers between them.
  static absl::StatusOr<PlotScale> MakeExact(ValueRange range, int ticks,
                                             TickKind kind = TickKind::kAny);

  /// 0 at the low end, 1 at the high end.
  double Position(double value) const;

  bool logarithmic() const { return logarithmic_; }
  double low() const { return low_; }
  double high() const { return high_; }
  const std::vector<PlotTick>& ticks() const { return ticks_; }

 private:
  double low_ = 0;
  double high_ = 1;
  bool logarithmic_ = false;
  std::vector<PlotTick> ticks_;
};

/// A number as a person writes it: "0.25", "1500", "2·10⁶"; `step` tells how many decimals matter.
std::string NumberLabel(double value, double step);

}  // namespace lamina

#endif  // FRAMEWORK_IO_PLOT_SCALE_H_
