// Several inputs and several outputs, wrong.
#include <span>
#include <tuple>

#include "checks/faulty/fault.h"
#include "layers/split_level/split_level_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina::faulty {
namespace {

// --- Several inputs -----------------------------------------------------------------------------

using Addition = WeightedAdditionLayer;

struct Three : Addition {
  Three() : Addition(3) {}
};
struct AdditionReadsNumbers : Three {
  DlArray Predict(const DlArrays& x) const {
    DlArray y = weights.At(0) * x[0];
    for (size_t i = 1; i < x.size(); ++i) y = y + weights.At(static_cast<int64_t>(i)) * x[i];
    return y;
  }
};
struct AdditionReadsOneTooMany : Three {
  DlArray Predict(const DlArrays& x) const {
    const DlArrays w = Split(weights, 0, Sizes(x.size(), 1));
    DlArray y = w[0] * x[0];
    for (size_t i = 1; i <= x.size(); ++i) y = y + w.at(i) * x.at(i);
    return y;
  }
};
struct AdditionSetsWeightsAgain : Three {
  void Initialize(std::span<const NetworkDataLayout> layouts) {
    weights =
        Full({static_cast<int64_t>(layouts.size())}, 1.0 / static_cast<double>(layouts.size()));
  }
};
/// A sum that goes on from call to call.
struct AdditionKeepsSum : Three {
  mutable DlArray sum;
  DlArray Predict(const DlArrays& x) const {
    const DlArray y = Three::Predict(x), before = sum;
    sum = ExtractData(y);
    const bool fits = SameSizes(before.sizes(), y.sizes()) && before.type() == y.type();
    return fits ? y + DlArray(before, Dims(y)) : y;
  }
};
struct AdditionIgnoresWeights : Three {
  DlArray Predict(const DlArrays& x) const { return (x[0] + x[1] + x[2]) / 3; }
};
/// Weights that sum to one, by a sum that is a number.
struct AdditionNormalizesByNumber : Three {
  DlArray Predict(const DlArrays& x) const {
    return Three::Predict(x) / (Sum(Abs(weights)).Scalar() + 1);
  }
};
struct AdditionDetachesSecond : Three {
  DlArray Predict(const DlArrays& x) const {
    return Three::Predict({x[0], DlArray(ExtractData(x[1]), Dims(x[1])), x[2]});
  }
};
struct AdditionTakesTwo : Three {
  DlArray Predict(const DlArray& a, const DlArray& b) const { return Three::Predict({a, b, b}); }
};
/// Elements in the same place of memory, whatever their labels.
struct AdditionDropsLabels : Three {
  DlArray Predict(const DlArrays& x) const { return StripDims(Three::Predict(x)); }
};

// --- Several outputs ----------------------------------------------------------------------------

using Split3 = SplitLevelLayer;
using Result = std::tuple<DlArray, DlArray, DlArray>;

struct SplitSpreadOfAll : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    const DlArray all = Sqrt(Mean(spread * spread, "B"));
    return {shape * spread / all, level, all + 0 * spread};
  }
};
struct SplitUnlabelledLevel : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, StripDims(level), spread};
  }
};
/// The elements of C x B, read as B x C.
struct SplitReshapesWrongly : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, Reshape(StripDims(level), {Size(x, 'B'), Size(x, 'C')}, "BC"), spread};
  }
};
struct SplitWithoutEpsilon : Split3 {
  SplitWithoutEpsilon() { epsilon = 0; }
};
struct SplitDetachesSpread : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {(x - level) / DlArray(ExtractData(spread), "CB"), level, spread};
  }
};
struct SplitDetachesLevel : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, DlArray(ExtractData(level), "CB"), spread};
  }
};
struct SplitLevelOfBatch : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, Mean(level, "B"), spread};
  }
};
struct SplitReturnsTwo : Split3 {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, level};
  }
};
struct SplitDeclaresTwo : Split3 {
  SplitDeclaresTwo() { SetOutputNames({"shape", "level"}); }
};
struct SplitSingleLevel : Split3 {
  Result Predict(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, Single(level), spread};
  }
};
/// Forward keeps the dims of size 1 that Predict drops.
struct SplitForwardKeepsDims : Split3 {
  Result Forward(const DlArray& x) const {
    auto [shape, level, spread] = Split3::Predict(x);
    return {shape, Mean(x, "ST"), spread};
  }
};

using Join = JoinLevelLayer;
struct JoinDetachesSpread : Join {
  DlArray Predict(const DlArray& shape, const DlArray& level, const DlArray& spread) const {
    return level + DlArray(ExtractData(spread), Dims(spread)) * shape;
  }
};
struct JoinSingle : Join {
  DlArray Predict(const DlArray& shape, const DlArray& level, const DlArray& spread) const {
    return Single(Join::Predict(shape, level, spread));
  }
};

}  // namespace

FaultGroup SeveralFaults() {
  const char* const predict = "predictDoesNotError";
  const char* const numeric = "gradientsAreNumericallyCorrect";
  const char* const lost = "gradientsAreNotLost";
  const char* const apart = "predictKeepsObservationsApart";
  const char* const syntax = "functionSyntaxesAreCorrect";
  const char* const type = "predictIsConsistentInType";
  const Layouts three = ThreeImages(), series = {NetworkDataLayout({6, 2, 4}, "SCB")};
  const Layouts join = {series[0], NetworkDataLayout({2, 4}, "CB"),
                        NetworkDataLayout({2, 4}, "CB")};
  using A = Addition;
  using S = Split3;
  return {
      "Several inputs, several outputs",
      {
          Of<A, AdditionReadsNumbers>("weights read as numbers", three, lost),
          Of<A, AdditionReadsOneTooMany>("a loop one too long", three, predict),
          Of<A, AdditionSetsWeightsAgain>("Initialize sets what the constructor set", three,
                                          "initializeKeepsSetParameters"),
          Of<A, AdditionKeepsSum>("a sum goes on from call to call", three, "predictIsRepeatable"),
          Of<A, AdditionIgnoresWeights>("the weights are not used", three, "learnablesAreUsed"),
          Of<A, AdditionNormalizesByNumber>("divided by a sum that is a number", three, numeric),
          Of<A, AdditionDetachesSecond>("the second input taken out of the computation", three,
                                        lost),
          Of<A, AdditionTakesTwo>("three inputs declared, two taken", three, syntax),
          Of<A, AdditionDropsLabels>("labels dropped", three, "predictReturnsLabels"),
          Of<S, SplitSpreadOfAll>("one spread for the whole batch", series, apart),
          Of<S, SplitUnlabelledLevel>("one output of three without labels", series,
                                      "predictReturnsLabels"),
          Of<S, SplitReshapesWrongly>("reshaped where a transpose is meant", series, apart),
          Of<S, SplitWithoutEpsilon>("the root of zero, and a division by it",
                                     {NetworkDataLayout({1, 2, 4}, "SCB")},
                                     "predictReturnsFiniteValues"),
          Of<S, SplitDetachesSpread>("the spread is a constant to training", series, numeric),
          Of<S, SplitDetachesLevel>("an output taken out of the computation", series, numeric),
          Of<S, SplitLevelOfBatch>("an output for the whole batch", series, apart),
          Of<S, SplitReturnsTwo>("three outputs declared, two returned", series, syntax),
          Of<S, SplitDeclaresTwo>("two outputs declared, three returned", series, syntax),
          Of<S, SplitSingleLevel>("one output of three always single", series, type),
          Of<S, SplitForwardKeepsDims>("Forward keeps dims that Predict drops", series,
                                       "forwardPredictAreConsistentInSize"),
          Of<Join, JoinDetachesSpread>("an input taken out of the computation", join, lost),
          Of<Join, JoinSingle>("always single", join, type),
      }};
}

}  // namespace lamina::faulty
