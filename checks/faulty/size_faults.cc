// Sizes and labels, and what throws or overflows.
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"

namespace lamina::faulty {
namespace {

struct ForwardReduces : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Sum(Predict(x), 0); }
};
struct ForwardDropsDims : SpatialMeanLayer {
  DlArray Forward(const DlArray& x) const { return Mean(x, "S") * gain; }
};
struct DropsLabels : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const { return StripDims(SpatialMeanLayer::Predict(x)); }
};
/// Squeezed, one observation has a dim less.
struct ThrowsForOne : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = Squeeze(TanhScaleLayer::Predict(x));
    return Reshape(Permute(y, {0, 1, 2, 3}),
                   {x.size(0), x.size(1), x.size(2), y.sizes()[3 % y.rank()]});
  }
};
/// The size of the mini-batch that it was written with.
struct FixedBatch : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const {
    return gain * Reshape(Mean(x, "S"), {Size(x, 'C'), 5}, "CB");
  }
};
struct PredictThrows : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return MatMul(x, Zeros({7, 7, 7})); }
};
struct ForwardThrows : TanhScaleLayer {
  DlArray Forward(const DlArray& x) const { return Predict(x) + Zeros({17, 19}); }
};
struct ThrowsStandard : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return std::vector<DlArray>{x}.at(x.numel() > 0 ? 1 : 0);
  }
};
struct LogOfNegative : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const { return Log(scale * x) + offset; }
};
/// Normalised without an epsilon: one element is its own mean, and 0 / 0 follows.
struct NoEpsilon : SpatialMeanLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = SpatialMeanLayer::Predict(x);
    return (y - Mean(y, 'C')) / Sqrt(Variance(y, 'C'));
  }
};

}  // namespace

FaultGroup SizeFaults() {
  const char* const predict = "predictDoesNotError";
  using Scale = TanhScaleLayer;
  return {"Sizes, labels, errors",
          {
              Of<Scale, ForwardReduces>("Forward sums over a dim, Predict does not", Image(),
                                        "forwardPredictAreConsistentInSize"),
              Of<SpatialMeanLayer, ForwardDropsDims>("Forward keeps dims that Predict drops",
                                                     Image(), "forwardPredictAreConsistentInSize"),
              Of<SpatialMeanLayer, DropsLabels>("labels dropped", Image(), "predictReturnsLabels",
                                                {predict}),
              Of<Scale, ThrowsForOne>("one observation loses its dim", Image(), predict),
              Of<SpatialMeanLayer, FixedBatch>("the batch has a fixed size", Image(), predict),
              Of<Scale, PredictThrows>("Predict throws", Image(), predict),
              Of<Scale, ForwardThrows>("Forward throws", Image(), "forwardDoesNotError"),
              Of<Scale, ThrowsStandard>("an index beyond a list", Image(), predict),
              Of<Scale, LogOfNegative>("a logarithm of what may be negative", Image(),
                                       "predictReturnsFiniteValues"),
              Of<SpatialMeanLayer, NoEpsilon>("a division without an epsilon",
                                              {NetworkDataLayout({4, 3, 1, 5}, "SSCB")},
                                              "predictReturnsFiniteValues"),
          }};
}

}  // namespace lamina::faulty
