// Right for the sizes that it was tried with, and for no others.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina::faulty {
namespace {

/// As in a loss: divided by the number of observations.
struct MeanOverBatch : WeightedAdditionLayer {
  DlArray Predict(const DlArrays& x) const {
    return WeightedAdditionLayer::Predict(x) / static_cast<double>(Size(x[0], 'B'));
  }
};
/// Scaled by the largest value of the whole batch.
struct ScalesByBatchMaximum : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = TanhScaleLayer::Predict(x);
    return y / (1 + MaxOver(Abs(y)));
  }
};
/// An unbiased estimate: of one row there is none.
struct DividesByRowsLessOne : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const {
    const double rows = static_cast<double>(x.size(0));
    return SpatialMeanLayer::Predict(x) * rows / (rows - 1);
  }
};
struct SqueezesRows : SReluLayer {
  DlArray Predict(const DlArray& x) const { return Squeeze(SReluLayer::Predict(x)); }
};
/// Neighbouring rows, by an index that is beyond the last of one.
struct ReadsSecondRow : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArrays rows = Split(x, 0, Sizes(x.size(0), 1));
    return SReluLayer::Predict(x) + 0.1 * rows.at(1);
  }
};
/// Steps in pairs: the last of an odd number is dropped from the derivative.
struct PairsOfSteps : OwnBackwardLayer {
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    auto d = OwnBackwardLayer::Backward(x, Unused(), dy, memory);
    const int64_t n = x.size(0), even = n - n % 2;
    if (n > 1 && even < n) d[0] = Cat(0, {Slice(d[0], 0, 0, even), 0 * Slice(d[0], 0, even, 1)});
    return d;
  }
};
/// Large batches take a shortcut that is none.
struct ShortcutForLargeBatches : SReluLayer {
  DlArray Predict(const DlArray& x) const {
    return x.size(x.rank() - 1) >= 6 ? Relu(x) : SReluLayer::Predict(x);
  }
};

}  // namespace

FaultGroup OtherSizeFaults() {
  const char* const sizes = "otherSizesWork";
  return {
      "Other sizes",
      {
          Of<WeightedAdditionLayer, MeanOverBatch>("divided by the number of observations",
                                                   TwoImages(), sizes),
          Of<TanhScaleLayer, ScalesByBatchMaximum>("scaled by the batch's maximum", Image(), sizes),
          Of<SpatialMeanLayer, DividesByRowsLessOne>("a division by rows - 1", Image(), sizes),
          Of<SReluLayer, SqueezesRows>("a dim of size 1 is dropped", Image(), sizes),
          Of<SReluLayer, ReadsSecondRow>("an index beyond one row", Image(), sizes),
          Of<OwnBackwardLayer, PairsOfSteps>("the derivative of an odd row is dropped", Image(),
                                             sizes),
          Of<SReluLayer, ShortcutForLargeBatches>("another function for large batches", Image(),
                                                  sizes),
      }};
}

}  // namespace lamina::faulty
