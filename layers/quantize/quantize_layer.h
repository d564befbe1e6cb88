// Quantization with a learned step: values on a few evenly spaced levels, for networks that later
// compute in integers of a few bits.
//
//   y = s * round(clip(x / s, 0, n))        n = 2^bits - 1,   levels 0, s, 2s, .., n s
//
// A staircase has the derivative zero nearly everywhere, with which nothing learns. So it is given
// another one: that of the ramp which the staircase follows (straight through), and for the step s
// the distance of x from its level:
//
//   dy/dx = 1                  dy/ds = round(x / s) - x / s    for 0 < x / s < n
//           0                          0                           x / s <= 0
//           0                          n                           x / s >= n
//
// Source: Esser et al., Learned Step Size Quantization, arXiv:1902.08153, equations 1 to 5, without
// the scale of section 2.2: set a learn-rate factor for "Step" in its place.
//
//   AnyLayer layer = QuantizeLayer(2);                    // 2 bits: 4 levels
//   DlArray y = layer.Predict({x}).outputs[0];
//
// Input and output: any format. Threads: as every layer.
#ifndef LAYERS_QUANTIZE_QUANTIZE_LAYER_H_
#define LAYERS_QUANTIZE_QUANTIZE_LAYER_H_

#include <array>
#include <string>

#include "framework/lamina.h"

namespace lamina {

// [region function]
// The operation: what it computes, and what it says its derivatives are.
struct QuantizeFunction {
  double highest_level = 3;

  // [region forward]
  DlArray Forward(const DlArray& x, const DlArray& step) const { return step * Level(x / step); }

  // Clipped and rounded; NaN stays NaN, which Min and Max would not leave it.
  DlArray Level(const DlArray& position) const {
    return Where(position <= 0, 0,
                 Where(position >= highest_level, highest_level, Round(position)));
  }
  // [endregion]

  // [region backward]
  std::array<DlArray, 2> Backward(const DlArray& x, const DlArray& step, Unused,
                                  const DlArray& dLdY, Unused,
                                  const NeededGradients& needed) const {
    const DlArray position = x / step;
    const DlArray inside = (position > 0) & (position < highest_level);
    DlArray dLdX, dLdStep;  // Unset where nobody asked.
    if (needed[0]) dLdX = Where(inside, dLdY, 0);
    if (needed[1]) {
      const DlArray distance = Level(position) - Where(inside, position, 0);
      dLdStep = SumTo(dLdY * distance, step.spec());
    }
    return {dLdX, dLdStep};
  }
  // [endregion]
};
// [endregion]

// [region layer]
struct QuantizeLayer : Layer, Acceleratable {
  Property<int64_t> bits{*this, "Bits"};
  Learnable step{*this, "Step"};

  /// Levels from 0 to 2 at first. Errors: "layer:InvalidSetting" for less than 1 bit or more
  /// than 8.
  explicit QuantizeLayer(int64_t num_bits = 2) {
    if (num_bits < 1 || num_bits > 8) {
      throw Error("layer:InvalidSetting", "QuantizeLayer: Bits is a whole number from 1 to 8.",
                  std::to_string(num_bits) + " came.", "");
    }
    bits = num_bits;
    step = Full({1}, 2 / HighestLevel());
  }

  DlArray Predict(const DlArray& x) const {
    return DifferentiableFunction(QuantizeFunction{HighestLevel()})(x, step);
  }

  double HighestLevel() const { return static_cast<double>((int64_t{1} << bits) - 1); }
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_QUANTIZE_QUANTIZE_LAYER_H_
